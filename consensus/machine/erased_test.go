package machine_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// withdraw has entries of hospital 1 erased: the history gets an envelope more,
// number 7.
func (h *history) withdraw(t testing.TB, spans ...act.Span) {
	t.Helper()
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{Hospital: 1, Entries: spans}.Marshal()}
	view, m := h.voter.View(), h.net.Hospitals[0]
	member, _ := view.Member(m.Number)
	e, err := envelope.BuildAct(envelope.Link{
		Network: view.Network, Hospital: m.Number, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID, SignedAt: now,
	}, a.Marshal(), m.Envelope)
	if err != nil {
		t.Fatal(err)
	}
	out := apply(t, h.voter, e.Marshal(), now+9_000)
	h.log = append(h.log, sent{e.Marshal(), out.LogTime})
	h.at = append(h.at, snapshot(t, h.voter))
}

// Envelope 3 is hospital 1's, of 201 entries from index 103 on.
const (
	goneEnvelope = 3
	goneFirst    = 103
)

// erased returns a machine that has applied all and erased entries 104 and 105.
func (h *history) erased(t testing.TB, dir string) *machine.Machine {
	t.Helper()
	h.withdraw(t, act.Span{First: goneFirst + 1, Count: 2})
	m := h.follower(t, dir, 7)
	if err := m.Ledger().Erase(ledger.Span{First: goneFirst + 1, Count: 2}); err != nil {
		t.Fatal(err)
	}
	return m
}

// held is what a node hands on of an envelope.
func held(t testing.TB, m *machine.Machine, n uint64) sent {
	t.Helper()
	e, logTime, err := m.Envelope(n)
	if err != nil {
		t.Fatal(err)
	}
	return sent{e.Marshal(), logTime}
}

func TestWhatIsErasedIsNoDamageAndNeverHandedOn(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	m := h.erased(t, t.TempDir())
	if _, _, err := m.Examine(0, 1<<40); err != nil || m.Damage() != nil {
		t.Errorf("an erased entry is taken for damage: %v, %v", err, m.Damage())
	}
	// The voter has withdrawn and not erased yet: it hands on no more than that.
	for who, node := range map[string]*machine.Machine{"who has erased": m, "who has not yet": h.voter} {
		e, err := envelope.DecodeHeld(held(t, node, goneEnvelope).raw)
		if err != nil {
			t.Fatal(err)
		}
		for place, b := range e.Bodies {
			if want := place == 1 || place == 2; (b.Erased != nil) != want {
				t.Errorf("%s hands on place %d without its body: %t, want %t", who, place, !want, want)
			}
		}
	}
	mustEqual(t, m, h.at[7])
}

