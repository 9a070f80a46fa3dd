package consensus

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// act builds the hospital's next envelope with an act and takes it for accepted.
func (h *chain) act(a act.Act) *envelope.Envelope {
	h.c.t.Helper()
	e, err := envelope.BuildAct(envelope.Link{
		Network: h.c.founded.ID, Hospital: h.m.Number, Sequence: h.sequence + 1, Attempt: 1, Previous: h.previous,
		SignedAt: uint64(h.c.now("").UnixMilli()),
	}, a.Marshal(), h.m.Envelope)
	if err != nil {
		h.c.t.Fatal(err)
	}
	h.sequence, h.previous = h.sequence+1, e.ID()
	return e
}

// toLeader submits bytes to the node that leads now.
func (c *cluster) toLeader(raw []byte) (Outcome, error) {
	leader := c.leader()
	return c.send(func() string { return leader }, raw)
}

// withdraw has entries of the hospital erased and returns the number of the
// envelope that says so.
func (h *chain) withdraw(spans ...act.Span) uint64 {
	h.c.t.Helper()
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{Hospital: h.m.Number, Entries: spans}.Marshal()}
	raw := h.act(a).Marshal()
	out, err := h.c.toLeader(raw)
	if err != nil || out.Refusal != nil {
		h.c.t.Fatalf("withdraw: %v, %v", out.Refusal, err)
	}
	h.sent = append(h.sent, sent{raw, out})
	if h.c.acked != nil {
		h.c.acked(h.sent[len(h.sent)-1])
	}
	return out.Number
}

// erasedOn waits until nodes have carried out all withdrawals through one.
func (c *cluster) erasedOn(through uint64, ids ...string) {
	c.t.Helper()
	c.until(fmt.Sprintf("erasure through envelope %d", through), func() bool {
		for _, id := range ids {
			if done, _ := c.node(id).Erased(); done < through {
				return false
			}
		}
		return true
	})
}

// needle is a piece of something that must be nowhere.
type needle struct {
	what  string
	bytes []byte
}

// needlesOf returns the pieces of 32 bytes of an envelope's ciphertexts, and its
// salts, at these places.
func needlesOf(t testing.TB, raw []byte, places ...int) (list []needle) {
	t.Helper()
	e, err := envelope.Decode(raw)
	must(t, err)
	for _, place := range places {
		b := e.Bodies[place]
		list = append(list, needle{fmt.Sprintf("salt of place %d", place), b.Salt[:]})
		for i := 0; i+32 <= len(b.Ciphertext); i += 32 {
			list = append(list, needle{fmt.Sprintf("byte %d of place %d", i, place), b.Ciphertext[i : i+32]})
		}
	}
	return list
}

// search looks for the needles in every byte of every file below a directory.
func search(t testing.TB, dir string, needles []needle) (found []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a node that runs has renamed it
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, n := range needles {
			if bytes.Contains(raw, n.bytes) {
				found = append(found, fmt.Sprintf("%s: %s", filepath.Base(path), n.what))
			}
		}
		return nil
	}))
	return found
}

// nowhere closes all nodes and wants none of the needles in their directories.
func (c *cluster) nowhere(needles []needle) {
	c.t.Helper()
	c.closeAll()
	for _, id := range c.ids {
		if found := search(c.t, c.dirs[id], needles); len(found) > 0 {
			c.t.Errorf("node %s still holds %d pieces, the first %s", id, len(found), found[0])
		}
	}
}

func TestWithdrawnEntriesAreErasedOnEveryNode(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(3, 4, c.voters()...)
	c.converged(1 + 3*3*4)
	gone, stays := chains[1].sent[0], chains[1].sent[1]
	needles := needlesOf(t, gone.raw, 1, 2)
	control := needlesOf(t, stays.raw, 0)
	for _, id := range c.ids {
		if len(search(t, c.dirs[id], needles)) == 0 {
			t.Fatalf("node %s never had the entries: the search finds nothing", id)
		}
	}
	through := chains[1].withdraw(act.Span{First: gone.out.First + 1, Count: 2})
	c.erasedOn(through, c.ids...)
	c.continueLoad(chains, 1, 1, c.voters()...)
	c.converged(1 + 3*3*4 + 1 + 3)
	for _, id := range c.ids {
		n := c.node(id)
		p, err := n.Envelope(gone.out.Number)
		must(t, err)
		e, err := envelope.DecodeHeld(p.Envelope)
		must(t, err)
		for place, b := range e.Bodies {
			if want := place == 1 || place == 2; (b.Erased != nil) != want {
				t.Errorf("%s sends place %d erased: %t, want %t", id, place, !want, want)
			}
		}
		if again, err := n.Submit(c.ctx, gone.raw); err != nil || !again.Duplicate || again.Number != gone.out.Number {
			t.Errorf("%s answers the erased envelope, sent again, %+v, %v", id, again, err)
		}
	}
	c.verify(chains)
	sameFiles(t, c.node("h1").machine.Ledger(), c.node("h2").machine.Ledger())
	sameFiles(t, c.node("h1").machine.Ledger(), c.node("reader").machine.Ledger())
	if len(search(t, c.dirs["h1"], control)) == 0 {
		t.Error("an entry that nobody has withdrawn is gone")
	}
	c.nowhere(needles)
}

