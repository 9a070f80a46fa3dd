package integration

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/integration/canary"
)

// bundleIsMade has a node's bundle made, whose files are searched at the end: in
// no one of them may anything be, be it of the node's own patients.
func (w *canaryWorld) bundleIsMade(p *demo.Process, state string) {
	w.t.Helper()
	path := filepath.Join(w.backups(p)+"-bundles", state+".tar.gz")
	must(w.t, os.MkdirAll(filepath.Dir(path), 0o700))
	w.wants(0, p, "", "debug", "bundle", path)
	raw, err := os.ReadFile(path)
	must(w.t, err)
	files := w.unpacked(raw)
	if least := map[string]int{"running": 14, "dead": 7}[state]; len(files) < least {
		w.t.Errorf("the bundle of %s, which is %s, has %d files only", p.Node, state, len(files))
	}
	for name, text := range files {
		w.bundles = append(w.bundles, answered{p.Node, name, text})
	}
}

// unpacked returns the files of a bundle by their names.
func (w *canaryWorld) unpacked(raw []byte) map[string][]byte {
	w.t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(raw))
	must(w.t, err)
	files := map[string][]byte{}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		must(w.t, err)
		files[filepath.Base(h.Name)], err = io.ReadAll(t)
		must(w.t, err)
	}
}

// packedControl is what the search finds in an archive that holds the control.
func (w *canaryWorld) packedControl() (hits []canary.Hit) {
	w.t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	text := "reason=" + w.control.Value
	must(w.t, t.WriteHeader(&tar.Header{Name: "raresync-bundle/log.txt", Mode: 0o600, Size: int64(len(text))}))
	_, err := io.WriteString(t, text)
	must(w.t, errors.Join(err, t.Close(), z.Close()))
	for name, text := range w.unpacked(b.Bytes()) {
		hits = append(hits, w.search.Bytes(name, text)...)
	}
	return hits
}

// bundlesAreClean searches the files of all bundles.
func (w *canaryWorld) bundlesAreClean() {
	w.t.Helper()
	total := 0
	for _, b := range w.bundles {
		w.none(place{bundlePlace, b.node}, w.search.Bytes(b.what, b.said))
		total += len(b.said)
	}
	if total < 100<<10 {
		w.t.Errorf("only %d bytes of bundles were searched", total)
	}
	w.t.Logf("searched %d files of bundles with %d KiB", len(w.bundles), total>>10)
}
