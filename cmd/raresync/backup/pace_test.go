package backup

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestCopyingIsHeldBackToItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pace{perSecond: 1000}
		start := time.Now()
		for range 5 {
			if err := p.wait(t.Context(), 500); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 2500*time.Millisecond {
			t.Errorf("2500 bytes at 1000 bytes a second took %v", took)
		}
		time.Sleep(time.Minute) // saves nothing up
		start = time.Now()
		if err := p.wait(t.Context(), 1000); err != nil || time.Since(start) != time.Second {
			t.Errorf("1000 bytes after a minute took %v, %v", time.Since(start), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.wait(ctx, 1000); !errors.Is(err, context.Canceled) {
			t.Errorf("after a signal: %v", err)
		}
	})
}
