package audit_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/staticcopy"
)

// static writes a static copy of the log up to its end.
func (c *copied) static(bodies bool, claims []state.Claim) string {
	c.t.Helper()
	l, err := ledger.OpenReadOnly(filepath.Join(c.dir, "ledger"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer l.Close()
	dir := c.t.TempDir()
	if _, err := staticcopy.Write(c.t.Context(), dir, staticcopy.Options{
		Ledger: l, Note: c.whole(), Network: c.net.ID, Name: c.state.Name, Bodies: bodies,
		Claims: func(context.Context) ([]state.Claim, error) { return claims, nil },
	}); err != nil {
		c.t.Fatal(err)
	}
	return dir
}

func (c *copied) verifyStatic(address string) (*audit.Result, error) {
	c.t.Helper()
	source, err := staticcopy.Open(address, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer source.Close()
	return audit.Static(c.t.Context(), source, audit.Options{Policy: c.policy})
}

func TestAStaticCopyIsVerifiedFromAFolderAndFromAWebServer(t *testing.T) {
	c := newCopy(t, 2, 300, 1, 255, 60)
	want, err := c.verify(c.whole())
	if err != nil {
		t.Fatal(err)
	}
	for _, bodies := range []bool{false, true} {
		dir := c.static(bodies, nil)
		server := httptest.NewServer(http.FileServer(http.Dir(dir)))
		defer server.Close()
		for _, address := range []string{"file://" + dir, server.URL} {
			got, err := c.verifyStatic(address)
			if err != nil {
				t.Fatalf("bodies %t, %s: %v", bodies, address, err)
			}
			if got.Entries != want.Entries || got.Envelopes != want.Envelopes || got.Root != want.Root || !got.OwnPolicy || !slices.Equal(got.Cosigners, want.Cosigners) {
				t.Errorf("bodies %t, %s: %+v, want %+v", bodies, address, got, want)
			}
		}
	}
}

// Every file of a copy without bodies, with a byte changed or not there at all.
func TestAChangedByteOfAStaticCopyIsFound(t *testing.T) {
	c := newCopy(t, 2, 300, 1)
	dir := c.static(false, nil)
	seen := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, dir+"/")
		if err != nil || d.IsDir() || name == "LOCK" || name == "copy.json" {
			return err
		}
		seen++
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, at := range []int{0, len(raw) / 3, len(raw) / 2, len(raw) - 1} {
			if name == "checkpoint" && raw[at] == '\n' {
				at--
			}
			changed := slices.Clone(raw)
			changed[at] ^= 1
			if err := os.WriteFile(path, changed, 0o600); err != nil {
				return err
			}
			if _, err := c.verifyStatic("file://" + dir); !errors.Is(err, audit.ErrUnverified) {
				t.Errorf("%s, byte %d: %v", name, at, err)
			}
		}
		if err := os.Remove(path); err != nil {
			return err
		}
		want := audit.ErrUnverified
		if name == "checkpoint" {
			want = staticcopy.ErrAbsent
		}
		if _, err := c.verifyStatic("file://" + dir); !errors.Is(err, want) {
			t.Errorf("without %s: %v", name, err)
		}
		return os.WriteFile(path, raw, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.verifyStatic("file://" + dir); err != nil || seen < 10 {
		t.Errorf("%d files, and with all as they were: %v", seen, err)
	}
}

func TestAStaticCopyOfAnotherNetworkIsFound(t *testing.T) {
	c := newCopy(t, 2)
	dir := c.static(false, nil)
	path := filepath.Join(dir, "copy.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(raw), `"network": "`) + len(`"network": "`)
	raw[at] = map[bool]byte{true: '1', false: '0'}[raw[at] == '0']
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = c.verifyStatic("file://" + dir)
	wantUnverified(t, err, "it says it is of network")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.verifyStatic("file://" + dir); !errors.Is(err, staticcopy.ErrAbsent) || errors.Is(err, audit.ErrUnverified) {
		t.Errorf("a folder without a copy: %v", err)
	}
}

func TestAWithdrawnBodyIsNotInAStaticCopy(t *testing.T) {
	c := erasedCopy(t)
	if r, err := c.verifyStatic("file://" + c.static(true, c.state.Claims)); err != nil || r.Erased != 2 {
		t.Errorf("without them: %+v, %v", r, err)
	}
	_, err := c.verifyStatic("file://" + c.static(true, nil)) // whoever wrote it did not know
	wantUnverified(t, err, "entry 2 was withdrawn, and its body is still in the copy")
}
