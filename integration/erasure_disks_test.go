package integration

import (
	"os"
	"syscall"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// mayMount reports whether the test can give nodes disks of their own, or must.
func mayMount() bool { return os.Geteuid() == 0 || os.Getenv("RARESYNC_REQUIRE_ROOT") == "1" }

// nodeDisks are the nodes' disks; none where the test may not mount any.
type nodeDisks map[*demo.Process]*volume

// onDisks gives each node of a founded network a disk of its own: ext4, every
// third one XFS.
func (n *network) onDisks() nodeDisks {
	n.t.Helper()
	if !mayMount() {
		n.t.Log("NO DISK WAS SEARCHED, files only: mounting file systems needs root")
		return nil
	}
	disks := nodeDisks{}
	for i, p := range n.Processes() {
		kind := []fileSystem{ext4, ext4, xfs}[i%3]
		kind.mib = 2048 // sparse
		disks[p] = onVolume(n.t, p, kind)
	}
	return disks
}

// wantOn is the search's control: the disk of a node that does not run holds the
// pieces.
func (d nodeDisks) wantOn(t *testing.T, p *demo.Process, needles pieces) {
	t.Helper()
	if d[p] == nil {
		return
	}
	if at, err := d[p].search(needles); err != nil || len(at) == 0 {
		t.Errorf("the disk of %s: %v; it does not hold what its files do", p.Node, err)
	}
}

// wantNone looks on every disk for what was erased, and for what was not. It
// returns how many bytes of the images hold anything. No node runs.
func (d nodeDisks) wantNone(t *testing.T, needles, stays pieces) (bytes int64) {
	t.Helper()
	for p, v := range d {
		at, err := v.search(needles)
		must(t, err)
		if len(at) > 0 {
			t.Errorf("the disk of %s still holds %d pieces, the first at byte %d of its image", p.Node, len(at), at[0])
		}
		if at, err := v.search(stays); err != nil || len(at) == 0 {
			t.Errorf("the disk of %s: %v; it has lost an entry that nobody has withdrawn", p.Node, err)
		}
		var s syscall.Stat_t
		must(t, syscall.Stat(v.image, &s))
		bytes += s.Blocks * 512
	}
	return bytes
}
