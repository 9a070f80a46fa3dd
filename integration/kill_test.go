package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/daemon/admin"
)

// TestProcessesAreKilledUnderLoad kills nodes as power cuts would while three
// hospitals submit without a pause, and then looks for every entry that was
// promised.
func TestProcessesAreKilledUnderLoad(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 3, 3)
	policy := n.policy()
	l := newLoad(n)
	stop := l.start()
	n.killAll(t, l)
	stop()
	if t.Failed() {
		return
	}
	status := n.converge()
	t.Logf("%d entries were promised, of %d in the log; %d receipts kept", len(l.promised), status.Size, len(l.receipts))

	t.Run("every node has the same log under a valid checkpoint", n.sameLog)
	t.Run("every promised entry is in the log exactly once", func(t *testing.T) { n.promisesAreKept(t, l) })
	leaves := n.leaves(n.Reader)
	must(t, n.Stop())
	t.Run("every receipt taken meanwhile verifies offline", func(t *testing.T) { n.receiptsVerify(t, policy, l, leaves) })
	t.Run("every node's copy verifies offline", func(t *testing.T) {
		n := n.with(t)
		for _, p := range n.Processes() {
			if _, errs, code := n.run("log", "verify", "--policy", policy, p.Dir); code != 0 {
				t.Errorf("%s: exit %d: %s", p.Node, code, errs)
			}
		}
	})
}

// killAll kills nodes in five ways, with PROVE=1 three times over. Each time the
// load has gone on since the last, and goes on after it.
func (n *network) killAll(t *testing.T, l *load) {
	type kill struct {
		what     string
		who      func() []*demo.Process
		survives bool // a majority is left to go on
	}
	kills := []kill{
		{"the leader", func() []*demo.Process { return []*demo.Process{n.leader()} }, true},
		{"a follower", func() []*demo.Process { return []*demo.Process{n.follower()} }, true},
		{"every node", n.Processes, false},
		{"both followers", n.followers, false},
		{"the coordinator and a follower", func() []*demo.Process { return []*demo.Process{n.follower(), n.Reader} }, true},
	}
	if os.Getenv("PROVE") == "1" {
		kills = slices.Repeat(kills, 3)
	}
	for i, cut := range kills {
		l.wait(12)
		began, who := time.Now(), cut.who()
		var ends sync.WaitGroup
		for _, p := range who {
			ends.Go(func() {
				if err := p.Kill(); err != nil {
					t.Error(err)
				}
			})
		}
		ends.Wait()
		if cut.survives {
			l.wait(3)
		}
		for _, p := range who {
			must(t, p.Start())
		}
		for _, p := range who {
			must(t, p.WaitReady(n.ctx))
		}
		t.Logf("kill %d, %s: all back after %v", i+1, cut.what, time.Since(began).Round(time.Millisecond))
	}
	l.wait(12)
}

func (n *network) leader() *demo.Process {
	n.t.Helper()
	p, err := n.Network.Leader(n.ctx)
	must(n.t, err)
	return p
}

func (n *network) followers() []*demo.Process {
	n.t.Helper()
	leader := n.leader()
	return slices.DeleteFunc(slices.Clone(n.Hospitals), func(p *demo.Process) bool { return p == leader })
}

func (n *network) follower() *demo.Process { return n.followers()[0] }

// load submits made-up cases at every hospital until it is stopped.
type load struct {
	n      *network
	queues [][]*visit

	mu       sync.Mutex
	promised map[string]uint64 // index by entry id; unknownIndex where the daemon died before it told
	receipts []receipt
	taken    chan struct{} // gets a value for each batch sent and receipted since
}

// unknownIndex stands for the index of an entry that the daemon took before it
// was killed, and called known when it was given the file again.
const unknownIndex = ^uint64(0)

// receipt is a proof that a hospital kept, with the entry's index.
type receipt struct {
	index uint64
	proof string
}

// loadPatients is more than a machine takes in during the kills.
const loadPatients = 3000

// loadBatch is how many files are handed in together: few, so that many
// envelopes are under way.
const loadBatch = 3

func newLoad(n *network) *load { return newLoadOf(n, loadPatients) }

// newLoadOf is newLoad with so many cases.
func newLoadOf(n *network, patients int) *load {
	l := &load{n: n, queues: make([][]*visit, len(n.Hospitals)), promised: map[string]uint64{}, taken: make(chan struct{}, 1<<16)}
	visits := madeUpVisits(n.t, patients, len(n.Hospitals))
	for i := range visits {
		l.queues[visits[i].hospital] = append(l.queues[visits[i].hospital], &visits[i])
	}
	return l
}

// start begins the load; stop ends it after the batches under way.
func (l *load) start() (stop func()) {
	ended := make(chan struct{})
	var workers sync.WaitGroup
	for h, queue := range l.queues {
		workers.Go(func() {
			for batch := range slices.Chunk(queue, loadBatch) {
				select {
				case <-ended:
					return
				default:
				}
				if err := l.send(l.n.Hospitals[h], batch); err != nil {
					l.n.t.Error(err)
					return
				}
			}
			l.n.t.Error("the load ran out of cases")
		})
	}
	return func() { close(ended); workers.Wait() }
}

