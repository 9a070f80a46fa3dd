package machine_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

func TestEnvelopeSentAgainGetsItsOriginalPlace(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	m := h.follower(t, dir, 6)
	check := func(when string, m *machine.Machine) {
		t.Helper()
		before := snapshot(t, m)
		for n, e := range h.log {
			want, err := m.Ledger().Envelope(uint64(n + 1))
			if err != nil {
				t.Fatal(err)
			}
			for name, ask := range map[string]func([]byte, uint64) (machine.Outcome, error){"Apply": m.Apply, "Check": m.Check} {
				out, err := ask(e.raw, now+9_000_000)
				if err != nil || !out.Duplicate || out.Refusal != nil || out.Number != uint64(n+1) || out.First != want.First ||
					out.Count != want.Count || out.LogTime != e.logTime || out.ID != envelope.ID(want.ID) {
					t.Errorf("%s, %s of envelope %d: got %+v, %v", when, name, n+1, out, err)
				}
			}
		}
		mustEqual(t, m, before)
	}
	check("at once", m)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	check("after a restart", open(t, dir, h.net.Genesis))
}

func TestAnotherEnvelopeOfAUsedSequenceIsNamed(t *testing.T) {
	h := newHistory(t)
	first, err := envelope.Decode(h.log[0].raw)
	if err != nil {
		t.Fatal(err)
	}
	key, other := h.net.Hospitals[0].Envelope, h.net.Hospitals[1].Envelope
	change := func(h *envelope.Header, _ *[]seal.Body) { h.SignedAt++ }
	fork := forge(t, first, key, change)
	unsigned := forge(t, first, other, change)
	sig := fork.Signature
	sig.MLDSA = make([]byte, 3309)
	stripped, err := envelope.Assemble(fork.HeaderBytes, sig, fork.Bodies)
	if err != nil {
		t.Fatal(err)
	}
	sequence1, err := envelope.BuildAct(envelope.Link{Network: h.net.ID, Hospital: 1, Sequence: 1, Attempt: 1}, []byte{1}, key)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		e    *envelope.Envelope
		want state.Code
	}{
		"two for one attempt, both signed":            {fork, state.CodeFork},
		"one beside the genesis":                      {sequence1, state.CodeFork},
		"the second is not signed by the sender":      {unsigned, state.CodeSequence},
		"the second has half a signature":             {stripped, state.CodeSequence},
		"the second is another attempt":               {forge(t, first, key, func(h *envelope.Header, _ *[]seal.Body) { h.Attempt = 2 }), state.CodeSequence},
		"the second names a key that is not its own":  {forge(t, first, other, func(h *envelope.Header, _ *[]seal.Body) { h.KeyID = other.Public().ID() }), state.CodeSequence},
		"the second is of an unknown kind, same turn": {ofKind9(t, fork), state.CodeSequence},
	} {
		out, err := h.voter.Apply(tc.e.Marshal(), now)
		if err != nil || out.Refusal == nil || out.Refusal.Code != tc.want {
			t.Errorf("%s: got %+v, %v, want %s", name, out.Refusal, err, tc.want)
		}
	}
	out, _ := h.voter.Apply(fork.Marshal(), now)
	if !strings.Contains(out.Refusal.Detail, first.ID().String()) || !strings.Contains(out.Refusal.Detail, fork.ID().String()) {
		t.Errorf("evidence does not name both envelopes: %s", out.Refusal.Detail)
	}
	mustEqual(t, h.voter, h.at[6])
}

