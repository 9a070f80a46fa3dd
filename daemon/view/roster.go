package view

import (
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
)

// writeRoster keeps the table of hospitals, those who were there when a number of
// envelopes was.
func (v *View) writeRoster(w *writer, view *state.State, upTo uint64) error {
	if !v.cfg.Monthly {
		upTo = view.Envelopes
	} else if last, known := v.ended(view); !known || upTo < last {
		return nil // with the last batch
	}
	if !v.cfg.Monthly && v.roster == view.RosterVersion && v.next > 0 {
		return nil
	}
	v.roster = view.RosterVersion
	if err := w.exec(`DELETE FROM hospitals`); err != nil {
		return err
	}
	for i := range view.Members {
		m, number := &view.Members[i], uint32(i+1)
		joined, gone := v.member(view, number, upTo)
		if !joined {
			continue
		}
		if err := w.exec(`INSERT INTO hospitals VALUES (?,?,?,?,?,?,?,?)`, number, m.Role == act.RoleReader || !reader.MayOpen(view, v.cfg.Institution, number), m.Lead,
			m.Province, m.NameZH, m.NameEN, m.Entity, gone); err != nil {
			return err
		}
	}
	return nil
}

// writeDiseases keeps the rows of the lists.
func (v *View) writeDiseases(w *writer) error {
	for _, d := range w.lists.All() {
		if err := w.exec(`INSERT INTO diseases VALUES (?,?,?,?,?)`, d.List, d.Number, first(d.ZH), first(d.EN), len(d.OMIM) > 0); err != nil {
			return err
		}
	}
	return nil
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