func TestAnotherHospitalsEntriesAreNotWithdrawn(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(1, 2, c.voters()...)
	c.converged(1 + 3*2)
	foreign := chains[2].sent[0].out.First
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{
		Hospital: 2, Entries: []act.Span{{First: foreign, Count: 1}},
	}.Marshal()}
	e := chains[1].act(a)
	out, err := c.toLeader(e.Marshal())
	if err != nil || out.Refusal == nil || out.Refusal.Code != "ACT003" {
		t.Fatalf("a leader takes the withdrawal: %+v, %v", out, err)
	}
	// A leader that lets it pass does no harm.
	leader := c.node(c.leader())
	must(t, leader.raft.Apply(encodeCommand(leader.nowMillis(), e.Marshal()), deadline).Error())
	number := uint64(1 + 3)
	c.erasedOn(number, c.ids...)
	for _, id := range c.ids {
		b, err := c.node(id).machine.Ledger().Body(foreign)
		must(t, err)
		if b.Salt == ([ledger.SaltBytes]byte{}) {
			t.Errorf("%s has erased an entry for another hospital", id)
		}
		if _, err := c.node(id).Envelope(chains[2].sent[0].out.Number); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestAnEnvelopeThatCameTwiceLeavesRaftsLog has the newest record of the log be
// a second copy of what is withdrawn.
func TestAnEnvelopeThatCameTwiceLeavesRaftsLog(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(1, 2, c.voters()...)
	c.converged(1 + 3*2)
	gone := chains[0].sent[0]
	leader := c.node(c.leader())
	e := chains[0].act(act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{
		Hospital: 1, Entries: []act.Span{{First: gone.out.First, Count: 2}},
	}.Marshal()})
	first := leader.raft.Apply(encodeCommand(leader.nowMillis(), e.Marshal()), deadline)
	second := leader.raft.Apply(encodeCommand(leader.nowMillis(), gone.raw), deadline)
	must(t, first.Error())
	must(t, second.Error())
	if out := second.Response().(Outcome); !out.Duplicate {
		t.Fatalf("the copy is answered %+v", out)
	}
	c.erasedOn(4, c.ids...)
	c.nowhere(needlesOf(t, gone.raw, 0, 1))
}

func TestANodeThatWasAwayErasesWhenItReturns(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.ids...)
	chains := c.load(2, 3, c.voters()...)
	c.converged(1 + 3*2*3)
	away := c.follower()
	c.close(ended(), away)
	gone := chains[0].sent[1]
	through := chains[0].withdraw(act.Span{First: gone.out.First, Count: 3})
	c.erasedOn(through, c.without(away)...)
	c.open(away)
	c.erasedOn(through, away)
	c.converged(1 + 3*2*3 + 1)
	c.nowhere(needlesOf(t, gone.raw, 0, 1, 2))
}

// TestANewCopyNeverGetsWhatIsErased fills an empty voter and an empty mirror.
func TestANewCopyNeverGetsWhatIsErased(t *testing.T) {
	c := newCluster(t, 3)
	c.limits = logLimits{snapshotBytes: 40_000, trailing: 4}
	late := c.voters()[2]
	c.open(c.without(late)[:2]...)
	chains := c.load(4, 3, c.voters()[:2]...)
	c.converged(1 + 3*4*3)
	gone := chains[0].sent[1]
	through := chains[0].withdraw(act.Span{First: gone.out.First, Count: 1}, act.Span{First: gone.out.First + 2, Count: 1})
	c.erasedOn(through, c.voters()[:2]...)
	needles := needlesOf(t, gone.raw, 0, 2)
	c.open(late, "reader")
	c.converged(1 + 3*4*3 + 1)
	for _, id := range []string{late, "reader"} {
		if found := search(t, c.dirs[id], needles); len(found) > 0 {
			t.Errorf("%s was sent what is erased: %s", id, found[0])
		}
	}
	c.erasedOn(through, c.ids...)
	sameFiles(t, c.node("h1").machine.Ledger(), c.node(late).machine.Ledger())
	sameFiles(t, c.node("h1").machine.Ledger(), c.node("reader").machine.Ledger())
	c.verify(chains)
	c.nowhere(needles)
}

