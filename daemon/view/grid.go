package view

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/raresync/raresync/consensus/state"
)

// ErrNoMonth reports a monthly view of a log that has no complete month.
var ErrNoMonth = errors.New("no month of the log is complete yet")

// grid is where the months of the log end: what is published is of a complete one, so
// that two prints of it are set against each other in vain.
type grid struct {
	month Month // that has begun
	upTo  uint64
}

// ended returns how many envelopes came before the month of a state; known is false if
// that is to be looked up.
func (v *View) ended(s *state.State) (upTo uint64, known bool) {
	if !v.cfg.Monthly {
		return s.Envelopes, true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.grid.upTo, v.grid.month == Month(monthOf(s.LogTime))
}

// upTo returns how many envelopes of a state are in the view, and the month that a
// monthly one ends with.
func (v *View) upTo(s *state.State) (envelopes uint64, ends Month, err error) {
	if !v.cfg.Monthly {
		return s.Envelopes, 0, nil
	}
	month := Month(monthOf(s.LogTime))
	upTo, known := v.ended(s)
	if !known {
		if upTo, err = v.before(month, s.Envelopes); err != nil {
			return 0, 0, err
		}
		v.mu.Lock()
		v.grid = grid{month, upTo}
		v.mu.Unlock()
	}
	if upTo == 0 {
		return 0, 0, ErrNoMonth
	}
	return upTo, month - 1, nil
}

// before counts the envelopes, of the first n, that came before a month: log time never
// falls.
func (v *View) before(month Month, n uint64) (uint64, error) {
	begins := time.Date(int(month/12), time.Month(month%12)+1, 1, 0, 0, 0, 0, china).UnixMilli()
	var failed error
	at := sort.Search(int(n), func(i int) bool {
		_, logTime, err := v.cfg.Node.Machine().Envelope(uint64(i))
		failed = errors.Join(failed, err)
		return logTime >= uint64(begins)
	})
	if failed != nil {
		return 0, fmt.Errorf("view: where a month ends: %w", failed)
	}
	return uint64(at), nil
}

// member tells of an institution when a number of envelopes was there: whether it
// had joined, and whether it had left.
func (v *View) member(s *state.State, institution uint32, upTo uint64) (joined, gone bool) {
	m := &s.Members[institution-1]
	joined = len(m.Signing) == 0 || m.Signing[0].From <= upTo
	gone = slices.ContainsFunc(s.Removals, func(r state.Removal) bool { return r.Institution == institution && r.At < upTo })
	return joined, gone
}
