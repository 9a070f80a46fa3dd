package consensus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/tlog"
)

// damagedCases is how many flips and cuts a plain run draws; PROVE=1 is for all.
const damagedCases, allDamagedCases = 24, 300

// ledgerFiles are equal on all nodes; facts are a node's own, read when it
// starts, and lie twice on its disk or come again from the peers.
var (
	ledgerFiles = []string{"leaves", "hashes.0", "hashes.8", "hashes.16", "hashes.24",
		"envelopes", "envelopes.idx", "bodies", "bodies.idx", "salts", "FORMAT", "FORMAT.copy"}
	facts = []string{"ledger/synced", "ledger/synced.copy", "state", "state.copy", "checkpoint"}
)

// damaging is a cluster of five voters of which one at a time has a bad disk,
// with a node beside that none of it hits.
type damaging struct {
	*cluster
	rng    *rand.Rand
	chains []*chain
	truth  []Pulled // the log, as the others have it

	mu     sync.Mutex // guards what follows: nodes answer when they like
	faults []string
}

func newDamaging(t testing.TB, seed uint64) *damaging {
	d := &damaging{cluster: newCluster(t, 5), rng: rand.New(rand.NewPCG(seed, 5))}
	d.limits = logLimits{snapshotBytes: 100_000, trailing: 4, scrubPause: 10 * time.Millisecond}
	d.open(d.voters()...)
	d.chains = d.load(2, 40, d.voters()...)
	d.converged(1 + 5*2*40)
	for _, id := range d.voters() {
		d.net.lie(id, &liar{cosign: func(p Proposal, sigs []tlog.NoteSignature, err error) ([]tlog.NoteSignature, error) {
			if err == nil {
				d.sawCosigned(id, p.Checkpoint)
			}
			return sigs, err
		}})
	}
	return d
}

// fault notes what must not happen.
func (d *damaging) fault(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

// sawCosigned compares what a node cosigned with what another has at that size.
func (d *damaging) sawCosigned(id string, c tlog.Checkpoint) {
	d.cluster.mu.Lock()
	var other *Node
	for _, o := range d.without(id) {
		if n := d.nodes[o]; n != nil {
			other = n
		}
	}
	d.cluster.mu.Unlock()
	if root, err := other.machine.RootAt(c.Size); err == nil && root != c.Root {
		d.fault("%s cosigned another root at %d", id, c.Size)
	}
}

// again gives the next case its own deadline.
func (d *damaging) again(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	t.Cleanup(cancel)
	d.ctx = ctx
}

// learn takes the log from a node that nothing has hit.
func (d *damaging) learn(id string) {
	d.t.Helper()
	for n := uint64(len(d.truth)); n < d.node(id).View().Envelopes; n++ {
		p, err := d.node(id).Envelope(n)
		if err != nil {
			d.t.Fatal(err)
		}
		d.truth = append(d.truth, p)
	}
}

// question asks a node for all envelopes, and for some receipts. It may refuse,
// and it may not be wrong.
func (d *damaging) question(id string) {
	n := d.node(id)
	for from := uint64(0); from < uint64(len(d.truth)); {
		list, err := n.HandleEnvelopes(from)
		if err != nil || len(list) == 0 {
			from++
			continue
		}
		for i, p := range list[:min(len(list), len(d.truth)-int(from))] {
			if want := d.truth[int(from)+i]; p.LogTime != want.LogTime || !bytes.Equal(p.Envelope, want.Envelope) {
				d.fault("%s served another envelope %d", id, int(from)+i)
			}
		}
		from += uint64(len(list))
	}
	for range 50 {
		index := d.rng.Uint64N(n.View().Tree.Size())
		leaf, proof, err := n.Receipt(index)
		if err != nil {
			if !errors.Is(err, ErrNotYet) {
				d.fault("%s: receipt %d: %v", id, index, err)
			}
			continue
		}
		if err := tlog.VerifyInclusion(tlog.LeafHash(leaf), index, proof.Checkpoint.Size, proof.Hashes, proof.Checkpoint.Root); err != nil {
			d.fault("%s gave a receipt that does not verify: %v", id, err)
		}
	}
}

// harm flips a bit of a file, or cuts it, and says what it did; false if there
// is nothing in it.
func (d *damaging) harm(id, name string) (string, bool) {
	d.t.Helper()
	path := filepath.Join(d.dirs[id], name)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		d.t.Fatal(err)
	}
	if info.Size() == 0 {
		return "", false
	}
	at := d.rng.Int64N(info.Size())
	if d.rng.IntN(3) == 0 {
		if err := f.Truncate(at); err != nil {
			d.t.Fatal(err)
		}
		return fmt.Sprintf("%s of %s cut to %d of %d bytes", name, id, at, info.Size()), true
	}
	var b [1]byte
	bit := d.rng.IntN(8)
	if _, err := f.ReadAt(b[:], at); err != nil {
		d.t.Fatal(err)
	}
	b[0] ^= 1 << bit
	if _, err := f.WriteAt(b[:], at); err != nil {
		d.t.Fatal(err)
	}
	return fmt.Sprintf("%s of %s, byte %d bit %d", name, id, at, bit), true
}