// blankIn takes for erased what reads as zeros.
func blankIn(l *ledger.Ledger) machine.Erased {
	return func(_ uint32, first uint64, count uint32) []bool {
		places := make([]bool, count)
		for place := range places {
			b, err := l.Body(first + uint64(place))
			places[place] = err == nil && b.Blank()
		}
		return places
	}
}

// onlyWithdrawnIsBlank wants nothing but what was withdrawn to read as zeros.
func onlyWithdrawnIsBlank(l *ledger.Ledger, s *state.State) error {
	for n := range l.Lengths().Envelopes {
		rec, err := l.Envelope(n)
		if err != nil {
			return err
		}
		for place, blank := range blankIn(l)(0, rec.First, rec.Count) {
			if index := rec.First + uint64(place); blank && !s.Withdrawn(rec.Hospital, index) {
				return fmt.Errorf("entry %d is zeros, and nobody has withdrawn it", index)
			}
		}
	}
	return nil
}

// eraseIn leaves out the body at a place of one envelope in what a peer sends,
// and says that it was as long as given.
func eraseIn(t testing.TB, number uint64, place, length int) func(from uint64, p []Pulled) []Pulled {
	return func(from uint64, p []Pulled) []Pulled {
		if number < from || number >= from+uint64(len(p)) {
			return p
		}
		e, err := envelope.DecodeHeld(p[number-from].Envelope)
		must(t, err)
		e = e.Erase(func(i int) bool { return i == place })
		e.Bodies[place].Ciphertext = make([]byte, length)
		bent, err := envelope.Assemble(e.HeaderBytes, e.Signature, e.Bodies)
		must(t, err)
		p[number-from].Envelope = bent.Marshal()
		return p
	}
}

// TestNobodyLeavesOutWhatIsNotWithdrawn has one voter, whom the newcomers ask
// first, leave out a body, or shorten an erased one.
func TestNobodyLeavesOutWhatIsNotWithdrawn(t *testing.T) {
	for name, late := range map[string]string{"a mirror": "reader", "a voter": "h3"} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.limits = logLimits{snapshotBytes: 40_000, trailing: 4}
			c.open("h1", "h2")
			chains := c.load(4, 2, "h1", "h2")
			c.converged(1 + 3*4*2)
			gone, whole := chains[0].sent[0].out, chains[1].sent[1].out
			through := chains[0].withdraw(act.Span{First: gone.First, Count: 1})
			c.erasedOn(through, "h1", "h2")
			asked := make(chan struct{}, 100)
			c.net.lie("h1", &liar{envelopes: func(from uint64, p []Pulled) []Pulled {
				asked <- struct{}{}
				p = eraseIn(t, gone.Number, 0, 1024+16)(from, p)
				return eraseIn(t, whole.Number, 1, 512+16)(from, p)
			}})
			c.open(late)
			c.converged(1 + 3*4*2 + 1)
			if len(asked) == 0 {
				t.Fatal("the liar was not asked")
			}
			c.erasedOn(through, late)
			sameFiles(t, c.node("h2").machine.Ledger(), c.node(late).machine.Ledger())
			c.verify(chains)
		})
	}
}

// TestAMirrorWantsOthersToSayHowLongAnErasedBodyWas has the liar shorten an erased
// body alone, which no hash shows.
func TestAMirrorWantsOthersToSayHowLongAnErasedBodyWas(t *testing.T) {
	c := newCluster(t, 3)
	c.open(c.voters()...)
	chains := c.load(2, 2, c.voters()...)
	c.converged(1 + 3*2*2)
	gone := chains[0].sent[0].out
	through := chains[0].withdraw(act.Span{First: gone.First, Count: 1})
	c.erasedOn(through, c.voters()...)
	asked := make(chan struct{}, 100)
	c.net.lie("h1", &liar{envelopes: func(from uint64, p []Pulled) []Pulled {
		asked <- struct{}{}
		return eraseIn(t, gone.Number, 0, 1024+16)(from, p)
	}})
	c.open("reader")
	c.converged(1 + 3*2*2 + 1)
	if len(asked) == 0 {
		t.Fatal("the liar was not asked")
	}
	sameFiles(t, c.node("h2").machine.Ledger(), c.node("reader").machine.Ledger())
}
