package machine_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/envelope"
)

// withGap returns a machine with the first envelope, saved, and a gap to the
// sixth.
func (h *history) withGap(t testing.TB, dir string) *machine.Machine {
	t.Helper()
	m := h.follower(t, dir, 1)
	if err := m.Restore(h.at[6]); err != nil {
		t.Fatal(err)
	}
	mustHaveGap(t, m, 2, 7)
	return m
}

func mustHaveGap(t testing.TB, m *machine.Machine, from, to uint64) {
	t.Helper()
	if a, b, open := m.Gap(); !open || a != from || b != to {
		t.Fatalf("gap from %d to %d, %t, want %d to %d", a, b, open, from, to)
	}
}

// fill fills with envelopes from number first on, all of which must be taken.
func fill(t testing.TB, m *machine.Machine, log []sent) {
	t.Helper()
	for _, e := range log {
		if err := fillOne(m, e); err != nil {
			t.Fatalf("fill: %v", err)
		}
	}
}

func fillOne(m *machine.Machine, e sent) error {
	return m.Fill([]machine.Command{{Raw: e.raw, LeaderTime: e.logTime}})
}

func TestGapIsFilledByAnyPeerAndClosesWithEqualState(t *testing.T) {
	h := newHistory(t)
	m := h.withGap(t, t.TempDir())
	for n := 1; n < 6; n++ {
		mustHaveGap(t, m, uint64(n+1), 7)
		fill(t, m, h.log[n:n+1])
	}
	if _, _, open := m.Gap(); open {
		t.Error("the gap is still open")
	}
	mustEqual(t, m, h.at[6])
	if err := fillOne(m, h.log[5]); err == nil {
		t.Error("filled without a gap")
	}
	apply(t, m, entries(t, m.View(), h.net.Hospitals[2], 1, 1).Marshal(), now)
}

func TestNothingIsAnsweredFromAGap(t *testing.T) {
	h := newHistory(t)
	m := h.withGap(t, t.TempDir())
	fill(t, m, h.log[1:4])
	if _, err := m.Snapshot(); !errors.Is(err, machine.ErrGap) {
		t.Errorf("Snapshot: %v", err)
	}
	if _, err := m.Check(h.log[4].raw, now); !errors.Is(err, machine.ErrGap) {
		t.Errorf("Check: %v", err)
	}
	for _, n := range []int{1, 3, 6} {
		if _, err := m.RootAt(h.at[n].State.Tree.Size()); !errors.Is(err, machine.ErrGap) {
			t.Errorf("RootAt envelope %d: %v", n, err)
		}
	}
	if got := m.View().Envelopes; got != 2 {
		t.Errorf("View shows %d envelopes, want the 2 below the gap", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Wait(ctx, func(*state.State) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	fill(t, m, h.log[4:])
	if s, err := m.Wait(t.Context(), func(*state.State) bool { return true }); err != nil || s.Envelopes != 7 {
		t.Errorf("Wait after the gap: %v", err)
	}
}

func TestApplyWaitsUntilTheGapIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t)
		m := h.withGap(t, t.TempDir())
		raw := entries(t, h.voter.View(), h.net.Hospitals[2], 1, 1).Marshal()
		applied := make(chan machine.Outcome, 1)
		go func() {
			out, err := m.Apply(raw, now+90_000)
			if err != nil {
				t.Error(err)
			}
			applied <- out
		}()
		for n := 1; n < 6; n++ {
			synctest.Wait()
			if len(applied) != 0 {
				t.Fatalf("applied into a gap, before envelope %d", n+1)
			}
			fill(t, m, h.log[n:n+1])
		}
		if out := <-applied; out.Refusal != nil || out.Number != 7 {
			t.Errorf("got %+v, want envelope 7", out)
		}
	})
}

// Raft's shutdown waits for Apply, and a node may be shut down in a gap.
func TestInterruptReleasesAWaitingApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(t)
		for name, stop := range map[string]func(*machine.Machine){
			"interrupted": (*machine.Machine).Interrupt,
			"closed":      func(m *machine.Machine) { _ = m.Close() },
		} {
			m := h.withGap(t, t.TempDir())
			answer := make(chan error, 1)
			go func() {
				_, err := m.Apply(h.log[1].raw, now)
				answer <- err
			}()
			synctest.Wait()
			stop(m)
			if err := <-answer; !errors.Is(err, machine.ErrClosed) {
				t.Errorf("%s: got %v, want ErrClosed", name, err)
			}
			if _, err := m.Apply(h.log[1].raw, now); !errors.Is(err, machine.ErrClosed) {
				t.Errorf("%s, a later one: got %v, want ErrClosed", name, err)
			}
		}
	})
}

