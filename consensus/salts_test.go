package consensus

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
)

// restored puts a mirror in the place of the network's, made from a copy of
// what that one holds now. It does not run yet.
func (c *cluster) restored(saltless bool) {
	c.t.Helper()
	n := c.node("reader")
	note, s := n.Checkpoint().Marshal(), *n.confirmed.Load()
	l := n.machine.Ledger()
	dir := filepath.Join(c.t.TempDir(), "node")
	err := Install(dir, c.founded.Genesis, Copy{
		Snapshot: s, Checkpoint: note, Saltless: saltless,
		Part: func(p ledger.Part) (io.Reader, error) {
			if saltless && p.Name == ledger.SaltsPart {
				return nil, nil
			}
			return l.OpenPart(p)
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.close(ended(), "reader")
	c.dirs["reader"] = dir
}

// sameFiles compares the ledgers of two nodes, byte for byte.
func sameFiles(t *testing.T, a, b *ledger.Ledger) {
	t.Helper()
	if a.Lengths() != b.Lengths() {
		t.Errorf("lengths %+v and %+v", a.Lengths(), b.Lengths())
		return
	}
	for _, p := range a.Lengths().Parts() {
		x, errX := a.OpenPart(p)
		y, errY := b.OpenPart(p)
		if errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
		one, errX := io.ReadAll(x)
		two, errY := io.ReadAll(y)
		if errX != nil || errY != nil || !bytes.Equal(one, two) {
			t.Errorf("%s differs: %v %v", p.Name, errX, errY)
		}
	}
}

func TestARestoredMirrorServesNothingUntilItHasTheSalts(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(4, 3, c.voters()...)
	c.converged(1 + 3*4*3)
	c.restored(true)
	c.net.setCut(true, "reader", c.voters()...)
	c.open("reader")
	n := c.node("reader")
	if s := n.Status(); s.Ready || s.GapFrom != 0 || s.GapTo != 13 || s.Why != "not a copy: the salts of envelopes 0 to 12 are still missing: "+machine.ErrGap.Error() {
		t.Errorf("status %+v", s)
	}
	if _, err := n.HandleEnvelopes(0); !errors.Is(err, machine.ErrGap) {
		t.Errorf("envelopes are served: %v", err)
	}
	if _, err := n.HandleSalts(0); !errors.Is(err, machine.ErrGap) {
		t.Errorf("salts are served: %v", err)
	}
	if _, _, err := n.Receipt(1); !errors.Is(err, ErrNotYet) {
		t.Errorf("a receipt is given: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if _, err := n.HandleCheckpoint(ctx, 0); !errors.Is(err, ErrNotYet) {
		t.Errorf("a checkpoint is served: %v", err)
	}
	if _, err := n.Wait(ctx, func(*state.State) bool { return true }); err == nil {
		t.Error("who waits for a copy is told that it is there")
	}
	for _, id := range c.voters() {
		c.net.lie(id, &liar{envelopes: func(from uint64, p []Pulled) []Pulled {
			if from < 13 {
				t.Errorf("envelope %d is pulled: the backup has all of it but its salts", from)
			}
			return p
		}})
	}
	c.net.setCut(false, "reader", c.voters()...)
	c.continueLoad(chains, 2, 3, c.voters()...)
	c.converged(1 + 3*6*3)
	if err := n.Whole(); err != nil {
		t.Errorf("after all: %v", err)
	}
	sameFiles(t, n.machine.Ledger(), c.node("h1").machine.Ledger())
	c.verify(chains)
}

func TestARestoredMirrorAnswersNobodyUntilItHasMetTheNetwork(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(2, 3, c.voters()...)
	c.converged(1 + 3*2*3)
	c.restored(false)
	gone := chains[0].sent[0]
	through := chains[0].withdraw(act.Span{First: gone.out.First, Count: 3})
	c.erasedOn(through, c.voters()...)
	needles := needlesOf(t, gone.raw, 0, 1, 2)
	if len(search(t, c.dirs["reader"], needles)) == 0 {
		t.Fatal("the backup does not hold the entries: the search finds nothing")
	}
	c.net.setCut(true, "reader", c.voters()...)
	c.open("reader")
	n := c.node("reader")
	for range 2 { // a restart changes nothing
		if err := n.Whole(); !errors.Is(err, machine.ErrGap) {
			t.Errorf("cut off: %v, want ErrGap", err)
		}
		if _, err := n.HandleEnvelopes(0); !errors.Is(err, machine.ErrGap) {
			t.Errorf("envelopes are served: %v", err)
		}
		if s := n.Status(); s.Ready || !strings.HasPrefix(s.Why, "not a copy: this copy came from a backup") {
			t.Errorf("status %+v", s)
		}
		c.close(ended(), "reader")
		c.open("reader")
		n = c.node("reader")
	}
	c.net.setCut(false, "reader", c.voters()...)
	c.converged(1 + 3*2*3 + 1)
	c.erasedOn(through, "reader")
	if err := n.Whole(); err != nil {
		t.Error(err)
	}
	sameFiles(t, n.machine.Ledger(), c.node("h1").machine.Ledger())
	c.nowhere(needles)
}

// TestABackupWithoutSaltsGetsNoneOfWhatIsErased restores one from before a
// withdrawal.
func TestABackupWithoutSaltsGetsNoneOfWhatIsErased(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(2, 3, c.voters()...)
	c.converged(1 + 3*2*3)
	c.restored(true)
	gone := chains[0].sent[1]
	through := chains[0].withdraw(act.Span{First: gone.out.First + 1, Count: 1})
	c.erasedOn(through, c.voters()...)
	c.open("reader")
	c.converged(1 + 3*2*3 + 1)
	c.erasedOn(through, c.ids...)
	sameFiles(t, c.node("reader").machine.Ledger(), c.node("h1").machine.Ledger())
	c.verify(chains)
	c.nowhere(needlesOf(t, gone.raw, 1))
}

// TestAVoterThatHasHeardNoLeaderSendsNothing starts one alone.
func TestAVoterThatHasHeardNoLeaderSendsNothing(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	c.load(1, 2, c.voters()...)
	c.converged(1 + 3*2)
	c.closeAll()
	c.open("h1")
	for what, ask := range map[string]func(n *Node) error{
		"envelopes": func(n *Node) error { _, err := n.HandleEnvelopes(0); return err },
		"salts":     func(n *Node) error { _, err := n.HandleSalts(0); return err },
	} {
		if err := ask(c.node("h1")); !errors.Is(err, ErrNotYet) {
			t.Errorf("%s are sent: %v", what, err)
		}
	}
	c.open("h2")
	c.until("a voter that has heard a leader", func() bool {
		_, err := c.node("h1").HandleEnvelopes(0)
		return err == nil
	})
}

func TestSaltsOfALyingPeerAreNotTaken(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(3, 2, c.voters()...)
	c.converged(1 + 3*3*2)
	c.restored(true)
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[len(b)-1] ^= 1
		return b
	}
	asked := make(chan struct{}, 1000)
	for id, l := range map[string]*liar{
		"h1": { // a salt, and the body to it
			salts: func(_ uint64, s [][]byte) [][]byte {
				asked <- struct{}{}
				return append(s[:len(s)-1:len(s)-1], flip(s[len(s)-1]))
			},
			envelopes: func(_ uint64, p []Pulled) []Pulled {
				p[0].Envelope = flip(p[0].Envelope)
				return p
			},
		},
		"h2": { // too few, and another envelope
			salts: func(_ uint64, s [][]byte) [][]byte {
				asked <- struct{}{}
				return append(s[:len(s)-1:len(s)-1], s[len(s)-1][1:])
			},
			envelopes: func(from uint64, p []Pulled) []Pulled {
				return append(p[len(p):], Pulled{Envelope: chains[0].sent[0].raw})
			},
		},
	} {
		c.net.lie(id, l)
	}
	c.net.setCut(true, "reader", "h3")
	c.open("reader")
	n := c.node("reader")
	for range 4 {
		<-asked
	}
	if n.Whole() == nil {
		t.Error("liars gave all salts")
	}
	c.net.setCut(false, "reader", "h3")
	c.until("the salts, from the one that tells the truth", func() bool { return n.Whole() == nil })
	for _, id := range []string{"h1", "h2"} {
		c.net.lie(id, nil)
	}
	c.converged(1 + 3*3*2)
	sameFiles(t, n.machine.Ledger(), c.node("h3").machine.Ledger())
	c.verify(chains)
}

func TestABodyThatTheBackupHasWrongIsFetchedToo(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(2, 3, c.voters()...)
	c.converged(1 + 3*2*3)
	c.restored(true)
	path := filepath.Join(c.dirs["reader"], "ledger", "bodies")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-100] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	c.open("reader")
	c.converged(1 + 3*2*3)
	sameFiles(t, c.node("reader").machine.Ledger(), c.node("h1").machine.Ledger())
	c.verify(chains)
}

func TestSaltsAreFetchedOnceAcrossRestarts(t *testing.T) {
	s := saltless{path: filepath.Join(t.TempDir(), saltlessFile), end: 9}
	if err := s.advance(5); err != nil {
		t.Fatal(err)
	}
	var again saltless
	if err := again.load(filepath.Dir(s.path)); err != nil {
		t.Fatal(err)
	}
	if from, to, open := again.missing(); from != 5 || to != 9 || !open {
		t.Errorf("after a restart %d to %d are missing (%t)", from, to, open)
	}
	if err := again.advance(12); err != nil {
		t.Fatal(err)
	}
	if _, _, open := again.missing(); open {
		t.Error("all were filled in, and some are missing")
	}
	if err := ledger.WriteFileDurable(s.path, []byte{0x82, 1}); err != nil {
		t.Fatal(err)
	}
	if err := again.load(filepath.Dir(s.path)); !errors.Is(err, ledger.ErrDamaged) {
		t.Errorf("a damaged fact: %v, want ErrDamaged", err)
	}
}