// same reports which file of a node is not, byte for byte, that of another.
func (d *damaging) same(id, other string) error {
	for _, name := range ledgerFiles {
		got, err := os.ReadFile(filepath.Join(d.dirs[id], "ledger", name))
		want, err2 := os.ReadFile(filepath.Join(d.dirs[other], "ledger", name))
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s of %s is not that of %s", name, id, other)
		}
	}
	for _, name := range facts {
		if _, err := ledger.ReadFileDurable(filepath.Join(d.dirs[id], name)); err != nil {
			return fmt.Errorf("%s of %s: %w", name, id, err)
		}
	}
	return nil
}

// hit draws a file of a node, under it while it runs or while it is down, and
// goes on with the load.
func (d *damaging) hit(id string) (what string) {
	other := d.without(id)[0]
	name := ""
	for found := false; !found; {
		name = "ledger/" + ledgerFiles[d.rng.IntN(len(ledgerFiles))]
		down := d.rng.IntN(2) == 0 || strings.Contains(name, "FORMAT")
		if down && d.rng.IntN(2) == 0 {
			name = facts[d.rng.IntN(len(facts))]
		}
		if down {
			d.close(ended(), id)
			what, found = d.harm(id, name)
			d.open(id)
			what += ", while it was down"
		} else {
			what, found = d.harm(id, name)
		}
	}
	d.question(id)
	h := d.chains[d.rng.IntN(len(d.chains))]
	if err := h.run(1, 1+d.rng.IntN(4), d.without(id)...); err != nil {
		d.t.Fatalf("%s: %v", what, err)
	}
	d.question(id)
	d.learn(other)
	return what
}

func TestDamagedFilesAreNeverServedAndAlwaysRepaired(t *testing.T) {
	seed, cases := uint64(time.Now().UnixNano()), damagedCases
	if os.Getenv("PROVE") != "" {
		cases = allDamagedCases
	}
	t.Logf("seed %d, %d cases", seed, cases)
	d := newDamaging(t, seed)
	d.learn("h1")
	hit := map[string]int{}
	for i := range cases {
		d.again(t)
		id := d.voters()[d.rng.IntN(5)]
		what := d.hit(id)
		d.repaired(id, what)
		d.mu.Lock()
		faults := slices.Clone(d.faults)
		d.mu.Unlock()
		if len(faults) > 0 {
			t.Fatalf("case %d, %s: %q", i, what, faults)
		}
		name, _, _ := bytes.Cut([]byte(what), []byte(" "))
		hit[string(name)]++
	}
	d.again(t)
	d.converged(d.node("h1").View().Tree.Size())
	d.verify(d.chains)
	t.Logf("proof: %d flips and cuts on one of five nodes: none served, signed or replicated, all repaired: %v", cases, hit)
}

