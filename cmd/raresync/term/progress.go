package term

import (
	"fmt"
	"sync"
	"time"
)

// How often a progress line is renewed: often enough to look alive on a
// terminal, seldom enough not to fill a journal.
const (
	liveInterval  = 100 * time.Millisecond
	plainInterval = 10 * time.Second
)

// Progress counts long work on one line of a [Screen].
type Progress struct {
	screen *Screen
	label  string
	total  int64
	start  time.Time

	mu    sync.Mutex
	done  int64     // guarded by mu
	drawn time.Time // guarded by mu: when the line was last renewed
}

// Progress starts counting work of total units; a total of 0 or less means
// that nobody knows how much there is. Call Close at the end.
func (s *Screen) Progress(label string, total int64) *Progress {
	now := time.Now()
	p := &Progress{screen: s, label: Clean(label), total: total, start: now, drawn: now}
	s.draw(p.text(0, 0))
	return p
}

// Add counts n more units as done and renews the line when it is due.
func (p *Progress) Add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	interval, show := plainInterval, p.screen.line
	if p.screen.live {
		interval, show = liveInterval, p.screen.draw
	}
	now := time.Now()
	if now.Sub(p.drawn) < interval {
		return
	}
	p.drawn = now
	show(p.text(p.done, now.Sub(p.start)))
}

// Close prints how far the work came as a line that stays.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.line(p.text(p.done, time.Since(p.start)))
}

func (p *Progress) text(done int64, took time.Duration) string {
	elapsed := took.Round(time.Second)
	if p.total <= 0 {
		return fmt.Sprintf("%s: %d, %s", p.label, done, elapsed)
	}
	percent := float64(done) / float64(p.total) * 100
	return fmt.Sprintf("%s: %d/%d (%.0f%%), %s", p.label, done, p.total, percent, elapsed)
}
