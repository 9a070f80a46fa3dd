package dataset

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

// personBytes is the length of a person key.
const personBytes = 16

// Hospital is what rows say of one.
type Hospital struct{ Name, Province string }

// Options choose the rows.
type Options struct {
	Size      uint64      // of the tree below which entries are read
	Project   string      // names the person keys
	Key       [32]byte    // of the reader; project keys follow from it
	Genetics  bool        // with genetic columns
	Uses      entry.Scope // left out is whose patient has stopped one of them
	Hospital  uint32      // of this one alone; 0: of all
	Province  string      // of hospitals of this province; "": of all
	List, Row uint32      // of this row of the lists; 0: of all
	From, To  string      // days on which they came into the log, as 2026-11-01; "": from the first, to the last
	Day       func(logTime uint64) string
	Of        func(hospital uint32) Hospital
}

// Row is a registration.
type Row struct {
	Index    uint64
	Day      string // on which it came into the log, in China
	Hospital uint32
	Person   string // hex; "" of a registration without a pseudonym
	Case     entry.Entry
	Genetics *entry.Entry // nil: none, or not to be handed out
	Parts    []entry.Entry
}

// Set is what an export holds.
type Set struct {
	Rows     []Row
	Persons  uint64
	Genetic  uint64     // rows with genetics
	Unopened uint64     // entries that should have opened and did not
	Stopped  []act.Span // cases left out because a use is stopped
	Read     []act.Span // indexes of what is in the rows, in no order
	Genetics bool       // there are genetic columns
	of       func(uint32) Hospital
}

// Collect reads the log for the rows. Everything that is read is in memory until
// the set is written: about 2 KiB a registration.
func Collect(ctx context.Context, r *reader.Reader, o Options) (*Set, error) {
	now, err := r.Changes(ctx) // what is stopped by now
	if err != nil {
		return nil, err
	}
	c := collector{o: o, now: now, parts: map[[32]byte][]reader.Opened{}}
	for opened, err := range r.Entries(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		if opened.Index >= o.Size {
			break
		}
		c.add(opened)
	}
	return c.set()
}

// collector is what has been read.
type collector struct {
	o        Options
	now      *reader.Changes // of all the log
	then     reader.Changes  // below the tree size
	tally    reader.Tally
	cases    []reader.Opened
	parts    map[[32]byte][]reader.Opened // by the id of their case
	unopened uint64
	stopped  []act.Span
}

func (c *collector) add(o reader.Opened) {
	c.then.Add(o)
	c.tally.Add(o)
	switch e := o.Entry; {
	case o.Problem != "":
		c.unopened++
	case e.Case != nil && c.wanted(o):
		if c.now.Stopped(o.Hospital, o.Index, e.Uses()|c.o.Uses) {
			c.stopped = append(c.stopped, act.Span{First: o.Index, Count: 1})
			return
		}
		c.cases = append(c.cases, o)
	case e.BelongsTo() != [32]byte{} && (c.o.Genetics || !e.IsGenetic()):
		if !c.now.Stopped(o.Hospital, o.Index, e.Uses()|c.o.Uses) {
			c.parts[e.BelongsTo()] = append(c.parts[e.BelongsTo()], o)
		}
	}
}

// wanted reports whether a case is one of those asked for, its disease aside: that
// may have been corrected.
func (c *collector) wanted(o reader.Opened) bool {
	day := c.o.Day(o.LogTime)
	switch {
	case c.o.Hospital != 0 && o.Hospital != c.o.Hospital, c.o.Province != "" && c.o.Of(o.Hospital).Province != c.o.Province,
		c.o.From != "" && day < c.o.From, c.o.To != "" && day > c.o.To:
		return false
	}
	return true
}

func (c *collector) set() (*Set, error) {
	s := &Set{Unopened: c.unopened, Stopped: c.stopped, Genetics: c.o.Genetics, of: c.o.Of}
	first := map[[32]byte][32]byte{} // of the pseudonyms of one person, the smallest
	for _, person := range c.tally.Joined() {
		least := slices.MinFunc(person, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
		for _, p := range person {
			first[p] = least
		}
	}
	project, err := hkdf.Key(sha256.New, c.o.Key[:], nil, "raresync/v1/project\x00"+c.o.Project, 32)
	if err != nil {
		return nil, fmt.Errorf("project key: %w", err)
	}
	persons := map[string]bool{}
	for _, o := range c.cases {
		e := c.then.Correct(o)
		if !c.of(e) {
			continue
		}
		row := Row{Index: o.Index, Day: c.o.Day(o.LogTime), Hospital: o.Hospital, Case: e}
		if e.Pseudonym.Present {
			p, joined := first[e.Pseudonym.Value]
			if !joined {
				p = e.Pseudonym.Value
			}
			key, err := hkdf.Key(sha256.New, project, nil, "raresync/v1/person\x00"+string(p[:]), personBytes)
			if err != nil {
				return nil, fmt.Errorf("person key: %w", err)
			}
			row.Person = hex.EncodeToString(key)
			persons[row.Person] = true
		}
		s.Read = append(s.Read, act.Span{First: o.Index, Count: 1})
		for _, part := range c.parts[o.Entry.ID] {
			if part.Hospital != o.Hospital {
				continue
			}
			s.Read = append(s.Read, act.Span{First: part.Index, Count: 1})
			if p := c.then.Correct(part); p.Genetics != nil {
				row.Genetics = &p
			} else {
				row.Parts = append(row.Parts, p)
			}
		}
		slices.SortStableFunc(row.Parts, func(a, b entry.Entry) int { return cmp.Compare(a.EventDate.String(), b.EventDate.String()) })
		if row.Genetics != nil {
			s.Genetic++
		}
		s.Rows = append(s.Rows, row)
	}
	s.Persons = uint64(len(persons))
	return s, nil
}

// of reports whether a case is of the row of the lists that is asked for.
func (c *collector) of(e entry.Entry) bool {
	if c.o.List == 0 {
		return true
	}
	d, ok := e.Case.Principal()
	return ok && slices.ContainsFunc(d.Match.Counted(), func(r entry.Row) bool {
		return uint64(r.List) == uint64(c.o.List) && uint64(r.Number) == uint64(c.o.Row)
	})
}
