package ceremony

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
)

func TestTheFoundersMakeAKeyThatNobodyWasDealt(t *testing.T) {
	for _, hospitals := range []int{1, 3, 5} {
		t.Run(fmt.Sprintf("%d holders", hospitals), func(t *testing.T) {
			w := newWorld(t, hospitals)
			w.makeKey()
			if w.view.OPRF.Origin != keyshare.DKG || int(w.view.OPRF.Threshold) != keyshare.Threshold(hospitals) {
				t.Errorf("a key of origin %v that %d of %d use", w.view.OPRF.Origin, w.view.OPRF.Threshold, hospitals)
			}
			for _, n := range w.nodes {
				if n.shares.Current == nil || n.shares.Next != nil || keyshare.CheckShare(w.view.OPRF, *n.shares.Current) != nil {
					t.Errorf("%s holds %+v", n.m.Node, n.shares)
				}
				if n.driver.run != nil {
					t.Errorf("%s keeps the secrets of a run that is over", n.m.Node)
				}
			}
			if err := w.nodes[0].driver.Start(t.Context(), time.Hour); !errors.Is(err, ErrNotNow) {
				t.Errorf("a second key: %v", err)
			}
		})
	}
}

// TestACrashAfterAnyActResumesOrVoids restarts one holder after each act of the
// ceremony in turn, its own or another's.
func TestACrashAfterAnyActResumesOrVoids(t *testing.T) {
	for _, memory := range []bool{true, false} {
		for at := range 11 { // open, 3 join, 3 deal, 3 confirm, activate
			for victim := range 3 {
				t.Run(fmt.Sprintf("memory alone: %v, act %d, h%d", memory, at, victim+1), func(t *testing.T) {
					w := newWorld(t, 3)
					if !memory {
						for _, n := range w.nodes {
							n.runtime = volatile(t)
							n.start()
						}
					}
					w.after = func(*node, act.Type) {
						if len(w.posted) == at+1 {
							w.nodes[victim].start()
						}
					}
					must(t, w.nodes[0].driver.Start(t.Context(), time.Hour))
					_ = w.turns() // a node that gave up says so
					if w.view.OPRF.Epoch == 0 {
						if !memory {
							t.Fatalf("void though the secrets were kept: %v", w.view.Ceremony.Ended)
						}
						if c := w.view.Ceremony; c.Ended != state.GivenUp || c.Blamed != uint32(victim+1) {
							t.Errorf("ended %v by %d", c.Ended, c.Blamed)
						}
						for _, n := range w.nodes {
							if n.shares.Current != nil {
								t.Errorf("%s holds a share of no key", n.m.Node)
							}
						}
						must(t, w.nodes[1].driver.Start(t.Context(), time.Hour))
						_ = w.turns()
					}
					if w.view.OPRF.Epoch != 1 || w.view.Canary.Epoch != 1 {
						t.Fatalf("epoch %d, canary %d, %v", w.view.OPRF.Epoch, w.view.Canary.Epoch, w.view.Ceremony.Ended)
					}
				})
			}
		}
	}
}

func TestADealerThatLiesToOneHolderIsNamedWithEvidence(t *testing.T) {
	w := newWorld(t, 3)
	var lie keyshare.Deal
	w.bend = func(n *node, a *act.Act) {
		if a.Type != act.TypeDeal || n.m.Number != 2 {
			return
		}
		l, err := act.DecodeDeal(a.Payload)
		must(t, err)
		l.Deal.Sealed = slices.Clone(l.Deal.Sealed)
		l.Deal.Sealed[0], l.Deal.Sealed[2] = l.Deal.Sealed[2], l.Deal.Sealed[0]
		lie, a.Payload = l.Deal, l.Marshal()
	}
	must(t, w.nodes[0].driver.Start(t.Context(), time.Hour))
	run := w.view.Run(w.view.Ceremony)
	joins := map[uint32][][keyshare.CeremonyPublicBytes]byte{}
	complainer := uint32(0)
	w.after = func(n *node, typ act.Type) {
		switch typ {
		case act.TypeJoin:
			joins[n.m.Number] = w.view.Ceremony.Joins[n.m.Number-1].Keys
		case act.TypeComplaint:
			complainer = n.m.Number
		}
	}
	_ = w.turns()
	if c := w.view.Ceremony; c.Ended != state.Lied || c.Blamed != 2 || w.view.OPRF.Epoch != 0 {
		t.Fatalf("ended %v by %d, epoch %d", c.Ended, c.Blamed, w.view.OPRF.Epoch)
	}
	// Whoever has the log alone sees it too.
	last := w.posted[len(w.posted)-1]
	p, err := act.DecodeComplaint(last.Payload)
	must(t, err)
	if lied, err := keyshare.Judge(run, lie, uint16(complainer), joins[complainer][lie.Dealer-1], p.Seed); err != nil || !lied {
		t.Errorf("the evidence says: lied %v, %v", lied, err)
	}
	w.bend = nil
	w.makeKey()
}