// ofKind9 returns the envelope with a kind that no label belongs to.
func ofKind9(t *testing.T, e *envelope.Envelope) *envelope.Envelope {
	t.Helper()
	h := e.Header
	h.Kind = 9
	out, err := envelope.Assemble(h.Marshal(), e.Signature, e.Bodies)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A voter gets the leader's time, which may go back; a mirror gets log time.
func TestVoterAndMirrorAgreeOnRootsAndRefusals(t *testing.T) {
	h := newHistory(t)
	voter, mirror := open(t, t.TempDir(), h.net.Genesis), open(t, t.TempDir(), h.net.Genesis)
	for n, e := range h.log {
		leaderTime := e.logTime - uint64(n%3)*2_000
		bad := map[string][]byte{"garbage": {0x84, 1}, "broken": bytes.Clone(e.raw), "of its past": bytes.Clone(h.net.Genesis.Marshal())}
		bad["broken"][len(e.raw)-1] ^= 1
		if n+2 < len(h.log) {
			bad["skipping"] = h.log[n+2].raw
		}
		for name, raw := range bad {
			a, err := voter.Apply(raw, leaderTime)
			if err != nil {
				t.Fatal(err)
			}
			b, err := mirror.Apply(raw, voter.View().LogTime)
			if err != nil {
				t.Fatal(err)
			}
			if name == "of its past" && a.Duplicate && b.Duplicate {
				continue
			}
			if a.Refusal == nil || b.Refusal == nil || *a.Refusal != *b.Refusal {
				t.Errorf("envelope %d, %s: voter says %v, mirror %v", n+1, name, a.Refusal, b.Refusal)
			}
		}
		out := apply(t, voter, e.raw, leaderTime)
		apply(t, mirror, e.raw, out.LogTime)
		mustEqual(t, mirror, snapshot(t, voter))
	}
}

func TestCheckAnswersAsApplyAndChangesNothing(t *testing.T) {
	h := newHistory(t)
	good := entries(t, h.voter.View(), h.net.Hospitals[0], 2, 1)
	gap := forge(t, good, h.net.Hospitals[0].Envelope, func(h *envelope.Header, _ *[]seal.Body) { h.Sequence++ })
	early := forge(t, good, h.net.Hospitals[0].Envelope, func(h *envelope.Header, _ *[]seal.Body) { h.SignedAt = now + 10_000_000 })
	broken := bytes.Clone(good.Marshal())
	broken[len(broken)-1] ^= 1
	for name, raw := range map[string][]byte{
		"garbage": {1}, "a gap": gap.Marshal(), "the future": early.Marshal(), "broken": broken, "sent again": h.log[3].raw,
	} {
		asked, err := h.voter.Check(raw, now)
		if err != nil {
			t.Fatal(err)
		}
		mustEqual(t, h.voter, h.at[6])
		out, err := h.voter.Apply(raw, now)
		if err != nil || out.Duplicate != asked.Duplicate || (out.Refusal == nil) != (asked.Refusal == nil) ||
			out.Refusal != nil && *out.Refusal != *asked.Refusal {
			t.Errorf("%s: Check says %+v, Apply %+v, %v", name, asked, out, err)
		}
		mustEqual(t, h.voter, h.at[6])
	}
	for range 2 { // the second time from memory
		if out, err := h.voter.Check(good.Marshal(), now+7_000); err != nil || out.Refusal != nil || out.LogTime != now+7_000 || out.Count != 2 {
			t.Errorf("a good one: %+v, %v", out, err)
		}
		mustEqual(t, h.voter, h.at[6])
	}
	apply(t, h.voter, good.Marshal(), now+7_000)
}

// A leader checks with its clock; Raft may bring the envelope later, after a
// change of leader, with another.
func TestEnvelopeThatWasCheckedIsStillAskedWhenItComes(t *testing.T) {
	h := newHistory(t)
	ahead := forge(t, entries(t, h.voter.View(), h.net.Hospitals[0], 1, 1), h.net.Hospitals[0].Envelope,
		func(h *envelope.Header, _ *[]seal.Body) { h.SignedAt = now + 2*state.MaxAhead })
	if out, err := h.voter.Check(ahead.Marshal(), now+2*state.MaxAhead); err != nil || out.Refusal != nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	if out, err := h.voter.Apply(ahead.Marshal(), now); err != nil || out.Refusal == nil || out.Refusal.Code != state.CodeTime {
		t.Errorf("with an earlier clock: got %+v, %v, want TIME001", out, err)
	}
	late := entries(t, h.voter.View(), h.net.Hospitals[1], 1, 1)
	if out, err := h.voter.Check(late.Marshal(), now); err != nil || out.Refusal != nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	apply(t, h.voter, entries(t, h.voter.View(), h.net.Hospitals[1], 1, 2).Marshal(), now)
	if out, err := h.voter.Apply(late.Marshal(), now); err != nil || out.Refusal == nil || out.Refusal.Code != state.CodeSequence {
		t.Errorf("after another of its sequence: got %+v, %v, want SEQ001", out, err)
	}
}

func TestRootIsKnownAtEveryEnvelopeApplied(t *testing.T) {
	h := newHistory(t)
	dir := t.TempDir()
	if err := h.follower(t, dir, 6).Close(); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]*machine.Machine{"running": h.voter, "restarted": open(t, dir, h.net.Genesis)} {
		for n, s := range h.at {
			if root, err := m.RootAt(s.State.Tree.Size()); err != nil || root != s.State.Tree.Root() {
				t.Errorf("%s: root after envelope %d is %x, %v", name, n, root[:4], err)
			}
		}
		if _, err := m.RootAt(h.at[6].State.Tree.Size() + 1); !errors.Is(err, ledger.ErrOutOfRange) {
			t.Errorf("%s: root beyond the end: %v", name, err)
		}
	}
}

// TestBatchHoldsTheSameEnvelopeTwice applies at once what else comes one by one:
// what a batch has accepted is known to the rest of it.
func TestBatchHoldsTheSameEnvelopeTwice(t *testing.T) {
	h := newHistory(t)
	m := open(t, t.TempDir(), h.net.Genesis)
	var commands []machine.Command
	for _, i := range []int{0, 1, 0, 2, 3, 3, 4, 5} {
		commands = append(commands, machine.Command{Raw: h.log[i].raw, LeaderTime: h.log[i].logTime})
	}
	outs, err := m.ApplyBatch(commands)
	if err != nil || len(outs) != len(commands) {
		t.Fatalf("%d outcomes, %v, want %d", len(outs), err, len(commands))
	}
	for i, same := range map[int]int{2: 0, 5: 4} {
		want := outs[same]
		want.Duplicate = true
		if outs[i] != want {
			t.Errorf("command %d: %+v, want %+v", i, outs[i], want)
		}
	}
	mustEqual(t, m, h.at[len(h.log)])
}

// TestBatchThatCannotBeWrittenIsNotAnswered takes the disk away under a batch.
func TestBatchThatCannotBeWrittenIsNotAnswered(t *testing.T) {
	h := newHistory(t)
	m := open(t, t.TempDir(), h.net.Genesis)
	if err := m.Ledger().Close(); err != nil {
		t.Fatal(err)
	}
	outs, err := m.ApplyBatch([]machine.Command{{Raw: h.log[0].raw, LeaderTime: h.log[0].logTime}, {Raw: h.log[1].raw, LeaderTime: h.log[1].logTime}})
	if !errors.Is(err, ledger.ErrClosed) || len(outs) != 0 {
		t.Errorf("%d outcomes, %v, want none and %v", len(outs), err, ledger.ErrClosed)
	}
}
