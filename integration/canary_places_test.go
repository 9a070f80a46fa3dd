package integration

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raresync/raresync/integration/canary"
)

// nothingIsFoundBefore shows that the markers are nowhere by chance.
func (w *canaryWorld) nothingIsFoundBefore() {
	w.t.Helper()
	hits, searched, err := w.search.Files(w.Dir)
	must(w.t, err)
	for _, p := range w.Processes()[:2] {
		found, n, err := w.search.Memory(p.PID())
		must(w.t, err)
		hits, searched = append(hits, found...), searched+n
	}
	if len(hits) > 0 {
		w.t.Fatalf("the markers are no markers: before anything came in there is %v", hits[0])
	}
	w.t.Logf("%d markers, found nowhere in %d MiB before they came in", len(w.markers), searched>>20)
}

// filesAreClean searches every file of every node: data, log, temporary files,
// backups. Of the exports it is shown that the search would find them.
func (w *canaryWorld) filesAreClean() {
	w.t.Helper()
	total := int64(0)
	for _, p := range w.Processes() {
		for _, dir := range []string{p.Dir, w.temp(p), w.backups(p)} {
			hits, searched, err := w.search.Files(dir)
			must(w.t, err)
			w.none(place{filePlace, p.Node}, hits)
			total += searched
		}
		log, err := os.ReadFile(p.Log())
		must(w.t, err)
		if !hasDump(log) || p == w.origins[0].Process && !bytes.Contains(log, []byte("intake.(*Intake).Take(")) {
			w.t.Errorf("%s showed no goroutines, or none that held patients: the search of its log is weaker than meant", p.Node)
		}
	}
	for _, o := range w.origins {
		hits, _, err := w.search.Files(w.exports(o.Process))
		must(w.t, err)
		if found := w.none(place{exportsPlace, o.Node}, hits); found < len(w.markers)/len(w.origins) {
			w.t.Errorf("only %d markers were found in the exports of %s, which hold them all", found, o.Node)
		}
	}
	w.t.Logf("searched %d MiB of files", total>>20)
}

// elsewhereIsClean searches the files that appeared, since the test began, in the
// folders where a program that does not ask for one leaves its own. Others use
// them, too; a file that they take away meanwhile is passed over.
func (w *canaryWorld) elsewhereIsClean() {
	w.t.Helper()
	home, err := os.UserHomeDir()
	must(w.t, err)
	stray := filepath.Join(os.TempDir(), "stray-"+w.control.Value[:8])
	must(w.t, os.WriteFile(stray, []byte(w.control.Value), 0o600))
	defer os.Remove(stray)
	searched, control := 0, false
	for _, dir := range []string{".", home, "/", "/var/tmp", "/dev/shm", os.TempDir()} {
		list, err := os.ReadDir(dir)
		must(w.t, err)
		for _, e := range list {
			info, err := e.Info()
			if err != nil || !info.Mode().IsRegular() || info.ModTime().Before(w.began) {
				continue
			}
			hits, _, err := w.search.Files(filepath.Join(dir, e.Name()))
			if !errors.Is(err, fs.ErrNotExist) {
				must(w.t, err)
			}
			control = control || slices.ContainsFunc(hits, func(h canary.Hit) bool { return h.Marker == w.control })
			w.none(place{filePlace, dir}, hits)
			searched++
		}
	}
	if !control {
		w.t.Error("the search is void: the control is not found in a stray file elsewhere")
	}
	w.t.Logf("searched %d files elsewhere", searched)
}

// framesAreClean looks at what was captured between the nodes.
func (w *canaryWorld) framesAreClean() {
	w.t.Helper()
	w.none(place{framePlace, "the wire"}, w.frames.Hits())
	var all int64
	for _, p := range w.Hospitals[:canaryVoters] {
		var carried int64
		if all, carried = w.frames.Searched(listenPort(w.t, p)); carried < 4<<10 || all < 1<<20 { // who dials whom is left to them
			w.t.Errorf("only %d bytes of frames were captured, %d of them to and from where %s listens", all, carried, p.Node)
		}
	}
	w.t.Logf("searched %d MiB of frames", all>>20)
}

// memoryIsClean searches the memory of every daemon that runs. What the origins'
// own hold of their patients is told, and no failure.
func (w *canaryWorld) memoryIsClean() {
	w.t.Helper()
	total := int64(0)
	for _, p := range w.Processes() {
		hits, searched, err := w.search.Memory(p.PID())
		must(w.t, err)
		if own := w.none(place{memoryPlace, p.Node}, hits); own > 0 {
			w.t.Logf("the memory of %s holds %d texts that it may", p.Node, own)
		}
		total += searched
	}
	w.t.Logf("searched %d MiB of memory", total>>20)
}

// answersAreClean searches what commands printed and daemons answered.
func (w *canaryWorld) answersAreClean() {
	w.t.Helper()
	total := 0
	for _, a := range w.seen {
		w.none(place{answerPlace, a.node}, w.search.Bytes(a.what+" at "+a.node, a.said))
		total += len(a.said)
	}
	w.t.Logf("searched %d answers of %d KiB", len(w.seen), total>>10)
}

// controlsAreFound puts the control into each kind of place at a node that is no
// origin, and looks that the search finds it there.
func (w *canaryWorld) controlsAreFound() {
	w.t.Helper()
	p := w.Hospitals[2]
	found := func(what string, hits []canary.Hit, err error) {
		w.t.Helper()
		if !slices.ContainsFunc(hits, func(h canary.Hit) bool { return h.Marker == w.control }) {
			w.t.Errorf("the search is void: the control is not found in %s (%v)", what, err)
		}
	}
	dir := filepath.Join(p.Dir, "node", "control")
	must(w.t, os.Mkdir(dir, 0o700))
	for form, text := range w.control.Forms() {
		path := filepath.Join(dir, strings.ReplaceAll(form, " ", "-"))
		must(w.t, os.WriteFile(path, []byte("a stray file with "+text), 0o600))
	}
	hits, _, err := w.search.Files(p.Dir)
	for form := range w.control.Forms() {
		found("a file of "+p.Node+", "+form, slices.DeleteFunc(slices.Clone(hits), func(h canary.Hit) bool { return h.Form != form }), err)
	}
	must(w.t, os.RemoveAll(dir))
	found("a bundle", w.packedControl(), nil)
	found("an answer", w.search.Bytes("", []byte(`{"detail":"`+w.control.Value+`"}`)), nil)

	// A request that has not ended stays in the buffer of its connection.
	conn, err := net.Dial("unix", filepath.Join(p.Dir, "admin.sock"))
	must(w.t, err)
	_, err = io.WriteString(conn, "GET /v1/status HTTP/1.1\r\nX-Note: "+w.control.Value)
	must(w.t, err)
	w.eventually("the control in the memory of "+p.Node, func() error {
		hits, _, err := w.search.Memory(p.PID())
		if err == nil && !slices.ContainsFunc(hits, func(h canary.Hit) bool { return h.Marker == w.control }) {
			err = errors.New("the search is void: it is not found")
		}
		return err
	})
	must(w.t, conn.Close())
	must(w.t, w.lan.In(0, func() error { return inClear(listenAddress(w.t, p), w.control.Value) }))
	w.eventually("the control in the frames", func() error {
		if !slices.ContainsFunc(w.frames.Hits(), func(h canary.Hit) bool { return h.Marker == w.control }) {
			return errors.New("the search is void: it is not found")
		}
		return nil
	})
}

// inClear says a text to a node without a session.
func inClear(address, text string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	_, err = io.WriteString(conn, text)
	return errors.Join(err, conn.Close())
}
