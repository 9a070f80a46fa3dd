package outbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

// wantKnown checks that dropping entries again adds nothing.
func (w *world) wantKnown(groups ...[]Entry) {
	w.t.Helper()
	for g, placed := range w.add(groups...) {
		for i, p := range placed {
			if !p.Known {
				w.t.Errorf("entry %d of group %d was taken a second time", i, g)
			}
		}
	}
}

func TestAHospitalThatLostItsOutboxFindsItsEntriesInTheLog(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		before, placed := plains("before", 5), []Placed(nil)
		placed = w.add(before)[0]
		_, err := w.AddAct(t.Context(), w.unopenable(3))
		must(t, err)
		w.drain()
		w.restart(t.TempDir())
		w.wantKnown(before)
		if sequence, err := w.AddAct(t.Context(), w.unopenable(3)); err != nil || sequence != 0 {
			t.Errorf("the act was taken again as sequence %d, %v", sequence, err)
		}
		w.wantIndexes(before, placed) // the receipts are back too
		after := plains("after", 2)
		w.add(after)
		w.drain()
		w.wantInLog(before, after)
		w.wantOneEnvelopePerAttempt()
		if got := w.attempts(); len(got) != 3 || got[2] < 1_000_000_000 {
			t.Errorf("attempts %v, want the clock's seconds for the first after the loss", got)
		}
	})
}

// restored makes a hospital that has a backup and a log that went on without
// it. The backup holds under way: three envelopes, the entries of the second of
// which are in the log by now, in one envelope with others.
func (w *world) restored() (backup string, log, pending [][]Entry) {
	w.t.Helper()
	w.run()
	first := plains("first", 3)
	w.add(first)
	w.drain()
	w.crash()
	w.open()
	w.adoptNow()
	pending = [][]Entry{plains("lost place", 4), plains("twice", 5), plains("behind", 2)}
	for _, g := range pending {
		w.add(g)
	}
	backup = w.copied()
	w.restart(w.t.TempDir())
	since := append(plains("since then", 2), pending[1]...)
	w.add(since)
	w.drain()
	w.add(plains("and more", 1))
	w.drain()
	return backup, [][]Entry{first, since, plains("and more", 1)}, pending
}

func (w *world) adoptNow() {
	w.t.Helper()
	must(w.t, w.adopt(w.t.Context()))
}

func TestWhatABackupHadUnderWayGoesBehindWhatTheLogHoldsSince(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		backup, log, pending := w.restored()
		w.restart(backup)
		w.drain()
		w.wantInLog(append(log, pending[0], pending[2])...)
		w.wantOneEnvelopePerAttempt()
		w.wantKnown(append(log, pending...)...)
		if _, alarm := w.Pending(); alarm != "" {
			t.Errorf("alarm %q", alarm)
		}
		var sequences []uint64
		for _, e := range w.accepted() {
			sequences = append(sequences, e.Sequence)
		}
		if want := []uint64{1, 2, 3, 4, 5}; !slices.Equal(sequences, want) {
			t.Errorf("sequences %v, want %v: the one with nothing left is not sent", sequences, want)
		}
		w.restart(w.dir)
		w.wantKnown(append(log, pending...)...)
	})
}

// adoptionCrashes do some steps of an adoption on the restored outbox and
// leave it as a crash right after them would.
var adoptionCrashes = map[string]func(w *world){
	"before the first step": func(*world) {},
	"one envelope's entries remembered, no receipt": func(w *world) {
		w.takeInSome(1, func(r Receipt) error { return w.store.remember(r.Entries) })
	},
	"an entry half remembered": func(w *world) {
		w.takeInSome(1, func(r Receipt) error {
			_, err := w.store.knows.Write(r.Entries[0][:9])
			return err
		})
	},
	"one envelope taken in": func(w *world) { w.takeInSome(1, w.adoptReceipt) },
	"all taken in":          func(w *world) { w.takeInSome(2, w.adoptReceipt) },
	"a new envelope half written": func(w *world) {
		w.requeueUpTo(func(items []*item) error { return w.store.prepare(items[:1]) })
	},
	"all new envelopes written, not yet counting": func(w *world) {
		w.requeueUpTo(w.store.prepare)
	},
	"the new envelopes count, the old ones are there": func(w *world) {
		w.requeueUpTo(func(items []*item) error {
			must(w.t, w.store.prepare(items))
			return w.store.commit()
		})
	},
	"the new envelopes count, the old ones are half gone": func(w *world) {
		w.requeueUpTo(func(items []*item) error {
			must(w.t, w.store.prepare(items))
			must(w.t, w.store.commit())
			return os.Remove(w.store.envelopePath(2))
		})
	},
	"the new envelopes count, the old ones are gone": func(w *world) {
		w.requeueUpTo(func(items []*item) error {
			must(w.t, w.store.prepare(items))
			must(w.t, w.store.commit())
			return os.RemoveAll(filepath.Join(w.dir, "envelopes"))
		})
	},
	"all done, nothing sent": func(w *world) { w.adoptNow() },
}

