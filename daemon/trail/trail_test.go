package trail

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var now = time.UnixMilli(1_790_000_000_000)

func open(t *testing.T, path string) *Trail {
	t.Helper()
	tr, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func add(t *testing.T, tr *Trail, what string) {
	t.Helper()
	if err := tr.Add(Event{Time: now, What: what, Cases: []string{"0000-0000-0000-00"}, Entries: 2}); err != nil {
		t.Fatal(err)
	}
}

// written makes a trail of three lines over two starts.
func written(t *testing.T) (path string, raw []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "audit", "trail.jsonl")
	tr := open(t, path)
	add(t, tr, "one")
	add(t, tr, "two")
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	tr = open(t, path)
	add(t, tr, "three")
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, raw
}

func TestATrailGoesOnWhereItWas(t *testing.T) {
	path, raw := written(t)
	if n, _, err := Check(bytes.NewReader(raw)); n != 3 || err != nil {
		t.Errorf("%d lines, %v", n, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	want := `{"number":1,"time":"2026-09-21T14:13:20Z","what":"one","case_numbers":["0000-0000-0000-00"],"entries":2,"previous":"` + strings.Repeat("0", 64) + `"}`
	if first != want {
		t.Errorf("got  %s\nwant %s", first, want)
	}
}

func TestALineThatIsChangedOrMissingShows(t *testing.T) {
	_, raw := written(t)
	lines := strings.SplitAfter(string(raw), "\n")
	for name, changed := range map[string]string{
		"a line changed":   strings.Replace(string(raw), `"two"`, `"six"`, 1),
		"a line taken out": lines[0] + lines[2],
		"the first gone":   lines[1] + lines[2],
		"a line twice":     lines[0] + lines[0] + lines[1],
		"no trail at all":  "hello\n",
	} {
		path := filepath.Join(t.TempDir(), "trail.jsonl")
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadFile(path); err != nil || string(left) != changed {
			t.Errorf("%s: it was repaired", name)
		}
	}
}

func TestALineThatACrashCutShortIsTakenOff(t *testing.T) {
	path, raw := written(t)
	for cut := range raw {
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		tr := open(t, path)
		if want := uint64(bytes.Count(raw[:cut], []byte("\n"))); tr.n != want {
			t.Fatalf("cut at %d: %d lines, want %d", cut, tr.n, want)
		}
		add(t, tr, "after")
		if err := tr.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
