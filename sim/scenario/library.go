package scenario

import (
	"embed"
	"strings"
)

//go:embed library/*.toml
var library embed.FS

// Library lists the names of the files that come with this package, sorted.
func Library() []string {
	entries, err := library.ReadDir("library")
	if err != nil {
		panic(err) // they are part of the program
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = strings.TrimSuffix(e.Name(), ".toml")
	}
	return names
}

// File returns the text of a file of the library.
func File(name string) ([]byte, error) {
	text, err := library.ReadFile("library/" + name + ".toml")
	if err != nil {
		return nil, bad("there is no scenario called %q; there are %s", name, strings.Join(Library(), ", "))
	}
	return text, nil
}