// lies are what a peer may send into a gap from envelope 2 on, with honest
// envelopes after them. Each is seen at the latest when the gap would close.
func lies(t testing.TB, h *history) map[string][]sent {
	t.Helper()
	at := func(n int, logTime uint64) sent { return sent{h.log[n].raw, logTime} }
	broken := append([]byte(nil), h.log[2].raw...)
	broken[len(broken)-1] ^= 1
	before := h.follower(t, t.TempDir(), 1)
	other := entries(t, before.View(), h.net.Hospitals[1], 1, 2)
	stranger := entries(t, before.View(), h.net.Hospitals[2], 1, 1)
	last := h.log[5].logTime
	return map[string][]sent{
		"two hospitals' envelopes exchanged": {at(2, h.log[1].logTime), at(1, h.log[2].logTime), h.log[3], h.log[4], h.log[5]},
		"the last two exchanged":             {h.log[1], h.log[2], h.log[3], at(5, last), at(4, last)},
		"a later log time":                   {at(1, h.log[1].logTime+1), h.log[2], h.log[3], h.log[4], h.log[5]},
		"a log time beyond the next one's":   {at(1, h.log[2].logTime+1), h.log[2]},
		"a log time that goes back":          {h.log[1], at(2, h.log[1].logTime-1)},
		"an envelope left out":               {h.log[2], h.log[4], h.log[1], h.log[3], h.log[5]},
		"an envelope sent before":            {h.log[0]},
		"an envelope twice":                  {h.log[1], h.log[1]},
		"an envelope of another attempt":     {{other.Marshal(), h.log[1].logTime}, h.log[2], h.log[3]},
		"an envelope of another hospital":    {{stranger.Marshal(), h.log[1].logTime}, h.log[1], h.log[2], h.log[3], h.log[4]},
		"a broken envelope":                  {h.log[1], {broken, h.log[2].logTime}},
		"an envelope that skips":             {h.log[1], h.log[4]},
		"the genesis":                        {{h.net.Genesis.Marshal(), now}},
		"garbage":                            {{[]byte("garbage"), now}},
		"nothing":                            {{nil, now}},
	}
}

func TestWhatALyingPeerSentIsDroppedAndAnotherPeerFillsTheGap(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	for name, lie := range lies(t, h) {
		m := h.withGap(t, t.TempDir())
		var err error
		for _, e := range lie {
			if err = fillOne(m, e); err != nil {
				break
			}
		}
		if !errors.Is(err, machine.ErrDiverged) || errors.Is(err, ledger.ErrDamaged) {
			t.Errorf("%s: got %v, want ErrDiverged", name, err)
			continue
		}
		mustHaveGap(t, m, 2, 7)
		if got := m.Ledger().Lengths(); got != h.at[1].At || m.View().Envelopes != 2 {
			t.Errorf("%s: the ledger kept %d envelopes", name, got.Envelopes)
		}
		fill(t, m, h.log[1:])
		mustEqual(t, m, h.at[6])
	}
}

func TestGapIsOpenedAgainAfterACrash(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	for _, filled := range []int{1, 3, 5} {
		dir := t.TempDir()
		m := h.withGap(t, dir)
		fill(t, m, h.log[1:filled])
		if filled == 3 { // and a peer that lied was noticed before the power went
			if err := fillOne(m, h.log[0]); !errors.Is(err, machine.ErrDiverged) {
				t.Fatal(err)
			}
		}
		// What was filled was never saved, even if the ledger was fsynced.
		if _, err := m.Ledger().Sync(); err != nil {
			t.Fatal(err)
		}
		again := open(t, crash(t, dir), h.net.Genesis)
		mustEqual(t, again, h.at[1])
		if err := again.Restore(h.at[6]); err != nil {
			t.Fatal(err)
		}
		mustHaveGap(t, again, 2, 7)
		fill(t, again, h.log[1:])
		mustEqual(t, again, h.at[6])
	}
}

func TestSnapshotThatComesWhileAGapIsOpenMovesItsEnd(t *testing.T) {
	t.Parallel() // its time is fsync
	h := newHistory(t)
	for name, tc := range map[string]struct {
		filled, restore int
		from            uint64 // where the gap begins afterwards; 0 = none
	}{
		"a later one keeps what was filled":            {3, 6, 4},
		"the same once more":                           {3, 5, 4},
		"one that ends where the filling stands":       {3, 3, 2},
		"one within what was filled is not trusted":    {4, 3, 2},
		"one at the lower edge closes the gap":         {4, 1, 0},
		"one below the lower edge cuts it":             {4, 0, 0},
		"one at the lower edge before anything filled": {1, 1, 0},
	} {
		m := h.follower(t, t.TempDir(), 1)
		if err := m.Restore(h.at[5]); err != nil {
			t.Fatal(err)
		}
		fill(t, m, h.log[1:tc.filled])
		if err := m.Restore(h.at[tc.restore]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		from, to, open := m.Gap()
		if open != (tc.from != 0) || from != tc.from || open && to != uint64(tc.restore+1) {
			t.Errorf("%s: gap from %d to %d, %t, want from %d", name, from, to, open, tc.from)
		}
		if open {
			fill(t, m, h.log[from-1:tc.restore])
		}
		mustEqual(t, m, h.at[tc.restore])
	}
}

func TestReadersAndWritersDoNotDisturbEachOther(t *testing.T) {
	h := newHistory(t)
	m := h.withGap(t, t.TempDir())
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		for ctx.Err() == nil {
			view := m.View()
			if root, err := m.RootAt(view.Tree.Size()); err == nil && root != view.Tree.Root() {
				t.Error("root is not the view's")
			}
			_, _, _ = m.Gap()
			_, _ = m.Check(h.log[0].raw, now)
			if s, err := m.Snapshot(); err == nil && s.At.Envelopes != s.State.Envelopes {
				t.Error("snapshot of two moments")
			}
		}
	})
	for range 2 { // both wait for the gap; one gets the place, the other is told
		wg.Go(func() {
			raw := entries(t, h.voter.View(), h.net.Hospitals[2], 3, 1).Marshal()
			out, err := m.Apply(raw, now)
			if err != nil || out.Refusal != nil && out.Refusal.Code != state.CodeFork {
				t.Errorf("got %+v, %v", out.Refusal, err)
			}
		})
	}
	fill(t, m, h.log[1:])
	s, err := m.Wait(ctx, func(s *state.State) bool { return s.Envelopes == 8 })
	cancel()
	wg.Wait()
	if err != nil || s.Members[2].Chain.Sequence != 1 || s.Members[2].Chain.ID == (envelope.ID{}) {
		t.Errorf("after all: %v", err)
	}
}
