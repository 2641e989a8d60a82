package static_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/portatill/portatill/static"
)

func TestStatic(t *testing.T) {
	t.Parallel()

	t.Run("EveryFileHasAnAddressThatChangesWithItsContent", func(t *testing.T) {
		t.Parallel()
		n := 0
		err := fs.WalkDir(static.FS(), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			n++
			content, err := fs.ReadFile(static.FS(), path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			if got, want := static.URL(path), "/static/"+path+"?v="+hex.EncodeToString(sum[:8]); got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
			return nil
		})
		if err != nil || n < 2 {
			t.Errorf("%d files, error %v", n, err)
		}
	})

	t.Run("AFileThatDoesNotExistIsNoticedAtOnce", func(t *testing.T) {
		t.Parallel()
		defer func() {
			if recover() == nil {
				t.Error("no panic for a stylesheet that is not there")
			}
		}()
		static.URL("css/none.css")
	})

	t.Run("TheStylesheetIsMinifiedAndLoadsNothing", func(t *testing.T) {
		t.Parallel()
		css, err := fs.ReadFile(static.FS(), "css/app.css")
		if err != nil {
			t.Fatal(err)
		}
		if lines := strings.Count(string(css), "\n"); lines > 5 {
			t.Errorf("%d lines: was it built with npm run build?", lines)
		}
		// The policy's default-src 'none' would block fonts and foreign images anyway.
		if m := regexp.MustCompile(`url\([^)]*\)|@import|@font-face`).FindAll(css, -1); len(m) != 0 {
			t.Errorf("it loads %q", m)
		}
		for _, want := range []string{"--accent", "prefers-color-scheme:dark", "prefers-reduced-motion", "prefers-contrast", "@media print"} {
			if !strings.Contains(string(css), want) {
				t.Errorf("no %q in it", want)
			}
		}
	})
}
