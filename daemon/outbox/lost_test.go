package outbox

import (
	"os"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// recovered goes on from the first envelopes of the log in a new log epoch; the rest
// is lost.
func (w *world) recovered(envelopes uint64) {
	w.t.Helper()
	m, err := machine.Open(w.t.TempDir(), founded().Genesis)
	must(w.t, err)
	for n := uint64(1); n < envelopes; n++ {
		e, logTime, err := w.log.Envelope(n)
		must(w.t, err)
		must(w.t, m.Follow([]machine.Command{{Raw: e.Marshal(), LeaderTime: logTime}}, ^uint64(0)))
	}
	view, h := m.View(), founded().Hospitals
	key, err := h[0].Log.LogKeyOf(view.Network, 2)
	must(w.t, err)
	d := act.Recovery{
		Epoch: 2, Size: view.Tree.Size(), Root: view.Tree.Root(), Envelopes: view.Envelopes, Index: 9, Term: 3,
		Voters: []act.EpochVoter{{Node: h[0].Node, Log: key.Public()}}, Fenced: []string{h[1].Node},
	}
	a := act.Act{Version: act.Version, Type: act.TypeRecovery, RosterVersion: view.RosterVersion, Expiry: view.LogTime + 86_400_000, Payload: d.Marshal()}
	for _, by := range h[:2] {
		p, err := a.Approve(view.Network, by.Number, by.Envelope)
		must(w.t, err)
		a.Approvals = append(a.Approvals, p)
	}
	sender, _ := view.Member(h[2].Number)
	e, err := envelope.BuildAct(envelope.Link{
		Network: view.Network, Hospital: h[2].Number, Sequence: sender.Chain.Sequence + 1, Attempt: 7, Previous: sender.Chain.ID, SignedAt: view.LogTime,
	}, a.Marshal(), h[2].Envelope)
	must(w.t, err)
	must(w.t, m.Follow([]machine.Command{{Raw: e.Marshal(), LeaderTime: view.LogTime}}, d.Size+1))
	must(w.t, w.log.Close())
	w.log.Machine = m
}

func TestWhatARecoveryLostIsTakenAgain(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		kept, lost, waits := plains("kept", 3), plains("lost", 4), plains("waits", 2)
		w.add(kept)
		w.drain()
		cut := w.log.View().Envelopes
		w.add(lost)
		w.drain()
		w.crash()
		w.open()
		w.adoptNow()
		w.add(waits) // under way when the majority was lost
		w.crash()
		w.recovered(cut)
		w.open()
		w.run()
		must(t, w.Ready(t.Context()))
		list, err := w.Lost()
		if err != nil || len(list) != 1 || len(list[0].Entries) != len(lost) || list[0].Number != cut {
			t.Fatalf("lost: %+v, %v", list, err)
		}
		if !strings.Contains(w.logged.String(), "were lost at the recovery") {
			t.Errorf("nobody is told:\n%s", w.logged.String())
		}
		w.wantKnown(kept)
		w.restart(w.dir) // once more changes nothing
		must(t, w.Ready(t.Context()))
		for _, placed := range w.add(lost) {
			for i, p := range placed {
				if p.Known {
					t.Errorf("entry %d is not taken again", i)
				}
			}
		}
		w.drain()
		w.wantInLog(kept, waits, lost)
		w.wantOneEnvelopePerAttempt()
		if list, err := w.Lost(); err != nil || len(list) != 0 {
			t.Errorf("still lost: %+v, %v", list, err)
		}
		if left, err := os.ReadDir(w.store.lostDir()); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}

// The hospital whose institution sent the recovery act finds it in the log, and what
// it had under way goes behind it.
func TestWhoSentTheRecoveryGoesOnBehindIt(t *testing.T) {
	inWorld(t, 3, func(t *testing.T, w *world) {
		w.run()
		kept, waits := plains("kept", 3), plains("waits", 2)
		w.add(kept)
		w.drain()
		w.crash()
		w.open()
		w.adoptNow()
		w.add(waits)
		w.crash()
		w.recovered(w.log.View().Envelopes)
		w.open()
		w.run()
		w.drain()
		w.wantInLog(kept, waits)
		w.wantOneEnvelopePerAttempt()
	})
}
