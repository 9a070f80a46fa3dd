package outbox

import (
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ring makes the outbox sign with whichever of two keys is in force.
func (w *world) ring(next *sign.PrivateKey) {
	old := w.member.Envelope
	w.cfg.Key = func(s *state.State) *sign.PrivateKey {
		if m, _ := s.Member(w.member.Number); m.Envelope.ID() == next.Public().ID() {
			return next
		}
		return old
	}
}

// TestEnvelopesBehindARotationAreSignedAnew has entries wait on both sides of a
// rotation of the envelope and the sealing key: those behind it were signed
// with the old key and sealed to it, and reach the log once.
func TestEnvelopesBehindARotationAreSignedAnew(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		next, err := sign.Generate(sign.PurposeEnvelope)
		must(t, err)
		sealing, err := seal.GenerateReader()
		must(t, err)
		w.ring(next)
		old := w.member.Sealing
		w.cfg.Sealing = func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{sealing, old} }
		rotation := &act.Rotation{Institution: w.member.Number, Envelope: next.Public(), Sealing: sealing.Public()}
		must(t, rotation.Prove(w.log.View().Network, next))
		before, behind := plains("before", 3), plains("behind", 3)
		w.add(before)
		_, err = w.AddAct(t.Context(), act.Act{Version: act.Version, Type: act.TypeRotation, Payload: rotation.Marshal()})
		must(t, err)
		w.add(behind)
		w.run()
		w.drain()
		var keys []sign.KeyID
		for _, e := range w.accepted() {
			keys = append(keys, e.KeyID)
		}
		want := []sign.KeyID{w.member.Envelope.Public().ID(), w.member.Envelope.Public().ID(), next.Public().ID()}
		if len(keys) != 3 || keys[0] != want[0] || keys[1] != want[1] || keys[2] != want[2] {
			t.Errorf("the log's envelopes are signed with %v, want %v", keys, want)
		}
		last := w.accepted()[2]
		if last.Attempt != 2 || !last.Names(sealing.Public().ID()) || last.Names(old.Public().ID()) {
			t.Errorf("the envelope behind the rotation: attempt %d, sealed to the new key: %t", last.Attempt, last.Names(sealing.Public().ID()))
		}
	})
}

// TestARevokedKeyRaisesAnAlarmUntilThereIsAnother has a hospital revoke its own
// envelope key: what waits behind it reaches the log when q lead hospitals have
// replaced the key.
func TestARevokedKeyRaisesAnAlarmUntilThereIsAnother(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		next, err := sign.Generate(sign.PurposeEnvelope)
		must(t, err)
		w.ring(next)
		_, err = w.AddAct(t.Context(), act.Act{Version: act.Version, Type: act.TypeRevoke, Payload: act.Revocation{
			Institution: w.member.Number, Key: w.member.Envelope.Public().ID(),
		}.Marshal()})
		must(t, err)
		entries := plains("entry", 3)
		w.add(entries)
		w.run()
		w.pass(time.Minute)
		if n, alarm := w.Pending(); n != 1 || !strings.Contains(alarm, "KEY002") || !strings.Contains(alarm, "no other key") {
			t.Errorf("%d on their way, alarm %q; want 1 and KEY002", n, alarm)
		}
		w.replaceKey(next)
		w.drain()
		w.wantInLog(entries)
		if _, alarm := w.Pending(); alarm != "" {
			t.Errorf("the alarm stays: %q", alarm)
		}
	})
}

// replaceKey has hospital 1 post what hospitals 1 and 3 have approved.
func (w *world) replaceKey(next *sign.PrivateKey) {
	w.t.Helper()
	view := w.log.View()
	r := act.Rotation{Institution: w.member.Number, Envelope: next.Public()}
	must(w.t, r.Prove(view.Network, next))
	a := act.Act{
		Version: act.Version, Type: act.TypeReplace, RosterVersion: view.RosterVersion, Expiry: uint64(w.log.now().Add(time.Hour).UnixMilli()),
		Payload: r.Marshal(),
	}
	for _, n := range []uint32{1, 3} {
		p, err := a.Approve(view.Network, n, founded().Hospitals[n-1].Envelope)
		must(w.t, err)
		a.Approvals = append(a.Approvals, p)
	}
	m, _ := view.Member(1)
	e, err := envelope.BuildAct(envelope.Link{
		Network: view.Network, Hospital: 1, Sequence: m.Chain.Sequence + 1, Attempt: 1, Previous: m.Chain.ID,
		SignedAt: uint64(w.log.now().UnixMilli()),
	}, a.Marshal(), founded().Hospitals[0].Envelope)
	must(w.t, err)
	out, err := w.log.Machine.Apply(e.Marshal(), uint64(w.log.now().UnixMilli()))
	must(w.t, err)
	if out.Refusal != nil {
		w.t.Fatal(out.Refusal)
	}
}
