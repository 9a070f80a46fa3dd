package mesh

import (
	"testing"
	"time"
)

func TestRedialledAtOnceAfterASessionThatHeld(t *testing.T) {
	for name, tc := range map[string]struct{ backoff, lasted, pause, next time.Duration }{
		"an attempt that failed":                   {time.Second, 0, time.Second, 2 * time.Second},
		"the longest pause":                        {maxBackoff, 0, maxBackoff, maxBackoff},
		"a session that ended as it began":         {time.Second, 10 * time.Millisecond, time.Second, 2 * time.Second},
		"two seconds between a node's restarts":    {time.Second, 2 * time.Second, minBackoff, 2 * minBackoff},
		"a session that comes and goes with pause": {time.Second, time.Second, time.Second, 2 * time.Second},
	} {
		if pause, next := nextPause(tc.backoff, tc.lasted); pause != tc.pause || next != tc.next {
			t.Errorf("%s: pause %s, then %s; want %s, then %s", name, pause, next, tc.pause, tc.next)
		}
	}
}
