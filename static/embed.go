// Package static holds the files the pages load: the stylesheets, the icon and the staff's scripts, built beforehand and
// compiled into the binary, so that the till runs without Node and from any directory.
//
// It knows no HTTP beyond the shape of an address: routes and cache headers are the handlers'.
package static

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"sync"
)

//go:embed css img js
var files embed.FS

// Prefix is where the files are served.
const Prefix = "/static/"

// FS holds the files under the names URL takes, such as "css/app.css".
func FS() fs.FS { return files }

// URL is the address of a file with a digest of its content, as in
// "/static/css/app.css?v=1f0c…". A new build has a new address, so answers to one that carries
// Version(name) may be cached for good. URL panics when there is no such file: its argument is a
// constant of ours, and a page without its stylesheet must not get as far as a customer.
func URL(name string) string { return Prefix + name + "?v=" + Version(name) }

// Version is the digest URL appends: the first 64 bits of the content's SHA-256 in hex. It panics
// when there is no such file.
func Version(name string) string {
	v, ok := versions()[name]
	if !ok {
		panic(fmt.Sprintf("static: there is no file %q; was it built and committed?", name))
	}
	return v
}

// versions is computed once, at first use: the files cannot change while the program runs.
var versions = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		all[path] = hex.EncodeToString(sum[:8])
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("static: read the embedded files: %v", err))
	}
	return all
})
