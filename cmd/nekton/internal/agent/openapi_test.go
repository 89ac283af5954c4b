package agent

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/docs"
)

// TestOpenAPI compares what is served with what is documented.
func TestOpenAPI(t *testing.T) {
	var served []string
	for _, r := range new(Agent).table() {
		served = append(served, r.pattern)
	}
	slices.Sort(served)
	require.Equal(t, served, documented(t))
}

// documented reads "METHOD /path" out of the document, which is laid out as it is printed: paths are indented by
// two spaces, methods by four.
func documented(t *testing.T) (routes []string) {
	_, paths, found := strings.Cut(docs.OpenAPI, "\npaths:\n")
	require.True(t, found)
	paths, _, found = strings.Cut(paths, "\ncomponents:\n")
	require.True(t, found)
	path := ""
	for _, m := range regexp.MustCompile(`(?m)^(?:  (/\S*)|    (\w+)):$`).FindAllStringSubmatch(paths, -1) {
		if m[1] != "" {
			path = m[1]
		} else {
			routes = append(routes, strings.ToUpper(m[2])+" "+path)
		}
	}
	slices.Sort(routes)
	return routes
}
