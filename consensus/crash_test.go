//go:build faults

package consensus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
)

// TestANetworkKilledAtAStepLosesNothing kills a process with a whole network in
// it at the step in RARESYNC_STEP, so that all of its nodes end there at once,
// and looks at what the directories hold: the first time that the step is
// passed, and later ones if there are any. Without a step the network ends in
// order, and is looked at all the same.
func TestANetworkKilledAtAStepLosesNothing(t *testing.T) {
	step := os.Getenv("RARESYNC_STEP")
	for _, nth := range []int{1, 4, 20, 100} {
		dir := t.TempDir()
		killed := runProcedures(t, dir, fmt.Sprintf("%s#%d", step, nth))
		lookAtWhatIsLeft(t, dir)
		if step == "" {
			return
		}
		if !killed && nth == 1 {
			t.Fatalf("never came to step %q", step)
		}
		if !killed {
			return
		}
		t.Logf("killed at %s#%d", step, nth)
	}
}

// runProcedures runs them in a child and reports whether it was killed at the
// step; otherwise it must have ended well.
func runProcedures(t *testing.T, dir, step string) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestProceduresOfANetwork$", "-test.v")
	cmd.Env = append(os.Environ(), "RARESYNC_CRASH_DIR="+dir, "RARESYNC_CRASH_AT="+step)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the procedures failed before step %q: %v\n%s", step, err, out[max(0, len(out)-2000):])
	}
	return true
}

// TestProceduresOfANetwork goes through every procedure in which a network
// writes to more than one file: it founds itself, replays its log, takes
// snapshots, replaces a suffix, installs a snapshot, fills a gap, rewrites its
// logs, learns a lost one from the others and restarts.
func TestProceduresOfANetwork(t *testing.T) {
	dir := os.Getenv("RARESYNC_CRASH_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	founded := found(t, 3)
	saveNetwork(t, dir, founded)
	c := clusterOf(t, founded, func(id string) string { return filepath.Join(dir, id) })
	c.limits = logLimits{snapshotBytes: 80_000, trailing: 4, scrubPause: 10 * time.Millisecond, savedFill: 1}
	c.acked = record(t, filepath.Join(dir, "acked"))
	for _, id := range c.ids {
		must(t, os.Mkdir(c.dirs[id], 0o700))
	}
	c.open(c.ids...)
	chains := c.load(1, 2, c.ids...)
	size := uint64(1 + 3*2)
	c.converged(size)
	more := func(envelopes int, ids ...string) {
		c.continueLoad(chains, envelopes, 2, ids...)
		size += uint64(3 * 2 * envelopes)
	}

	replays := c.follower() // has no snapshot: back to the genesis, and its log again
	c.close(ended(), replays)
	c.open(replays)
	c.converged(size)

	old, _ := c.uncommittedTail(60)
	more(1, c.without(old)...)
	c.net.setCut(false, old, c.others(old)...)
	c.converged(size)

	old, before := c.uncommittedTail(1)
	more(8, c.without(old)...)
	c.logsLeaveBehind(old, before)
	c.meter(nil).most = 3 // answers, so that the gap is filled in steps
	c.net.setCut(false, old, c.others(old)...)
	c.converged(size)

	hurt := c.follower()
	for _, name := range []string{"bodies", "leaves", "hashes.0"} {
		c.flip(hurt, name, 100)
	}
	repaired := func() bool { return c.undamaged(hurt) }
	c.until("a disk that is repaired", repaired)

	for _, n := range c.running() {
		if n.snapshots != nil {
			newest, _ := n.snapshots.Newest()
			must(t, n.logs.Rewrite(newest.Index))
		}
	}
	forgets := c.follower() // has lost its log and learns it from the others
	c.close(ended(), forgets)
	c.spoil(forgets, "raft/log.db", cutToNothing)
	c.open(forgets)
	c.until("the end of its recovery", func() bool { return c.node(forgets).recovering.Load() == nil })
	c.close(t.Context(), c.ids...)
	c.open(c.ids...)
	more(1, c.ids...)
	c.converged(size)
	c.verify(chains)

	gone := chains[0].sent[0].out // and from here on nothing else happens
	through := chains[0].withdraw(act.Span{First: gone.First, Count: uint64(gone.Count)})
	c.erasedOn(through, c.ids...)
}

// lookAtWhatIsLeft starts the network again and checks that whatever a hospital
// was answered still holds, that nothing is in the log twice, that it goes on,
// and that each node's files are a whole copy.
func lookAtWhatIsLeft(t *testing.T, dir string) {
	c := clusterOf(t, loadNetwork(t, dir), func(id string) string { return filepath.Join(dir, id) })
	c.limits = logLimits{snapshotBytes: 80_000, trailing: 4, scrubPause: 10 * time.Millisecond}
	for _, id := range c.ids {
		must(t, os.MkdirAll(c.dirs[id], 0o700))
	}
	c.open(c.ids...)
	var leader string
	c.until("a leader with all that was under way", func() bool { // it is in the log now or never
		leader = c.leader()
		return c.node(leader).raft.Barrier(deadline).Error() == nil
	})
	before := acknowledged(t, filepath.Join(dir, "acked"))
	gone := c.erasureGoesOn(leader, before)
	for _, s := range before {
		again, err := c.send(func() string { return leader }, s.raw)
		want := s.out
		want.Duplicate, again.Duplicate = true, true
		if err != nil || again != want {
			t.Errorf("envelope %d was acknowledged and is answered %+v, %v, want %+v", s.out.Number, again, err, want)
		}
	}
	var chains []*chain
	for i := range c.founded.Hospitals {
		h := c.chain(i)
		m, _ := c.node(leader).View().Member(h.m.Number)
		h.sequence, h.previous = m.Chain.Sequence, m.Chain.ID
		chains = append(chains, h)
	}
	c.continueLoad(chains, 2, 1, c.ids...)
	c.converged(uint64(1 + 3*2))
	c.verify(append(chains, &chain{c: c, sent: before}))
	c.nowhere(gone)
	var root tlog.Hash
	for _, id := range c.ids {
		d, err := derive(c.dirs[id], c.founded.Genesis)
		if err != nil {
			t.Errorf("copy of %s: %v", id, err)
			continue
		}
		if got := d.roots[uint64(len(d.leaves))]; id == c.ids[0] {
			root = got
		} else if got != root {
			t.Errorf("%s has another root than %s", id, c.ids[0])
		}
	}
}

// erasureGoesOn waits, on a network on which nothing else happens, until what was
// withdrawn when it was killed is erased on every node, and returns what is to be
// found nowhere.
func (c *cluster) erasureGoesOn(leader string, before []sent) (needles []needle) {
	view := c.node(leader).View()
	last, found := view.LastWithdrawal()
	if !found {
		return nil
	}
	c.erasedOn(last.Envelope, c.ids...)
	for _, id := range c.ids {
		c.until("the end of what "+id+" owed", func() bool { return !anyOf(filepath.Join(c.dirs[id], owedFile)) })
	}
	for _, s := range before {
		for place := range int(s.out.Count) {
			if e, err := envelope.Decode(s.raw); err == nil && e.Kind == envelope.KindEntries && view.Withdrawn(e.Hospital, s.out.First+uint64(place)) {
				needles = append(needles, needlesOf(c.t, s.raw, place)...)
			}
		}
	}
	return needles
}

// ack is what a hospital was answered, as the process that was killed wrote it.
type ack struct {
	Raw []byte
	Out Outcome
}

// record returns what writes an answer down before the hospital goes on.
func record(t testing.TB, path string) func(sent) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	var mu sync.Mutex
	return func(s sent) {
		line, err := json.Marshal(ack{s.raw, s.out})
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if _, err := f.Write(append(line, '\n')); err != nil {
			t.Error(err)
		}
	}
}

