package consensus

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestAPacerLetsPassWhatItIsSetTo in false time.
func TestAPacerLetsPassWhatItIsSetTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{perSecond: 1000, ahead: 10 * time.Second}
		took := func(bytes uint64) time.Duration {
			began := time.Now()
			if !p.passed(t.Context(), bytes) {
				t.Error("the context has not ended")
			}
			return time.Since(began)
		}
		for _, step := range []struct {
			what  string
			bytes uint64
			want  time.Duration
		}{
			{"a burst of what was not used", 10_000, 0},
			{"a second's worth behind it", 1000, time.Second},
			{"a hundred seconds' worth", 100_000, 100 * time.Second},
			{"one more byte", 1, time.Millisecond},
		} {
			if d := took(step.bytes); d != step.want {
				t.Errorf("%s: waited %v, want %v", step.what, d, step.want)
			}
		}
		time.Sleep(time.Hour) // of the bubble's false time: it takes none
		if d := took(10_000) + took(500); d != 500*time.Millisecond {
			t.Errorf("after an idle hour: waited %v, want that no more than ten seconds are saved up", d)
		}
		even := pacer{perSecond: 1000} // as the scrub's: a start has better things to read
		began := time.Now()
		if !even.passed(t.Context(), 500) || time.Since(began) != 500*time.Millisecond {
			t.Errorf("with nothing saved up: waited %v, want half a second", time.Since(began))
		}
	})
}

func TestAPacerWithoutARateAndOneThatIsCutShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	free, slow := pacer{}, pacer{perSecond: 1}
	if !free.passed(ctx, 1<<40) {
		t.Error("without a rate it waited")
	}
	cancel()
	if free.passed(ctx, 1) || slow.passed(ctx, 1<<20) {
		t.Error("it goes on after the context ended")
	}
}
