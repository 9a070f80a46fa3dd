package quota

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
)

// askedDays is how far back a hospital remembers what it asked: as long as the
// log keeps usages, and a week.
const askedDays = 6 * act.DaysInWeek

// maxAskedLines bounds what a file is read for.
const maxAskedLines = 100_000

// Asked is what a hospital has asked of each holder: elements by day. It is
// noted before anything is sent, so no holder has honestly counted more.
type Asked struct {
	path string

	mu    sync.Mutex // guards what follows, and the file
	since uint32     // first day of the record; 0: nothing noted yet
	lines []askedLine
}

// askedLine is what was asked of one holder on one day.
type askedLine struct {
	day, holder uint32
	elements    uint64
}

// OpenAsked reads a hospital's record, which is empty if there is no file.
func OpenAsked(path string) (*Asked, error) {
	a := &Asked{path: path}
	raw, err := ledger.ReadFileDurable(path)
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return nil, fmt.Errorf("what was asked: %w", err)
	}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	a.since = d.Uint32()
	for n := d.ArrayMax(maxAskedLines); n > 0 && d.Err() == nil; n-- {
		d.Array(3)
		a.lines = append(a.lines, askedLine{day: d.Uint32(), holder: d.Uint32(), elements: d.Uint()})
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("what was asked: %w: remove %s to begin anew", err, path)
	}
	return a, nil
}

// Note records that elements are about to be sent to some holders, by their
// institutions, on a quota day. It is on disk when it returns; the error is
// ledger.ErrStorage.
func (a *Asked) Note(day uint32, elements uint64, holders ...uint32) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.since == 0 {
		a.since = day
	}
	a.lines = slices.DeleteFunc(a.lines, func(l askedLine) bool { return uint64(l.day)+askedDays < uint64(day) })
	for _, h := range holders {
		i, found := slices.BinarySearchFunc(a.lines, askedLine{day: day, holder: h}, func(a, b askedLine) int {
			return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.holder, b.holder))
		})
		if !found {
			a.lines = slices.Insert(a.lines, i, askedLine{day: day, holder: h})
		}
		a.lines[i].elements += elements
	}
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, uint64(a.since))
	b = cbor.AppendArray(b, len(a.lines))
	for _, l := range a.lines {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendUint(b, uint64(l.day))
		b = cbor.AppendUint(b, uint64(l.holder))
		b = cbor.AppendUint(b, l.elements)
	}
	return ledger.WriteFileDurable(a.path, b)
}

// On returns how many elements were noted for a holder on a day.
func (a *Asked) On(day, holder uint32) (elements uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.lines {
		if l.day == day && l.holder == holder {
			elements += l.elements
		}
	}
	return elements
}

// Excess describes a holder that claims more than the hospital has asked of it.
type Excess struct {
	Holder  uint32 // the institution
	Week    uint32
	AtLeast uint64 // elements that it claims
	Asked   uint64 // by this hospital, with the day before and after the week
}

// Excess returns the usages that claim more of a hospital than it asked. A
// holder's day may be one off the hospital's, so the days around the week are
// given to it. Weeks before the record begins are not judged.
func (a *Asked) Excess(usages []state.Usage, hospital uint32) []Excess {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Excess
	for i := range usages {
		u := &usages[i]
		first := uint64(u.Week) * act.DaysInWeek
		claimed := act.UsageAtLeast(u.Of(hospital))
		if claimed == 0 || a.since == 0 || uint64(a.since)+1 > first || a.forgot(first) {
			continue
		}
		asked := uint64(0)
		for _, l := range a.lines {
			if day := uint64(l.day); l.holder == u.Holder && day+1 >= first && day <= first+act.DaysInWeek {
				asked += l.elements
			}
		}
		if claimed > asked {
			out = append(out, Excess{Holder: u.Holder, Week: u.Week, AtLeast: claimed, Asked: asked})
		}
	}
	return out
}

// forgot reports whether lines from the day before first may have been dropped.
// The caller holds mu.
func (a *Asked) forgot(first uint64) bool {
	return len(a.lines) > 0 && uint64(a.lines[len(a.lines)-1].day) > first+askedDays-1
}