func acknowledged(t *testing.T, path string) (list []sent) {
	raw, err := os.ReadFile(path)
	must(t, err)
	for line := range bytes.Lines(raw) {
		var a ack
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // cut short: nobody heard it
		}
		must(t, json.Unmarshal(line, &a))
		list = append(list, sent{a.Raw, a.Out})
	}
	return list
}

// kept is a founded network as its file has it.
type kept struct {
	Genesis []byte
	Members []keptMember // hospitals, then the reader
}

type keptMember struct {
	Number                uint32
	Node                  string
	Envelope, Log, Cosign [2][32]byte
}

func saveNetwork(t testing.TB, dir string, n *foundingtest.Network) {
	k := kept{Genesis: n.Genesis.Marshal()}
	for _, m := range append(append([]*foundingtest.Member{}, n.Hospitals...), n.Reader) {
		seeds := func(p *sign.PrivateKey) (s [2][32]byte) { s[0], s[1] = p.Seeds(); return s }
		k.Members = append(k.Members, keptMember{m.Number, m.Node, seeds(m.Envelope), seeds(m.Log), seeds(m.Cosign)})
	}
	raw, err := json.Marshal(k)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "network"), raw, 0o600))
}

func loadNetwork(t testing.TB, dir string) *foundingtest.Network {
	raw, err := os.ReadFile(filepath.Join(dir, "network"))
	must(t, err)
	var k kept
	must(t, json.Unmarshal(raw, &k))
	n := &foundingtest.Network{}
	n.Genesis, err = envelope.Decode(k.Genesis)
	must(t, err)
	for _, m := range k.Members {
		n.Hospitals = append(n.Hospitals, &foundingtest.Member{
			Number: m.Number, Node: m.Node,
			Envelope: sign.NewFromSeeds(sign.PurposeEnvelope, m.Envelope[0], m.Envelope[1]),
			Log:      sign.NewFromSeeds(sign.PurposeLog, m.Log[0], m.Log[1]),
			Cosign:   sign.NewFromSeeds(sign.PurposeCosign, m.Cosign[0], m.Cosign[1]),
		})
	}
	last := len(n.Hospitals) - 1
	n.Hospitals, n.Reader = n.Hospitals[:last], n.Hospitals[last]
	n.ID = n.Genesis.Network
	return n
}
