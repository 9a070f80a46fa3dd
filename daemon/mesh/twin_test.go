package mesh

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// A heard is one greeting of a story: who sent it with which count, when the
// connection began and when the greeting came.
type heard struct {
	process        byte
	count          uint64
	began, arrived int
	want           error
}

func TestTwinsAreToldFromRestarts(t *testing.T) {
	const a, b, c = 1, 2, 3
	for name, story := range map[string][]heard{
		"a process that stays":                       {{a, 1, 0, 1, nil}, {a, 2, 2, 3, nil}, {a, 3, 4, 5, nil}},
		"a restart":                                  {{a, 1, 0, 1, nil}, {b, 1, 2, 3, nil}, {b, 2, 4, 5, nil}},
		"many restarts":                              {{a, 1, 0, 1, nil}, {b, 1, 2, 3, nil}, {c, 1, 4, 5, nil}, {c, 2, 6, 7, nil}},
		"a twin":                                     {{a, 1, 0, 1, nil}, {b, 1, 2, 3, nil}, {a, 2, 4, 5, ErrTwin}},
		"a twin, both of whom stay refused":          {{a, 1, 0, 1, nil}, {b, 1, 2, 3, nil}, {a, 2, 4, 5, ErrTwin}, {a, 3, 6, 7, ErrTwin}, {b, 2, 8, 9, ErrTwin}},
		"a third process after a twin":               {{a, 1, 0, 1, nil}, {b, 1, 2, 3, nil}, {a, 2, 4, 5, ErrTwin}, {c, 1, 6, 7, nil}, {c, 2, 8, 9, nil}, {b, 2, 10, 11, ErrTwin}},
		"a twin behind a restart":                    {{a, 1, 0, 1, nil}, {b, 1, 2, 3, nil}, {c, 1, 4, 5, nil}, {a, 2, 6, 7, ErrTwin}, {c, 2, 8, 9, ErrTwin}},
		"a greeting that was under way at a restart": {{a, 1, 0, 1, nil}, {b, 1, 3, 4, nil}, {a, 2, 2, 5, errStale}, {b, 2, 6, 7, nil}},
		"a first greeting that a restart overtook":   {{b, 1, 1, 2, nil}, {a, 1, 0, 3, nil}}, // taken for the younger, until b is heard
		"two greetings that overtook each other":     {{a, 2, 1, 2, nil}, {a, 1, 0, 3, nil}, {a, 3, 4, 5, nil}},
		"memory that was copied: counts come twice":  {{a, 7, 0, 1, nil}, {a, 8, 2, 3, nil}, {a, 8, 4, 5, ErrTwin}},
		"memory that was set back":                   {{a, 7, 0, 1, nil}, {a, 3, 2, 3, ErrTwin}},
	} {
		t.Run(name, func(t *testing.T) {
			var l processes
			start := time.Now()
			at := func(step int) time.Time { return start.Add(time.Duration(step) * time.Millisecond) }
			for i, h := range story {
				err := l.hear(greeting{process: [16]byte{h.process}, count: h.count}, at(h.began), at(h.arrived))
				if !errors.Is(err, h.want) {
					t.Fatalf("greeting %d: %v, want %v", i, err, h.want)
				}
			}
		})
	}
}