func TestACeremonyIsVoidAtItsDeadline(t *testing.T) {
	w := newWorld(t, 3)
	w.nodes[2].silent = true
	must(t, w.nodes[0].driver.Start(t.Context(), time.Hour))
	_ = w.turns()
	if w.view.OPRF.Epoch != 0 || w.view.OpenCeremony(uint64(w.clock.UnixMilli())) != nil {
		t.Fatalf("epoch %d at %v", w.view.OPRF.Epoch, w.clock)
	}
	w.nodes[2].silent = false
	w.makeKey()
}

func TestAReshareKeepsTheKeyAndDestroysOldShares(t *testing.T) {
	w := newWorld(t, 5)
	w.makeKey()
	key, canary := w.view.OPRF.KeyID, w.view.Canary.Hash
	before, err := w.Pseudonyms(t.Context(), [][]byte{[]byte("raresync/id/v1\x00RIC\x00\x0011010519491231002X")})
	must(t, err)
	for _, step := range []struct {
		threshold uint16
		holders   []uint32
		by        []int // old holders who contribute; the others are silent
	}{
		{2, []uint32{1, 2, 4}, []int{2, 4, 5}},
		{3, []uint32{5, 4, 3, 2, 1}, []int{4, 1}},
		{4, []uint32{1, 2, 3, 4, 5}, []int{1, 3, 5}},
	} {
		w.reshare(step.threshold, step.holders...)
		posted := len(w.posted)
		w.clock = w.clock.Add(time.Second)
		for range 5 {
			for _, n := range w.nodes {
				_, err := n.driver.step(t.Context())
				must(t, err)
			}
		}
		if got := w.posted[posted:]; slices.ContainsFunc(got, func(a act.Act) bool { return a.Type != act.TypeJoin }) {
			t.Fatalf("without any operator the daemons posted %d acts besides joining", len(got))
		}
		w.contribute(step.by...)
		if err := w.nodes[step.by[0]-1].driver.Contribute(t.Context()); !errors.Is(err, ErrNotNow) {
			t.Errorf("a second contribution: %v", err)
		}
		if err := w.turns(); err != nil {
			t.Error(err)
		}
		if w.view.OPRF.KeyID != key || w.view.Canary.Hash != canary || w.view.Canary.Epoch != w.view.OPRF.Epoch {
			t.Fatalf("epoch %d: key %x, canary of epoch %d", w.view.OPRF.Epoch, w.view.OPRF.KeyID, w.view.Canary.Epoch)
		}
		for _, n := range w.nodes {
			holds := slices.Contains(step.holders, n.m.Number)
			if s := n.shares; holds != (s.Current != nil) || s.Next != nil || holds && keyshare.CheckShare(w.view.OPRF, *s.Current) != nil {
				t.Errorf("epoch %d: %s holds %+v", w.view.OPRF.Epoch, n.m.Node, s)
			}
		}
		after, err := w.Pseudonyms(t.Context(), [][]byte{[]byte("raresync/id/v1\x00RIC\x00\x0011010519491231002X")})
		must(t, err)
		if after[0] != before[0] {
			t.Fatalf("epoch %d gives another pseudonym", w.view.OPRF.Epoch)
		}
	}
}

func TestWhoHasNoPartCannotStartOrContribute(t *testing.T) {
	w := newWorld(t, 3)
	c := w.nodes[0].driver.cfg
	c.Institution = 4 // the reader
	stranger, err := New(c)
	must(t, err)
	if err := stranger.Start(t.Context(), time.Hour); !errors.Is(err, ErrNotHolder) {
		t.Errorf("a reader starts a ceremony: %v", err)
	}
	if err := w.nodes[0].driver.Contribute(t.Context()); !errors.Is(err, ErrNotNow) {
		t.Errorf("a contribution to nothing: %v", err)
	}
	w.makeKey()
	w.reshare(2, 1, 2)
	for _, n := range w.nodes {
		_, err := n.driver.step(t.Context())
		must(t, err)
	}
	w.nodes[2].shares.Current = nil
	if err := w.nodes[2].driver.Contribute(t.Context()); !errors.Is(err, ErrNotHolder) {
		t.Errorf("a contribution without a share: %v", err)
	}
}

func TestSecretsOfARunNeverReachADisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	must(t, os.Mkdir(dir, 0o700))
	if isVolatile(dir) {
		t.Skip("the temporary directory of this machine is a tmpfs")
	}
	w := newWorld(t, 3)
	for _, n := range w.nodes {
		n.runtime = dir
		n.start()
	}
	w.makeKey()
	if found, err := os.ReadDir(dir); err != nil || len(found) > 0 {
		t.Errorf("%d files on a disk, %v", len(found), err)
	}
}

func TestSecretsPrintAPlaceholder(t *testing.T) {
	w := newWorld(t, 3)
	must(t, w.nodes[0].driver.Start(t.Context(), time.Hour))
	_, err := w.nodes[0].driver.step(t.Context())
	must(t, err)
	if got := fmt.Sprintf("%v %+v %s", w.nodes[0].driver.run, w.nodes[0].driver.run, w.nodes[0].driver.run); strings.Trim(strings.ReplaceAll(got, redacted, ""), " ") != "" {
		t.Errorf("secrets print as %s", got)
	}
	if strings.Contains(w.logged.String(), "dealing") {
		t.Errorf("logged: %s", w.logged.String())
	}
}