func (w *world) takeInSome(n int, step func(Receipt) error) {
	w.t.Helper()
	m, _ := w.log.View().Member(w.member.Number)
	numbers, err := w.unknown(m.Chain)
	must(w.t, err)
	if len(numbers) != 2 {
		w.t.Fatalf("%d envelopes of the log are unknown, want 2", len(numbers))
	}
	for _, number := range numbers[:n] {
		r, unread, err := w.fromLog(number)
		must(w.t, err)
		if unread > 0 {
			w.t.Fatalf("%d entries do not open", unread)
		}
		r.Checkpoint = []byte("note")
		must(w.t, step(r))
	}
}

func (w *world) requeueUpTo(step func([]*item) error) {
	w.t.Helper()
	w.takeInSome(2, w.adoptReceipt)
	m, _ := w.log.View().Member(w.member.Number)
	end, _, err := w.end(m.Chain)
	must(w.t, err)
	kept, lost, err := w.split(end)
	must(w.t, err)
	renewed, err := w.renewAll(lost, end)
	must(w.t, err)
	if len(kept) != 0 || len(lost) != 3 || len(renewed) != 2 {
		w.t.Fatalf("kept %d, lost %d, renewed %d; want 0, 3, 2", len(kept), len(lost), len(renewed))
	}
	must(w.t, step(renewed))
}

func TestACrashAtAnyStepOfAnAdoptionLosesNothingAndDoublesNothing(t *testing.T) {
	for name, crash := range adoptionCrashes {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(t *testing.T, w *world) {
				backup, log, pending := w.restored()
				w.crash()
				w.dir = backup
				w.open()
				crash(w)
				w.restart(w.dir)
				w.drain()
				w.wantInLog(append(log, pending[0], pending[2])...)
				w.wantOneEnvelopePerAttempt()
				w.wantKnown(append(log, pending...)...)
				w.restart(w.dir)
				w.wantKnown(append(log, pending...)...)
			})
		})
	}
}

func TestAnEarlierLifesEnvelopeThatArrivesLateDoesNotStopTheHospital(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		earlier := plains("earlier", 2)
		w.add(earlier)
		late := w.items[0].env
		w.restart(t.TempDir())
		entries := plains("entry", 3)
		first := true
		w.log.set(func() {
			w.log.line = func(e *envelope.Envelope, deliver func() (consensus.Outcome, error)) (consensus.Outcome, error) {
				if first {
					first = false
					_, err := w.log.Apply(late.Marshal(), uint64(w.log.now().UnixMilli()))
					must(t, err)
				}
				return deliver()
			}
		})
		w.add(entries, plains("more", 1))
		w.drain()
		w.wantInLog(earlier, entries, plains("more", 1))
		w.wantKnown(earlier, entries)
		w.wantOneEnvelopePerAttempt()
	})
}

func TestASecondInstanceOfAHospitalIsFenced(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		w.add(plains("shared", 1))
		w.drain()
		twin := &world{t: t, member: w.member, dir: w.copied(), log: w.log}
		twin.open()
		twin.run()
		defer twin.crash()
		twin.adoptNow()
		w.pass(time.Hour)
		w.add(plains("here", 1))
		w.drain()
		twin.add(plains("there", 1))
		w.pass(time.Minute)
		if n, alarm := twin.Pending(); n != 1 || !strings.Contains(alarm, "second instance") || !strings.Contains(alarm, "SEQ-FORK") {
			t.Errorf("%d under way, alarm %q; want 1 and a second instance", n, alarm)
		}
		w.wantInLog(plains("shared", 1), plains("here", 1))
		w.crash() // the operator stops one and restarts the other
		twin.restart(twin.dir)
		twin.drain()
		twin.wantInLog(plains("shared", 1), plains("here", 1), plains("there", 1))
		twin.wantKnown(plains("here", 1))
	})
}

func TestACopyThatIsBehindTheReceiptsChangesNothing(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		w.run()
		w.add(plains("first", 1))
		w.drain()
		old := w.log.Machine.View()
		w.add(plains("second", 1))
		w.drain()
		w.crash()
		w.open()
		w.adoptNow()
		w.add(plains("third", 1))
		third := w.items[0].env.ID()
		w.crash()
		w.log.bent = func(*state.State) *state.State { return old }
		w.open()
		w.adoptNow()
		if len(w.items) != 1 || w.items[0].env.ID() != third {
			t.Error("an envelope that follows the newest receipt was built anew")
		}
		w.log.bent = nil
		w.run()
		w.drain()
		w.wantInLog(plains("first", 1), plains("second", 1), plains("third", 1))
	})
}