func TestMemoryOfProcessesIsBounded(t *testing.T) {
	var l processes
	for i := range 3 * maxProcesses {
		if err := l.hear(greeting{process: [16]byte{byte(i)}, count: 1}, time.Now(), time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if len(l) != maxProcesses {
		t.Errorf("%d processes are remembered, want %d", len(l), maxProcesses)
	}
}

// twin starts a mesh of a node that counts how often it is told of a twin.
func (w *world) twin(t *testing.T, node string) (m *Mesh, told *atomic.Int64) {
	t.Helper()
	told = new(atomic.Int64)
	cfg := w.config(node)
	cfg.Twin = func(peer NodeID) { told.Add(1) }
	return start(t, cfg), told
}

func TestTwinsLoseTheirSessionsAndAreTold(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	a, c := w.start(t, "a"), w.start(t, "c")
	echo(t, a, ClassRaft)
	c.SetPeers([]Target{target(a)})
	first, toldFirst := w.twin(t, "b")
	first.SetPeers([]Target{target(a)})
	ask(t, first, "a", ClassRaft, "alone")
	second, toldSecond := w.twin(t, "b")
	second.SetPeers([]Target{target(a)})
	until(t, "both are told", func() bool { return toldFirst.Load() > 0 && toldSecond.Load() > 0 })
	until(t, "a has sessions with c alone", func() bool { return len(a.Connected()) == 2 && living(a) == 2 })
	ask(t, c, "a", ClassRaft, "undisturbed")
	if got := a.Twins(); !slices.Equal(got, []NodeID{"b"}) {
		t.Errorf("a lists the twins %v, want b", got)
	}
	first.Close()
	second.Close()
	third, toldThird := w.twin(t, "b")
	third.SetPeers([]Target{target(a)})
	ask(t, third, "a", ClassRaft, "the only one")
	if n := toldThird.Load(); n > 0 {
		t.Errorf("the process begun after both was told of a twin %d times", n)
	}
	if got := a.Twins(); len(got) > 0 {
		t.Errorf("a still lists the twins %v", got)
	}
}

func TestATwinIsMetByDiallingItToo(t *testing.T) {
	w := newWorld(t, "a", "b")
	a := w.start(t, "a")
	first, _ := w.twin(t, "b")
	a.SetPeers([]Target{target(first)})
	until(t, "a has dialled b", func() bool { return len(a.Connected()) == 2 })
	second, told := w.twin(t, "b")
	second.SetPeers([]Target{target(a)})
	until(t, "the second has taken the first's place", func() bool { return len(second.Connected()) == 2 })
	second.SetPeers(nil)
	for class := range classCount {
		a.sessionAt(slot{"b", class}).end(errors.New("lost"))
	}
	until(t, "a has dialled the first again", func() bool { return errors.Is(failureOf(t, a, "b"), ErrTwin) })
	second.SetPeers([]Target{target(a)})
	until(t, "the second is told", func() bool { return told.Load() > 0 })
	until(t, "a has no session with either", func() bool { return living(a) == 0 })
}

func TestRestartsAreNoTwins(t *testing.T) {
	w := newWorld(t, "a", "b")
	a, toldA := w.twin(t, "a")
	echo(t, a, ClassAPI)
	for range 12 {
		b, toldB := w.twin(t, "b")
		a.SetPeers([]Target{target(b)}) // both dial, at once
		b.SetPeers([]Target{target(a)})
		ask(t, b, "a", ClassAPI, "after a restart")
		b.Close() // in the middle of whatever the other class is at
		if n := toldA.Load() + toldB.Load(); n > 0 {
			t.Fatalf("told of a twin %d times", n)
		}
	}
}

func TestAGreetingThatOutlivedItsProcessIsNoTwin(t *testing.T) {
	w := newWorld(t, "a", "b")
	a := w.start(t, "a")
	echo(t, a, ClassAPI)
	before := w.start(t, "b")
	known := dialSlowly(t, before, a)
	known.greet(a)
	if _, err := known.finish(); err != nil {
		t.Fatal(err)
	}
	before.sessionAt(known.at).end(errors.New("lost"))
	until(t, "the session is gone", func() bool { return before.sessionAt(known.at) == nil })
	late := dialSlowly(t, before, a)
	after, told := w.twin(t, "b")
	after.SetPeers([]Target{target(a)})
	ask(t, after, "a", ClassAPI, "from the new process")
	late.greet(a)
	if _, err := late.finish(); !errors.Is(err, errDuplicate) {
		t.Errorf("the late greeting: %v, want %v", err, errDuplicate)
	}
	ask(t, after, "a", ClassAPI, "still there")
	if n := told.Load(); n > 0 {
		t.Errorf("told of a twin %d times", n)
	}
}
