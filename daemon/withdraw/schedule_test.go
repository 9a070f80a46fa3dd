package withdraw

import (
	"math/rand/v2"
	"testing"
	"time"
)

// source is a reader of random bytes that a seed repeats.
func source(seed uint64) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}) }

var day = time.UnixMilli(1_790_000_000_000)

func due(t *testing.T, s Schedule, asked time.Time, others []time.Time, random *rand.ChaCha8) time.Time {
	t.Helper()
	at, err := s.Due(asked, others, random)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAWithdrawalIsPostedWithinTheSpreadAndNotBefore(t *testing.T) {
	s, random := Schedule{Spread: 72 * time.Hour}, source(1)
	for i := range 1000 {
		asked := day.Add(time.Duration(i) * 17 * time.Minute)
		at := due(t, s, asked, nil, random)
		if at.Before(asked) || at.After(asked.Add(s.Spread)) || at.After(s.Latest(asked)) {
			t.Fatalf("asked at %s, posted at %s, said by %s", asked, at, s.Latest(asked))
		}
	}
}

func TestPatientsOfOneWindowGoTogether(t *testing.T) {
	s, random := Schedule{Spread: 72 * time.Hour}, source(2)
	start := time.UnixMilli(s.window(day) * s.width().Milliseconds())
	first := due(t, s, start, nil, random)
	for _, after := range []time.Duration{time.Millisecond, time.Hour, 36*time.Hour - time.Millisecond} {
		if at := due(t, s, start.Add(after), []time.Time{first}, random); !at.Equal(first) {
			t.Errorf("%s later, in the same window: posted at %s, want %s", after, at, first)
		}
	}
	if at := due(t, s, start.Add(36*time.Hour), []time.Time{first}, random); at.Equal(first) || at.Before(start.Add(72*time.Hour)) {
		t.Errorf("in the next window: posted at %s", at)
	}
	other := due(t, s, start.Add(time.Hour), nil, source(3))
	if other.Equal(first) || s.window(other) != s.window(first) {
		t.Errorf("another hospital posts at %s, want another moment of the window of %s", other, first)
	}
}

func TestMomentsAreDrawnFromAllOfTheWindow(t *testing.T) {
	s, random := Schedule{Spread: 72 * time.Hour}, source(4)
	var tenths [10]int
	for range 5000 {
		into := due(t, s, day, nil, random).UnixMilli() % s.width().Milliseconds()
		tenths[into*10/s.width().Milliseconds()]++
	}
	for i, n := range tenths {
		if n < 400 || n > 600 {
			t.Errorf("%d of 5000 moments lie in the %d. tenth of the window", n, i+1)
		}
	}
}

func TestWithoutASpreadEverythingIsPostedAtOnce(t *testing.T) {
	if at := due(t, Schedule{}, day, nil, source(5)); !at.Equal(day) || !(Schedule{}).Latest(day).Equal(day) {
		t.Errorf("posted at %s", at)
	}
}

// A hospital that is slower than its network wants goes by the network from when
// an act says so.
func TestTheNetworkBoundsTheSpread(t *testing.T) {
	most := 720 * time.Hour
	s := Schedule{Spread: 72 * time.Hour, Most: func() time.Duration { return most }}
	asked, random := day, source(3)
	for _, want := range []struct{ most, within time.Duration }{{720 * time.Hour, 72 * time.Hour}, {24 * time.Hour, 24 * time.Hour}, {time.Hour, time.Hour}} {
		most = want.most
		for range 50 {
			due, err := s.Due(asked, nil, random)
			if err != nil || due.Before(asked) || due.Sub(asked) > want.within {
				t.Fatalf("within %s: due after %s, %v", want.most, due.Sub(asked), err)
			}
		}
		if latest := s.Latest(asked); latest.Sub(asked) > want.within {
			t.Errorf("within %s: at the latest after %s", want.most, latest.Sub(asked))
		}
	}
}