// repaired waits until a node is a copy again, to the last byte.
func (d *damaging) repaired(id, what string) {
	d.t.Helper()
	other := d.without(id)[0]
	var err error
	defer func() {
		if err != nil {
			d.t.Logf("%s: %v", what, err)
		}
	}()
	d.until(what+" to be repaired", func() bool {
		if d.node(id).Status().Size != d.node(other).Status().Size || !d.node(id).Status().Ready {
			return false
		}
		err = d.same(id, other)
		return err == nil
	})
}

// flip changes a bit of a ledger file under a node.
func (c *cluster) flip(id, name string, off int64) {
	c.t.Helper()
	f, err := os.OpenFile(filepath.Join(c.dirs[id], "ledger", name), os.O_RDWR, 0)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		c.t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b[:], off); err != nil {
		c.t.Fatal(err)
	}
}

// undamaged looks at every byte of a node's ledger.
func (c *cluster) undamaged(id string) bool {
	m := c.node(id).machine
	if _, _, err := m.Examine(0, 1<<40); err != nil {
		c.t.Fatal(err)
	}
	if err := m.ExamineTree(); err != nil {
		c.t.Fatal(err)
	}
	return m.Damage() == nil
}

func TestTamperedDiskIsNoticed(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		off  int64
	}{
		"a leaf": {"leaves", 3*92 + 50},
		"a hash": {"hashes.0", 2 * 32},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.open(c.ids...)
			chains := c.load(1, 1, c.leader())
			c.converged(4)
			id := c.follower()
			c.flip(id, tc.file, tc.off)
			if _, _, err := c.node(id).Receipt(3); !errors.Is(err, ErrNotYet) {
				t.Errorf("receipt: %v, want %v", err, ErrNotYet)
			}
			c.until("the repair", func() bool { return c.undamaged(id) })
			c.verify(chains)
		})
	}
	for name, id := range map[string]string{"a voter, at the next start": "h1", "a mirror, at the next start": "reader"} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.limits = logLimits{snapshotBytes: 1, trailing: 4}
			c.open(c.ids...)
			chains := c.load(2, 1, c.leader())
			c.converged(7)
			c.close(t.Context(), id)
			c.flip(id, "hashes.0", 2*32)
			c.open(id)
			c.converged(7)
			c.until("the repair", func() bool { return c.undamaged(id) })
			c.verify(chains)
		})
	}
}

// A disk of which nothing is left but what a restart needs to know is filled
// again from the peers, while the node applies what is new.
func TestANodeThatLostItsLedgerGetsItBack(t *testing.T) {
	d := newDamaging(t, 1)
	const id, other = "h2", "h1"
	d.close(ended(), id)
	if err := os.RemoveAll(filepath.Join(d.dirs[id], "ledger")); err != nil {
		t.Fatal(err)
	}
	d.open(id)
	if err := d.chains[2].run(2, 3, d.without(id)...); err != nil {
		t.Fatal(err)
	}
	d.repaired(id, "a ledger that was lost")
	d.converged(1 + 5*2*40 + 2*3)
	d.verify(d.chains)
}

// TestAVoterWithoutASnapshotGetsOverADamagedLedger: Raft's log has all of it.
func TestAVoterWithoutASnapshotGetsOverADamagedLedger(t *testing.T) {
	for name, harm := range map[string]func(c *cluster, id string) error{
		"an index record": func(c *cluster, id string) error { c.flip(id, "envelopes.idx", 5); return nil },
		"a body's length": func(c *cluster, id string) error { c.flip(id, "bodies.idx", 3); return nil },
		"no index": func(c *cluster, id string) error {
			return os.Remove(filepath.Join(c.dirs[id], "ledger", "envelopes.idx"))
		},
		"no ledger": func(c *cluster, id string) error { return os.RemoveAll(filepath.Join(c.dirs[id], "ledger")) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.open(c.voters()...)
			chains := c.load(2, 2, c.leader())
			at := c.converged(1 + 3*2*2)
			id := c.follower()
			c.close(ended(), id)
			if err := harm(c, id); err != nil {
				t.Fatal(err)
			}
			c.open(id)
			c.converged(at.Size)
			c.until("every byte to be whole", func() bool { return c.undamaged(id) })
			c.verify(chains)
		})
	}
}
