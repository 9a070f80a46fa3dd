//go:build faults

package integration

import (
	"path/filepath"
	"testing"
	"time"
)

// TestPlantedMissingFsyncIsNoticedByPowerCuts cuts the power of every node
// right after hospitals have their receipts: with a program that does not fsync
// what it says it does, the witness must miss something; with the same program
// without the mistake, nothing.
func TestPlantedMissingFsyncIsNoticedByPowerCuts(t *testing.T) {
	if !withOwnMounts(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "raresync")
	must(t, system("go", "build", "-tags", "faults", "-o", path, "../cmd/raresync"))
	for bug, noticed := range map[string]bool{"": false, "log-no-fsync": true, "fact-no-fsync": true} {
		t.Run("bug "+bug, func(t *testing.T) {
			t.Setenv("RARESYNC_PLANT", bug) // the nodes have it from here
			err := powerCutAfterReceipts(t, path)
			if (err != nil) != noticed {
				t.Errorf("the witness says: %v; want something: %v", err, noticed)
			}
			t.Logf("proof: %q: %v", bug, err)
		})
	}
}

func powerCutAfterReceipts(t *testing.T, path string) error {
	c := newPowerCuts(t, foundNetworkOf(t, path, 3, 3), 1)
	c.n.startWithin(2 * time.Minute)
	c.learn()
	visits := madeUpVisits(t, 30, 3)
	c.n.register(visits)
	for _, v := range visits {
		c.l.promise(v.result.Entries)
	}
	if err := c.cut(c.n.Processes()); err != nil {
		return err
	}
	return c.look(c.n.Processes())
}
