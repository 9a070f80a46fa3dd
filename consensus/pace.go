package consensus

import (
	"context"
	"sync"
	"time"
)

// fetchAhead is what the pacer of fetches lets pass at once: short bursts, as of
// a mirror that follows the log, are not slowed.
const fetchAhead = 10 * time.Second

// pacer spaces work so that in the long run no more than perSecond bytes pass.
type pacer struct {
	perSecond uint64        // 0: as fast as can be
	ahead     time.Duration // how much of what was not used before may pass at once

	mu   sync.Mutex
	free time.Time // when all that has passed is paid for
}

// passed accounts for bytes that have passed, and waits until more may. It
// reports false if the context ended first.
func (p *pacer) passed(ctx context.Context, bytes uint64) bool {
	if p.perSecond == 0 {
		return ctx.Err() == nil
	}
	now := time.Now()
	p.mu.Lock()
	if earliest := now.Add(-p.ahead); p.free.Before(earliest) {
		p.free = earliest
	}
	p.free = p.free.Add(time.Duration(float64(bytes) / float64(p.perSecond) * float64(time.Second)))
	wait := p.free.Sub(now)
	p.mu.Unlock()
	return wait <= 0 || pause(ctx, wait)
}
