package view

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
)

// join gives all pseudonyms of a person one number, as links have it that stand.
// Which do, package reader says: it is told what the view has under the pseudonyms
// that links name, and no more.
func (v *View) join(w *writer) error {
	tally := &reader.Tally{}
	named, err := w.aliases(tally)
	if err != nil {
		return err
	}
	numbers := map[[32]byte]int64{}
	for p := range named {
		if numbers[p], err = w.stays(tally, p); err != nil {
			return err
		}
	}
	want := map[int64]int64{} // person by subject
	for _, group := range tally.Joined() {
		var subjects []int64
		for _, p := range group {
			if id := numbers[p]; id != 0 {
				subjects = append(subjects, id)
			}
		}
		for _, id := range subjects {
			want[id] = slices.Min(subjects)
		}
	}
	joined, err := w.numbers(`SELECT id FROM subjects WHERE person <> id`)
	if err != nil {
		return err
	}
	for _, id := range joined {
		if want[id] == 0 {
			want[id] = id
		}
	}
	for id, person := range want {
		if err := w.exec(`UPDATE subjects SET person = ? WHERE id = ? AND person <> ?`, person, id, person); err != nil {
			return err
		}
		hospitals, err := w.numbers(`UPDATE entries SET person = ? WHERE subject = ? AND person <> ? RETURNING hospital`, person, id, person)
		if err != nil {
			return err
		}
		for _, h := range hospitals {
			w.touched[uint32(h)] = true
		}
	}
	v.rejoin = false
	return nil
}

// aliases tells a tally of all aliases in use, and returns the pseudonyms that they
// name.
func (w *writer) aliases(tally *reader.Tally) (named map[[32]byte]bool, err error) {
	rows, err := w.tx.QueryContext(w.ctx, `SELECT a.idx, a.hospital, a.action, a.reason, a.old, a.new, a.old_type, a.new_type
		FROM aliases a JOIN live e ON e.idx = a.idx`)
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	named = map[[32]byte]bool{}
	for rows.Next() {
		var o reader.Opened
		var a entry.Alias
		var old, new []byte
		if err := rows.Scan(&o.Index, &o.Hospital, &a.Action, &a.Reason, &old, &new, &a.OldType, &a.NewType); err != nil {
			return nil, fmt.Errorf("view: %w", err)
		}
		a.Old, a.New = [32]byte(old), [32]byte(new)
		named[a.Old], named[a.New] = true, true
		o.Entry = entry.Entry{Type: entry.TypeAlias, Alias: &a}
		tally.Add(o)
	}
	return named, rows.Err()
}

// stays tells a tally what the view has under a pseudonym, and returns the number
// of it, or 0 if that is nothing.
func (w *writer) stays(tally *reader.Tally, p [32]byte) (subject int64, err error) {
	rows, err := w.tx.QueryContext(w.ctx, `SELECT s.id, coalesce(e.idx, 0), coalesce(e.hospital, 0), coalesce(e.type, 0), coalesce(c.sex, 0), coalesce(c.birth, 0)
		FROM subjects s LEFT JOIN live e ON e.subject = s.id LEFT JOIN cases c ON c.idx = e.idx WHERE s.pseudonym = ?`, p[:])
	if err != nil {
		return 0, fmt.Errorf("view: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		o := reader.Opened{Entry: entry.Entry{Pseudonym: entry.Pseudonym{Present: true, Value: p}}}
		var sex entry.Sex
		var birth int64
		if err := rows.Scan(&subject, &o.Index, &o.Hospital, &o.Entry.Type, &sex, &birth); err != nil {
			return 0, fmt.Errorf("view: %w", err)
		}
		switch o.Entry.Type {
		case 0, entry.TypeConsent, entry.TypeCorrection, entry.TypeAlias:
			continue
		case entry.TypeCase:
			o.Entry.Case = &entry.Case{Sex: sex}
			if birth != 0 {
				o.Entry.Case.Birth = entry.Date{Year: uint16(birth / 12), Month: uint8(birth%12) + 1}
			}
		}
		tally.Add(o)
	}
	return subject, rows.Err()
}
