package outbox

import "testing"

func TestEntriesAreFoundOnTheirWayAndInTheLog(t *testing.T) {
	inWorld(t, 2, func(t *testing.T, w *world) {
		old, fresh := plains("old", 3), plains("fresh", 2)
		at := w.add(old)[0][0].Sequence
		w.run()
		w.drain()
		ids := map[[32]byte]bool{old[1].ID: true, fresh[0].ID: true, plain("never").ID: true}
		found, err := w.Where(ids)
		must(t, err)
		if len(found) != 1 || found[old[1].ID] != at {
			t.Errorf("found %v, want one in %d", found, at)
		}
		next := w.add(fresh)[0][0].Sequence
		found, err = w.Where(ids)
		must(t, err)
		if len(found) != 2 || found[fresh[0].ID] != next {
			t.Errorf("found %v, want one in %d as well", found, next)
		}
		w.drain()
		r, err := w.WaitReceipt(t.Context(), found[fresh[0].ID])
		must(t, err)
		if _, ok := r.Index(fresh[0].ID); !ok {
			t.Error("the receipt is of another envelope")
		}
	})
}
