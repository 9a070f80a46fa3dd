package withdraw

import (
	"crypto/rand"
	"io"
	"math/big"
	"time"

	"github.com/raresync/raresync/consensus/fault"
)

// Schedule says when withdrawals are posted. Time is cut into windows of half
// the spread, the same at every hospital of that spread. What patients ask for within one
// window is posted together in the next one, at one moment drawn from it: at
// most Spread after it was asked for. So the moment says which window it was
// and nothing of when in it.
type Schedule struct {
	Spread time.Duration        // 0: everything is posted at once
	Most   func() time.Duration // the network's bound on Spread now; nil: none
}

// Due returns the moment at which a withdrawal that is asked for at a time is
// posted: that of others of the same window, if any, else a new one from random.
func (s Schedule) Due(asked time.Time, others []time.Time, random io.Reader) (time.Time, error) {
	s = s.now()
	width := s.width()
	if width <= 0 || fault.Planted(fault.PostAtOnce) {
		return asked, nil
	}
	next := s.window(asked) + 1
	for _, due := range others {
		if s.window(due) == next {
			return due, nil
		}
	}
	drawn, err := rand.Int(random, big.NewInt(width.Milliseconds()))
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(next*width.Milliseconds() + drawn.Int64()), nil
}

// Latest returns the latest moment at which Due may be.
func (s Schedule) Latest(asked time.Time) time.Time {
	s = s.now()
	width := s.width()
	if width <= 0 {
		return asked
	}
	return time.UnixMilli((s.window(asked) + 2) * width.Milliseconds())
}

// now returns the schedule within the network's bound of this moment.
func (s Schedule) now() Schedule {
	if s.Most != nil {
		s.Spread, s.Most = min(s.Spread, s.Most()), nil
	}
	return s
}

func (s Schedule) width() time.Duration { return (s.now().Spread / 2).Truncate(time.Millisecond) }

func (s Schedule) window(at time.Time) int64 { return at.UnixMilli() / s.width().Milliseconds() }
