package evaluation

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/quota"
)

// restart gives a holder a new service over its directory, as after a kill.
func (w *world) restart(node string) {
	w.t.Helper()
	old := w.services[node]
	old.Close()
	must(w.t, old.Count.(*quota.Book).Close())
	c := old.Config
	c.Count = w.book(node)
	w.services[node] = New(c)
	w.t.Cleanup(w.services[node].Close)
}

// TestAMillionEvaluationsStopAtTheQuotaOfEveryHolder asks every holder for 250
// batches of 4000 elements, each under a new id, over restarts and with older
// checkpoints and one far ahead. The elements are refused by their encoding once
// they are counted, so that the test does not evaluate a million.
func TestAMillionEvaluationsStopAtTheQuotaOfEveryHolder(t *testing.T) {
	w := newWorld(t, five())
	elements := make([][32]byte, 4000)
	for i := range elements {
		binary.BigEndian.PutUint64(elements[i][:], ^uint64(i)) // no group element
	}
	today := pseudonym.QuotaDay(checkpointTime * 1000)
	for holder := range 5 {
		node := fmt.Sprintf("h%d", holder+1)
		asker := w.founded.Hospitals[(holder+1)%5]
		counted, refused := 0, 0
		for i := range 250 {
			switch i % 50 {
			case 10:
				w.restart(node)
			case 20:
				w.node.checkpoint = w.cosigned(checkpointTime - 86_400)
			case 30:
				w.node.checkpoint = w.cosigned(checkpointTime + 1000*86_400)
			case 40:
				w.node.checkpoint = w.cosigned(checkpointTime)
			}
			req := pseudonym.Request{
				Network: w.node.view.Network, KeyID: w.node.view.OPRF.KeyID, Epoch: 1, Holder: uint16(holder + 1), Hospital: asker.Number,
				RequestID: [16]byte{byte(i)}, QuotaDay: today, N: 4000, ElementsHash: pseudonym.HashElements(elements),
			}
			message := req.AppendCBOR(nil)
			sig, err := asker.Request.Sign(sign.LabelRequest, message)
			must(t, err)
			_, err = w.services[node].Evaluate(asker.Node, peer.Evaluation{Message: message, Signature: sig, Elements: elements})
			switch {
			case errors.Is(err, pseudonym.ErrElement): // past the count
				counted += 4000
			case errors.Is(err, quota.ErrOver) && strings.Contains(err.Error(), "2000 of 10000 are left"):
				refused += 4000
			default:
				t.Fatalf("%s, batch %d: %v", node, i, err)
			}
		}
		if counted != 8000 || counted+refused != 1_000_000 {
			t.Errorf("%s counted %d elements and refused %d", node, counted, refused)
		}
	}
}

func TestAHospitalOverItsQuotaIsToldSoAndGoesOnTheNextDay(t *testing.T) {
	w := newWorld(t, five())
	w.node.view.Policy.QuotaFloor = 5
	ids := identities(4)
	want := w.pseudonyms("h1", ids) // by holders 1 to 3
	w.pseudonyms("h1", ids)         // by 1, 4 and 5: five holders who need three give a hospital more than one quota
	_, err := w.services["h1"].Pseudonyms(t.Context(), ids)
	if !errors.Is(err, ErrHolders) || !errors.Is(err, quota.ErrOver) || !strings.Contains(err.Error(), "1 of 5 are left") {
		t.Errorf("the third time that day: %v", err)
	}
	w.node.checkpoint = w.cosigned(checkpointTime + 86_400)
	if got := w.pseudonyms("h1", ids); got[0] != want[0] || got[3] != want[3] {
		t.Errorf("the next day %x, want %x", got, want)
	}
}

func TestWhatIsAskedIsOnRecordBeforeItIsSent(t *testing.T) {
	w := newWorld(t, five())
	w.bend["h2"] = down
	w.pseudonyms("h1", identities(3))
	day, err := w.services["h1"].Day()
	must(t, err)
	for holder, want := range map[uint32]uint64{1: 0, 2: 3, 3: 3, 4: 3, 5: 0} {
		if got := w.services["h1"].Asked.On(day, holder); got != want {
			t.Errorf("%d elements of holder %d are on record, want %d", got, holder, want)
		}
	}
}

// uncounted is a holder's count that counts nothing: what a benchmark compares
// with.
type uncounted struct{}

func (uncounted) Advance(day uint32) uint32                     { return day }
func (uncounted) Count(quota.Signed, func(uint32) uint64) error { return nil }

func BenchmarkHolder256(b *testing.B) {
	for name, counted := range map[string]bool{"counted": true, "uncounted": false} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, five())
			w.node.view.Policy.QuotaFloor = 1 << 40
			_, elements, err := pseudonym.Blind(identities(256))
			if err != nil {
				b.Fatal(err)
			}
			c := w.services["h1"].Config
			c.Logger = slog.New(slog.DiscardHandler)
			if !counted {
				c.Count = uncounted{}
			}
			s := New(c)
			defer s.Close()
			n := uint64(0)
			for b.Loop() {
				n++
				req := pseudonym.Request{
					Network: w.node.view.Network, KeyID: w.node.view.OPRF.KeyID, Epoch: 1, Holder: 1, Hospital: uint32(2 + n/1000%4),
					QuotaDay: pseudonym.QuotaDay(checkpointTime * 1000), N: 256, ElementsHash: pseudonym.HashElements(elements),
				}
				binary.BigEndian.PutUint64(req.RequestID[:], n)
				asker := w.founded.Hospitals[req.Hospital-1]
				message := req.AppendCBOR(nil)
				sig, err := asker.Request.Sign(sign.LabelRequest, message)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Evaluate(asker.Node, peer.Evaluation{Message: message, Signature: sig, Elements: elements}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
