package outbox

import (
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
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