// send hands in a batch and keeps what it was promised, and the receipt of one
// entry.
func (l *load) send(p *demo.Process, batch []*visit) error {
	if err := l.n.submit(p, batch); err != nil {
		return err
	}
	var kept *receipt
	for _, v := range batch {
		if v.result.Outcome == "refused" {
			return fmt.Errorf("%s was refused: %v", v.file.Name, v.result.Findings)
		}
		l.promise(v.result.Entries)
		for _, e := range v.result.Entries {
			if e.Receipt {
				kept = &receipt{index: e.Index}
			}
		}
	}
	if kept != nil {
		if err := l.prove(p, kept); err != nil {
			return err
		}
	}
	l.taken <- struct{}{}
	return nil
}

func (l *load) promise(entries []admin.EntryRef) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		index := unknownIndex
		if e.Receipt {
			index = e.Index
		}
		l.promised[e.ID] = index
	}
}

// prove fetches a receipt's proof, once more from a daemon that was killed
// meanwhile.
func (l *load) prove(p *demo.Process, kept *receipt) error {
	err := poll(l.n.ctx, func() error {
		proof, err := p.Client.Prove(l.n.ctx, kept.index)
		kept.proof = proof.Proof
		return err
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.receipts = append(l.receipts, *kept)
	return err
}

// wait waits until the given number of batches, sent from now on or under way
// now, have their receipts.
func (l *load) wait(batches int) {
	l.n.t.Helper()
	for len(l.taken) > 0 {
		<-l.taken
	}
	for range batches {
		select {
		case <-l.taken:
		case <-l.n.ctx.Done():
			l.n.t.Fatalf("the load stands still: %v", l.n.ctx.Err())
		}
	}
}

// promisesAreKept looks for the promised entries in the coordinator's log and,
// for each hospital, in its own. That all nodes have the same leaves was seen
// before. The checker itself must see an entry that is planted twice, one that
// is missing and one that has moved.
func (n *network) promisesAreKept(t *testing.T, l *load) {
	n = n.with(t)
	all := n.entries(n.Reader)
	for _, fault := range broken(l.promised, all) {
		t.Error(fault)
	}
	var own []admin.Entry
	for _, p := range n.Hospitals {
		own = append(own, n.entries(p)...)
	}
	for _, fault := range broken(l.promised, own) {
		t.Errorf("at its hospital: %s", fault)
	}
	i := slices.IndexFunc(all, func(e admin.Entry) bool { index, ok := l.promised[e.ID]; return ok && index == e.Index })
	if i < 0 {
		t.Fatal("no entry with a known index: the controls are void")
	}
	moved := slices.Clone(all)
	moved[i].Index++
	for name, planted := range map[string][]admin.Entry{
		"is missing":   slices.Delete(slices.Clone(all), i, i+1),
		"is there 2":   append(slices.Clone(all), all[i]),
		"its receipt ": moved,
	} {
		faults := broken(l.promised, planted)
		if len(faults) != 1 || !strings.Contains(faults[0], name) {
			t.Errorf("the check is void: an entry that %q gave %v", name, faults)
		}
	}
}

// broken compares promises with what a log holds.
func broken(promised map[string]uint64, log []admin.Entry) (faults []string) {
	at := map[string][]uint64{}
	for _, e := range log {
		at[e.ID] = append(at[e.ID], e.Index)
	}
	for _, id := range slices.Sorted(maps.Keys(promised)) {
		switch index, found := promised[id], at[id]; {
		case len(found) == 0:
			faults = append(faults, fmt.Sprintf("entry %.16s is missing", id))
		case len(found) > 1:
			faults = append(faults, fmt.Sprintf("entry %.16s is there %d times, at %v", id, len(found), found))
		case index != unknownIndex && found[0] != index:
			faults = append(faults, fmt.Sprintf("entry %.16s is at %d, its receipt says %d", id, found[0], index))
		}
	}
	for id, found := range at {
		if _, ok := promised[id]; !ok && len(found) > 1 {
			faults = append(faults, fmt.Sprintf("entry %.16s, not promised, is there %d times", id, len(found)))
		}
	}
	return faults
}

// receiptsVerify gives every receipt to the program, which has the policy file
// and nothing else, and compares what it proves with the log at the end.
func (n *network) receiptsVerify(t *testing.T, policy string, l *load, leaves []admin.Leaf) {
	n = n.with(t)
	if len(l.receipts) < 30 {
		t.Errorf("only %d receipts to verify", len(l.receipts))
	}
	path := filepath.Join(n.Dir, "receipt.txt")
	for _, r := range l.receipts {
		must(t, os.WriteFile(path, []byte(r.proof), 0o600))
		out, errs, code := n.run("log", "verify", "-o", "json", "--policy", policy, "--proof", path)
		if code != 0 {
			t.Fatalf("receipt of entry %d: exit %d: %s", r.index, code, errs)
		}
		var proven audit.Proven
		must(t, json.Unmarshal(out, &proven))
		leaf := leaves[r.index]
		if proven.Index != r.index || proven.Commitment != leaf.Commitment || proven.Envelope != leaf.Envelope || proven.Place != leaf.Place {
			t.Errorf("receipt of entry %d proves %+v, the log has %+v", r.index, proven, leaf)
		}
	}
	changed := []byte(l.receipts[0].proof)
	changed[strings.Index(l.receipts[0].proof, "\n—")-4] ^= 1 // in the root that the voters cosigned
	must(t, os.WriteFile(path, changed, 0o600))
	if _, errs, code := n.run("log", "verify", "--policy", policy, "--proof", path); code != 5 {
		t.Errorf("a changed receipt: exit %d: %s; want 5", code, errs)
	}
}
