// Command copies writes the documents of package describe as files, for reading without a running till. It is run by
// `make generate`; a copy names neither a till nor a day, so that it changes only when the protocol does.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/portatill/portatill/internal/describe"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: copies DIRECTORY")
		os.Exit(2)
	}
	for name, text := range describe.Copies() {
		path := filepath.Join(os.Args[1], name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			fail(err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			fail(err)
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "copies:", err)
	os.Exit(1)
}
