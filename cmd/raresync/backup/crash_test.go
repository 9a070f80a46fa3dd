//go:build faults

package backup_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/consensus/fault/kill"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/registry/envelope"
)

// A backup has its name only when it is whole, and so has the folder that is
// made from it; what is under another name is in nobody's way.
func TestABackupKilledAtAStepIsWholeOrNotThere(t *testing.T) {
	kill.Each(t, func(dir string) {
		w := newWorld(t, 2, 30)
		must(t, os.WriteFile(filepath.Join(dir, "genesis"), w.net.Genesis.Marshal(), 0o600))
		_, err := backup.Save(t.Context(), filepath.Join(dir, "b.tar"), w.options())
		must(t, err)
		must(t, restoreIn(dir, w.net.Genesis))
	}, func(dir string) {
		raw, err := os.ReadFile(filepath.Join(dir, "genesis"))
		must(t, err)
		genesis, err := envelope.Decode(raw)
		must(t, err)
		path := filepath.Join(dir, "b.tar")
		if _, err := os.Stat(path); err != nil { // cut short: made again over what is left
			w := newWorld(t, 2, 30)
			genesis = w.net.Genesis
			_, err := backup.Save(t.Context(), path, w.options())
			must(t, err)
		}
		report, err := verify(path, backup.VerifyOptions{})
		must(t, err)
		if _, err := os.Stat(filepath.Join(dir, "node")); err != nil {
			must(t, restoreIn(dir, genesis))
		}
		m, err := machine.Open(filepath.Join(dir, "node"), genesis)
		must(t, err)
		defer m.Close()
		if got := m.View().Tree.Size(); got != report.Entries {
			t.Errorf("the restored folder holds %d entries of %d", got, report.Entries)
		}
	})
}

func restoreIn(dir string, genesis *envelope.Envelope) error {
	b, err := backup.Open(filepath.Join(dir, "b.tar"), nil)
	if err != nil {
		return err
	}
	defer b.Close()
	_, err = b.Restore(filepath.Join(dir, "node"), backup.RestoreOptions{Node: "reader", Genesis: genesis})
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
