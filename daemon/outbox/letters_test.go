package outbox

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// meantByName says from an entry of a test that it is meant for another hospital.
func meantByName(_ *state.State, cbor []byte) uint32 {
	for name, number := range map[string]uint32{"to one": 1, "to three": 3} {
		if strings.HasPrefix(string(cbor), name) {
			return number
		}
	}
	return 0
}

// TestEntriesForOneHospitalShareNoEnvelopeWithOthers has referrals among what two
// files hold, and a rotation that makes the hospital build the envelopes anew.
func TestEntriesForOneHospitalShareNoEnvelopeWithOthers(t *testing.T) {
	for name, rotated := range map[string]bool{"at once": false, "built anew": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				w.crash()
				w.meant = meantByName
				w.open()
				next, err := sign.Generate(sign.PurposeEnvelope)
				must(t, err)
				w.ring(next)
				if rotated {
					rotation := &act.Rotation{Institution: w.member.Number, Envelope: next.Public()}
					must(t, rotation.Prove(w.log.View().Network, next))
					_, err = w.AddAct(t.Context(), act.Act{Version: act.Version, Type: act.TypeRotation, Payload: rotation.Marshal()})
					must(t, err)
				}
				first := []Entry{plain("a"), plain("to three, a"), plain("b"), plain("to one")}
				second := []Entry{plain("c"), plain("to three, c"), plain("a")}
				placed := w.add(first, second)
				if !placed[1][2].Known || placed[0][1].Sequence != placed[1][1].Sequence || placed[0][0].Sequence != placed[1][0].Sequence {
					t.Errorf("placed as %+v", placed)
				}
				w.run()
				w.drain()
				w.wantInLog(first, second[:2])
				w.wantLetters([]string{"a", "b", "c"}, []string{"to one"}, []string{"to three, a", "to three, c"})
			})
		})
	}
}

// wantLetters checks what each envelope holds, and that the hospitals that are
// named in the second and third, and nobody else, open them.
func (w *world) wantLetters(want ...[]string) {
	w.t.Helper()
	var got [][]string
	for _, e := range w.accepted() {
		if e.Kind != envelope.KindEntries {
			continue
		}
		texts := w.texts(e)
		slices.Sort(texts)
		got = append(got, texts)
		for i, number := range map[int]uint32{0: 1, 2: 3} {
			_, err := e.UnwrapSlot(founded().Hospitals[i].Sealing)
			if meant := meantByName(nil, []byte(texts[0])) == number; meant != (err == nil) || err != nil && !errors.Is(err, envelope.ErrNotAReader) {
				w.t.Errorf("hospital %d opens %v: %v", number, texts, err)
			}
		}
	}
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		w.t.Errorf("envelopes of %v, want %v", got, want)
	}
}

// TestAMixtureHasNoAddressee has an institution join that entries were meant for
// all along: an envelope that holds others as well stays as it is.
func TestAMixtureHasNoAddressee(t *testing.T) {
	o := &Outbox{cfg: Config{Addressee: meantByName}}
	mixed := []envelope.Plain{{Part: seal.Clinical, CBOR: []byte("to one")}, {Part: seal.Clinical, CBOR: []byte("b")}}
	if to := o.addressee(nil, mixed...); to != 0 {
		t.Errorf("meant for %d", to)
	}
	if to := o.addressee(nil, mixed[0], mixed[0]); to != 1 {
		t.Errorf("meant for %d, want 1", to)
	}
}
