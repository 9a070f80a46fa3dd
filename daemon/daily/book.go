package daily

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/registry/entry"
)

// ErrDamaged reports a file that is not what was written. Its numbers are lost, and
// counting begins again.
var ErrDamaged = errors.New("the numbers of the day's intake are damaged")

// A Book holds the numbers of the days that are not sent. It is safe for concurrent
// use; one process at a time may have its file open.
type Book struct {
	path string
	mu   sync.Mutex // guards days
	days map[string]numbers
}

// numbers are those of a day.
type numbers struct {
	Offered map[entry.Source]entry.Offered `json:"offered"`
	Refused map[string]uint32              `json:"refused"` // by rule
}

// A Day is what came on one day.
type Day struct {
	Date   entry.Date
	Intake entry.Intake
}

// Open opens the file, or begins one at the first count. After [ErrDamaged] the
// book is empty and good; any other error is ledger.ErrStorage.
func Open(path string) (*Book, error) {
	b := &Book{path: path, days: map[string]numbers{}}
	raw, err := ledger.ReadFileDurable(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return b, nil
	case errors.Is(err, ledger.ErrDamaged):
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return nil, err
	}
	days := map[string]numbers{}
	if err := json.Unmarshal(raw, &days); err != nil {
		return b, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	for text := range days {
		if _, ok := entry.ParseDate(text); !ok {
			return b, fmt.Errorf("%w: a day that is none", ErrDamaged)
		}
	}
	b.days = days
	return b, nil
}

// Count adds what was decided on a day. The numbers are on disk when it returns;
// the error is ledger.ErrStorage, and nothing is counted then.
func (b *Book) Count(day entry.Date, decided []intake.Decided) error {
	if len(decided) == 0 {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	next := numbers{map[entry.Source]entry.Offered{}, map[string]uint32{}}
	before := b.days[day.String()]
	maps.Copy(next.Offered, before.Offered)
	maps.Copy(next.Refused, before.Refused)
	for _, d := range decided {
		next.add(d)
	}
	days := maps.Clone(b.days)
	days[day.String()] = next
	return b.write(days)
}

// add counts one.
func (n numbers) add(d intake.Decided) {
	o := n.Offered[d.Source]
	o.Source = d.Source
	switch {
	case d.Outcome == intake.Refused:
		more(&o.Refused)
		for _, code := range d.Rules {
			count := n.Refused[code]
			more(&count)
			n.Refused[code] = count
		}
	case d.Outcome == intake.Known:
		more(&o.Known)
	case d.Changed:
		more(&o.Changed)
	default:
		more(&o.Accepted)
	}
	n.Offered[d.Source] = o
}

// more adds one, and stays at the most there is room for.
func more(n *uint32) { *n = max(*n, *n+1) }

// Due returns the days before today, ascending.
func (b *Book) Due(today entry.Date) (out []Day) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range slices.Sorted(maps.Keys(b.days)) {
		if text >= today.String() {
			break
		}
		date, _ := entry.ParseDate(text)
		out = append(out, Day{date, b.days[text].intake()})
	}
	return out
}

// intake is the content of the day's entry.
func (n numbers) intake() (in entry.Intake) {
	for _, source := range slices.Sorted(maps.Keys(n.Offered)) {
		in.Offered = append(in.Offered, n.Offered[source])
	}
	for _, code := range slices.Sorted(maps.Keys(n.Refused)) {
		in.Refused = append(in.Refused, entry.RuleUsed{Rule: code, Count: n.Refused[code]})
	}
	return in
}

// Sent forgets a day whose entry is in the outbox. The error is ledger.ErrStorage.
func (b *Book) Sent(day entry.Date) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	days := maps.Clone(b.days)
	delete(days, day.String())
	return b.write(days)
}

// write replaces the file, and what is held.
func (b *Book) write(days map[string]numbers) error {
	raw, err := json.Marshal(days)
	if err != nil {
		return err
	}
	if err := ledger.WriteFileDurable(b.path, raw); err != nil {
		return err
	}
	b.days = days
	return nil
}
