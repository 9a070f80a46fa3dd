package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// damagedRaftCases is how many flips and cuts of Raft's own files a plain run
// draws; PROVE=1 is for as many as of the ledger's.
const damagedRaftCases = 10

// raftFiles are a voter's own.
var raftFiles = []string{"raft/log.db", "raft/log.db", "raft/log.db", "raft/stable.db", "raft/stable.twin", "cosigned",
	"snapshot/meta.json", "snapshot/meta.sum", "snapshot/state.bin"}

// TestDamagedRaftFilesAreNeverUsedAndAlwaysMended hits Raft's own files on one of
// five voters at a time, while it is down and while it runs. Nothing that they
// then say is signed or replicated, and the voter is whole again by itself, if
// need be after the restart that a service manager gives it.
func TestDamagedRaftFilesAreNeverUsedAndAlwaysMended(t *testing.T) {
	seed, cases := uint64(time.Now().UnixNano()), damagedRaftCases
	if os.Getenv("PROVE") != "" {
		cases = allDamagedCases
	}
	t.Logf("seed %d, %d cases", seed, cases)
	d := newDamaging(t, seed)
	d.learn("h1")
	d.mayFail()
	hit, recovered := map[string]int{}, 0
	for i := range cases {
		d.again(t)
		id := d.voters()[d.rng.IntN(5)]
		name, what := d.hitRaft(id)
		if d.node(id).recovering.Load() != nil {
			recovered++
		}
		d.until(what+" to be mended", func() bool {
			n, other := d.node(id), d.node(d.without(id)[0])
			return n.recovering.Load() == nil && n.Status().Ready && n.Status().Root == other.Status().Root
		})
		for _, other := range d.without(id) {
			d.sameLog(id, other, what)
		}
		d.question(id)
		d.mu.Lock()
		if len(d.faults) > 0 {
			t.Fatalf("case %d, %s: %q", i, what, d.faults)
		}
		d.mu.Unlock()
		hit[name]++
	}
	d.again(t)
	d.converged(d.node("h1").View().Tree.Size())
	d.verify(d.chains)
	t.Logf("proof: %d flips and cuts of Raft's files on one of five voters: none signed or replicated, all mended, %d by the other voters: %v", cases, recovered, hit)
}

// hitRaft harms one of Raft's files, goes on with the load, and leaves the voter
// started again.
func (d *damaging) hitRaft(id string) (name, what string) {
	d.t.Helper()
	down := d.rng.IntN(2) == 0
	if down {
		d.close(ended(), id)
	}
	for done := false; !done; {
		name = raftFiles[d.rng.IntN(len(raftFiles))]
		what, done = d.harmUsed(id, name)
	}
	if !down {
		h := d.chains[d.rng.IntN(len(d.chains))]
		if err := h.run(1+d.rng.IntN(3), 1+d.rng.IntN(4), d.without(id)...); err != nil {
			d.t.Fatalf("%s: %v", what, err)
		}
		n := d.node(id)
		d.close(ended(), id)
		if n.held.is() {
			d.elsewhere(id)
		}
	}
	d.open(id)
	h := d.chains[d.rng.IntN(len(d.chains))]
	if err := h.run(1, 1+d.rng.IntN(4), d.without(id)...); err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
	d.learn(d.without(id)[0])
	return name, fmt.Sprintf("%s, down: %v", what, down)
}

// harmUsed flips a bit of a file, or cuts it, where something lies: log.db grows
// far ahead of its content. It returns false if there is nothing to harm: a
// snapshot may be gone, or under way, while the node runs.
func (d *damaging) harmUsed(id, name string) (string, bool) {
	d.t.Helper()
	if dir, file := filepath.Split(name); dir == "snapshot/" {
		found, err := filepath.Glob(filepath.Join(d.dirs[id], "raft", "snapshots", "*", file))
		if err != nil {
			d.t.Fatal(err)
		}
		found = slices.DeleteFunc(found, func(path string) bool { return strings.Contains(path, ".tmp") })
		if len(found) == 0 {
			return "", false
		}
		if name, err = filepath.Rel(d.dirs[id], found[d.rng.IntN(len(found))]); err != nil {
			d.t.Fatal(err)
		}
	}
	what, err := d.harmFile(filepath.Join(d.dirs[id], name), name == "raft/log.db")
	if errors.Is(err, fs.ErrNotExist) {
		return "", false
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return name + " of " + id + what, what != ""
}

func (d *damaging) harmFile(path string, pages bool) (what string, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(f)
	used := len(bytes.TrimRight(raw, "\x00"))
	if err != nil || used == 0 {
		return "", err
	}
	at := d.rng.IntN(used)
	if d.rng.IntN(3) == 0 {
		return fmt.Sprintf(" cut to %d of %d bytes", at, len(raw)), f.Truncate(int64(at))
	}
	if pages && d.rng.IntN(2) == 0 {
		at = at/4096*4096 + d.rng.IntN(160) // where a page says what it is
	}
	bit := d.rng.IntN(8)
	_, err = f.WriteAt([]byte{raw[at] ^ 1<<bit}, int64(at))
	return fmt.Sprintf(", byte %d bit %d", at, bit), err
}

// sameLog notes a fault if two voters' logs differ in what both have applied.
func (d *damaging) sameLog(id, other, what string) {
	d.t.Helper()
	a, b := d.node(id), d.node(other)
	end := min(a.raft.AppliedIndex(), b.raft.AppliedIndex())
	for index := uint64(1); index <= end; index++ {
		var mine, theirs raft.Log
		if a.logs.GetLog(index, &mine) != nil || b.logs.GetLog(index, &theirs) != nil {
			continue // behind a snapshot
		}
		if mine.Data == nil || theirs.Data == nil {
			continue // an anchor
		}
		if mine.Term != theirs.Term || !bytes.Equal(mine.Data, theirs.Data) {
			d.fault("%s: record %d of %s is not that of %s", what, index, id, other)
		}
	}
}
