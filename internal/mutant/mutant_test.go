package mutant_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/internal/mutant"
)

func TestNamesAreReadBack(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutant.All() {
		require.False(t, seen[m.Name], m.Name)
		seen[m.Name] = true
		require.NotEmpty(t, m.Doc, m.Name)
		require.NotEmpty(t, m.Oracle, m.Name)

		text, err := json.Marshal(m.ID)
		require.NoError(t, err)
		require.Equal(t, `"`+m.Name+`"`, string(text))
		var again mutant.ID
		require.NoError(t, json.Unmarshal(text, &again))
		require.Equal(t, m.ID, again)
	}
	none, err := mutant.Parse("")
	require.NoError(t, err)
	require.Equal(t, mutant.None, none)
	_, err = mutant.Parse("no such bug")
	require.ErrorContains(t, err, `"no such bug"`)
	require.Equal(t, "mutant 255", mutant.ID(255).String())
	require.False(t, mutant.ID(255).Valid())
}