func TestADamagedEnvelopeWithErasedEntriesIsRepairedWithoutThem(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	dir := t.TempDir()
	m := h.erased(t, dir)
	before := contents(t, dir)
	at, err := m.Ledger().LengthsAt(goneEnvelope)
	if err != nil {
		t.Fatal(err)
	}
	for name, harm := range map[string]func(){
		"its header":              func() { edit(t, dir, "envelopes", flipAt(int(at.EnvelopesBytes)+100)) },
		"the body beside":         func() { edit(t, dir, "bodies", flipAt(int(at.BodiesBytes)+40)) },
		"the salt beside":         func() { edit(t, dir, "salts", flipAt(32*goneFirst)) },
		"the erased entry's leaf": func() { edit(t, dir, "leaves", flipAt(92*(goneFirst+1)+70)) },
		"what was erased":         func() { edit(t, dir, "salts", flipAt(32*(goneFirst+1))) },
	} {
		harm()
		if _, _, err := m.Examine(0, 1<<40); err != nil {
			t.Fatal(err)
		}
		if name == "what was erased" { // nobody looks at it, and nothing is said of it
			if m.Damage() != nil {
				t.Errorf("%s: %v", name, m.Damage())
			}
			if err := m.Ledger().Erase(ledger.Span{First: goneFirst + 1, Count: 1}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if m.Damage() == nil {
			t.Errorf("%s: the damage is not seen", name)
		}
		whole := func(n uint64) sent { return h.honest(n) } // a peer that has not erased
		if _, err := repair(t, m, whole); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for file, b := range contents(t, dir) {
			if !bytes.Equal(b, before[file]) {
				t.Errorf("%s: %s is not as it was", name, file)
			}
		}
	}
}

func TestAGapIsFilledWithoutWhatIsErased(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	source := h.erased(t, t.TempDir())
	leaveOut := func(place int) sent { // one that is not erased
		e, err := envelope.DecodeHeld(held(t, source, goneEnvelope).raw)
		if err != nil {
			t.Fatal(err)
		}
		return sent{e.Erase(func(i int) bool { return i == place }).Marshal(), h.log[goneEnvelope-1].logTime}
	}
	for name, tc := range map[string]struct {
		third sent
		want  error
	}{
		"from one that has erased":       {held(t, source, goneEnvelope), nil},
		"from one that has not yet":      {h.honest(goneEnvelope), nil},
		"from one that leaves out more":  {leaveOut(7), machine.ErrDiverged},
		"from one that leaves out all":   {leaveOut(0), machine.ErrDiverged},
		"from one that leaves out again": {leaveOut(1), nil},
	} {
		dir := t.TempDir()
		m := h.follower(t, dir, 1)
		if err := m.Restore(h.at[7]); err != nil {
			t.Fatal(err)
		}
		var commands []machine.Command
		for n := uint64(2); n <= 7; n++ {
			p := h.honest(n)
			if n == goneEnvelope {
				p = tc.third
			}
			commands = append(commands, machine.Command{Raw: p.raw, LeaderTime: p.logTime})
		}
		if err := m.Fill(commands); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
		if tc.want != nil {
			continue
		}
		mustEqual(t, m, h.at[7])
		for index := range uint64(2) {
			b, err := m.Ledger().Body(goneFirst + 1 + index)
			if err != nil || b.Salt != [32]byte{} || len(bytes.Trim(b.Ciphertext, "\x00")) > 0 {
				t.Errorf("%s: entry %d is written: %v", name, goneFirst+1+index, err)
			}
		}
	}
}

// TestWhatAPeerLeftOutIsNoDamageBeforeTheActThatErasesItHasCome looks at a mirror
// between the envelope that a peer sent without its bodies and the withdrawal.
func TestWhatAPeerLeftOutIsNoDamageBeforeTheActThatErasesItHasCome(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	source := h.erased(t, t.TempDir())
	for name, tc := range map[string]struct {
		vouched uint64
		harm    func(dir string)
		damaged bool
	}{
		"not vouched for":                 {vouched: goneEnvelope},
		"vouched for":                     {vouched: goneEnvelope + 1, damaged: true},
		"not vouched for, and a flip":     {goneEnvelope, func(dir string) { edit(t, dir, "salts", flipAt(32*(goneFirst+3))) }, true},
		"not vouched for, a flipped leaf": {goneEnvelope, func(dir string) { edit(t, dir, "leaves", flipAt(92*(goneFirst+1)+70)) }, true},
	} {
		dir := t.TempDir()
		m := h.follower(t, dir, goneEnvelope-1)
		m.Vouched(tc.vouched)
		p := held(t, source, goneEnvelope)
		if err := m.Follow([]machine.Command{{Raw: p.raw, LeaderTime: p.logTime}}, math.MaxUint64); err != nil {
			t.Fatal(err)
		}
		if tc.harm != nil {
			tc.harm(dir)
		}
		if _, _, err := m.Examine(0, 1<<40); err != nil || (m.Damage() != nil) != tc.damaged {
			t.Errorf("%s: %v, damage %v, want damage %t", name, err, m.Damage(), tc.damaged)
		}
	}
}

func TestAHospitalCannotSendAnEnvelopeWithoutABody(t *testing.T) {
	h := newHistory(t)
	e, err := envelope.Decode(entries(t, h.voter.View(), h.net.Hospitals[0], 2, 1).Marshal())
	if err != nil {
		t.Fatal(err)
	}
	raw := e.Erase(func(int) bool { return true }).Marshal()
	if out, err := h.voter.Apply(raw, now); err != nil || out.Refusal == nil || out.Refusal.Code != "ENC001" {
		t.Errorf("got %+v, %v, want ENC001", out.Refusal, err)
	}
}

func TestALeaderRefusesAWithdrawalOfWhatIsNotTheHospitals(t *testing.T) {
	h := newHistory(t)
	for name, tc := range map[string]struct {
		spans []act.Span
		want  string // "" = it may pass
	}{
		"of its own":                   {[]act.Span{{First: goneFirst, Count: 201}}, ""},
		"of its own in two envelopes":  {[]act.Span{{First: 1, Count: 1}, {First: goneFirst, Count: 3}}, ""},
		"of the genesis":               {[]act.Span{{First: 0, Count: 1}}, "leaf 0 is no entry"},
		"of another hospital's":        {[]act.Span{{First: 2, Count: 1}}, "leaf 2 is no entry"},
		"of one too many at the end":   {[]act.Span{{First: 1, Count: 2}}, "leaf 2 is no entry"},
		"of one too many in front":     {[]act.Span{{First: goneFirst - 1, Count: 5}}, "leaf 102 is no entry"},
		"of another's behind its own":  {[]act.Span{{First: 1, Count: 1}, {First: 50, Count: 2}}, "leaf 50 is no entry"},
		"of all that is in the log":    {[]act.Span{{First: 0, Count: 300}}, "leaf 0 is no entry"},
		"of its own and then the next": {[]act.Span{{First: goneFirst, Count: 202}}, "leaf 304 is no entry"},
	} {
		a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: act.Withdrawal{Hospital: 1, Entries: tc.spans}.Marshal()}
		view, m := h.voter.View(), h.net.Hospitals[0]
		member, _ := view.Member(1)
		e, err := envelope.BuildAct(envelope.Link{
			Network: view.Network, Hospital: 1, Sequence: member.Chain.Sequence + 1, Attempt: 1, Previous: member.Chain.ID, SignedAt: now,
		}, a.Marshal(), m.Envelope)
		if err != nil {
			t.Fatal(err)
		}
		out, err := h.voter.Check(e.Marshal(), now)
		switch {
		case err != nil:
			t.Errorf("%s: %v", name, err)
		case tc.want == "" && out.Refusal != nil:
			t.Errorf("%s: %v", name, out.Refusal)
		case tc.want != "" && (out.Refusal == nil || out.Refusal.Code != "ACT003" || !bytes.Contains([]byte(out.Refusal.Detail), []byte(tc.want))):
			t.Errorf("%s: got %v, want %q", name, out.Refusal, tc.want)
		}
	}
}
