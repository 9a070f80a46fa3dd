//go:build faults

package integration

import (
	"os"
	"path/filepath"
	"strings"
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

// TestPlantedReturnInTimeIsNoticedByTheWitness sets every disk back to before
// the hospitals had their receipts, which no node can know.
func TestPlantedReturnInTimeIsNoticedByTheWitness(t *testing.T) {
	if !withOwnMounts(t) {
		return
	}
	c := newPowerCuts(t, foundNetwork(t, 3, 3), 1)
	c.n.startWithin(2 * time.Minute)
	c.learn()
	must(t, c.n.Stop())
	for _, v := range c.volumes {
		must(t, v.unmount())
		must(t, system("cp", "--sparse=always", v.image, v.image+".before"))
		must(t, v.mount())
	}
	must(t, c.n.Start(c.n.ctx))
	c.receipts(t)
	must(t, c.look(c.n.Processes()))
	for p, v := range c.volumes {
		must(t, p.Kill())
		must(t, v.unmount())
		must(t, os.Rename(v.image+".before", v.image))
		must(t, v.mount())
	}
	must(t, c.n.Start(c.n.ctx))
	c.patience = 5 * time.Second
	err := c.look(c.n.Processes())
	if err == nil || !strings.Contains(err.Error(), "were promised") {
		t.Errorf("the witness says: %v; want that entries are missing", err)
	}
	t.Logf("proof: disks set back: %v", err)
}

// receipts gives the hospitals some receipts.
func (c *powerCuts) receipts(t *testing.T) {
	t.Helper()
	visits := madeUpVisits(t, 30, 3)
	c.n.register(visits)
	for _, v := range visits {
		c.l.promise(v.result.Entries)
	}
}

func powerCutAfterReceipts(t *testing.T, path string) error {
	c := newPowerCuts(t, foundNetworkOf(t, path, 3, 3), 1)
	c.n.startWithin(2 * time.Minute)
	c.learn()
	c.receipts(t)
	if err := c.cut(c.n.Processes()); err != nil {
		return err
	}
	return c.look(c.n.Processes())
}
