package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
)

// touched are entries about which something was said.
type touched struct {
	corrected map[int64]bool
	stopped   map[int64]bool
}

func (t *touched) correct(idx int64) {
	if t.corrected == nil {
		t.corrected = map[int64]bool{}
	}
	t.corrected[idx] = true
}

func (t *touched) stop(indexes []uint64) {
	if t.stopped == nil {
		t.stopped = map[int64]bool{}
	}
	for _, idx := range indexes {
		t.stopped[int64(idx)] = true
	}
}

// hear notes what an entry says of others.
func (v *View) hear(o reader.Opened, t *touched) {
	e := o.Entry
	switch {
	case o.Problem != "":
		return
	case e.Correction != nil:
		v.said = append(v.said, o)
		v.changes.Add(o)
		t.correct(int64(e.Correction.Index))
	case e.Consent != nil:
		v.said = append(v.said, o)
		v.changes.Add(o)
		v.stops(o, t)
	case e.Alias != nil:
		v.linked[e.Alias.Old], v.linked[e.Alias.New], v.rejoin = true, true, true
	}
	if e.Pseudonym.Present && v.linked[e.Pseudonym.Value] {
		v.rejoin = true
	}
}

// stops touches every entry that a person's consents, this and earlier ones, are
// about.
func (v *View) stops(o reader.Opened, t *touched) {
	t.stop(o.Entry.Consent.Indexes)
	for _, earlier := range v.changes.History(o.Hospital, o.Entry.Consent.Marks...) {
		t.stop(earlier.Entry.Consent.Indexes)
	}
}

// settle makes entries say what later ones say of them.
func (v *View) settle(w *writer, t *touched) error {
	if len(v.linked) > 0 && len(t.corrected)+len(t.stopped) > 0 {
		v.rejoin = true
	}
	for idx := range t.corrected {
		if err := v.correct(w, idx); err != nil {
			return err
		}
	}
	for idx := range t.stopped {
		hospitals, err := w.numbers(`SELECT hospital FROM entries WHERE idx = ?`, idx)
		if err != nil {
			return err
		}
		for _, h := range hospitals {
			w.touched[uint32(h)] = true
			if err := w.do("stopped", v.stoppedUses(uint32(h), uint64(idx)), idx); err != nil {
				return err
			}
		}
	}
	return nil
}

// stoppedUses are the uses of an entry that its patient has stopped.
func (v *View) stoppedUses(hospital uint32, idx uint64) (uses entry.Scope) {
	for use := entry.ScopeRegistry; use <= entry.ScopeAll; use <<= 1 {
		if v.changes.Stopped(hospital, idx, use) {
			uses |= use
		}
	}
	return uses
}

// correct writes what the newest correction says of an entry or, if none is left,
// what the entry itself says.
func (v *View) correct(w *writer, idx int64) error {
	o := reader.Opened{Index: uint64(idx)}
	var id, pseudonym []byte
	var corrected int64
	err := w.tx.QueryRowContext(w.ctx, `SELECT e.hospital, e.log_time, e.type, e.id, e.corrected, s.pseudonym
		FROM entries e LEFT JOIN subjects s ON s.id = e.subject WHERE e.idx = ? AND e.problem = ''`, idx).
		Scan(&o.Hospital, &o.LogTime, &o.Entry.Type, &id, &corrected, &pseudonym)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // not in the view, or of another hospital
	}
	if err != nil {
		return fmt.Errorf("view: correct entry %d: %w", idx, err)
	}
	o.Entry.ID = [32]byte(id)
	if len(pseudonym) == len(o.Entry.Pseudonym.Value) {
		o.Entry.Pseudonym = entry.Pseudonym{Present: true, Value: [32]byte(pseudonym)}
	}
	e, by, ok := v.changes.Correction(o)
	switch {
	case ok:
		o.Entry = e
	case corrected == 0:
		return nil
	default:
		if o, err = v.cfg.Reader.Entry(uint64(idx)); err != nil {
			return err
		}
	}
	w.touched[o.Hospital] = true
	if err := w.blank(idx); err != nil {
		return err
	}
	e = o.Entry
	if err := w.do("corrected", int64(by.Index), e.Profile, e.Source, e.Basis, dayOrNull(e.EventDate), monthOrNull(e.EventDate), idx); err != nil {
		return err
	}
	return w.content(o)
}

// drop takes out what has been withdrawn since it last did.
func (v *View) drop(w *writer, view *state.State) error {
	var gone []int64
	for _, c := range view.Claims {
		if slices.ContainsFunc(v.claims, func(had state.Claim) bool {
			return had.Hospital == c.Hospital && slices.Equal(had.Entries, c.Entries)
		}) {
			continue
		}
		have, err := w.numbers(`SELECT idx FROM entries WHERE hospital = ?`, c.Hospital)
		if err != nil {
			return err
		}
		for _, idx := range have {
			if view.Withdrawn(c.Hospital, uint64(idx)) {
				gone, w.touched[c.Hospital] = append(gone, idx), true
			}
		}
	}
	v.claims = slices.Clone(view.Claims)
	if len(gone) == 0 {
		return nil
	}
	if err := w.erase(gone); err != nil {
		return err
	}
	v.unclean, v.rejoin = true, v.rejoin || len(v.linked) > 0
	return v.unsay(w, gone)
}

// unsay forgets what erased entries said of others.
func (v *View) unsay(w *writer, gone []int64) error {
	var t touched
	var kept []reader.Opened
	for _, o := range v.said {
		switch {
		case !slices.Contains(gone, int64(o.Index)):
			kept = append(kept, o)
		case o.Entry.Correction != nil:
			t.correct(int64(o.Entry.Correction.Index))
		default:
			v.stops(o, &t)
		}
	}
	if len(kept) == len(v.said) {
		return nil
	}
	v.said, v.changes = kept, &reader.Changes{}
	for _, o := range kept {
		v.changes.Add(o)
	}
	return v.settle(w, &t)
}

// Forget takes out what is withdrawn, and empties the files of it. It returns once
// that is done: what the view opens from then on is without it.
func (v *View) Forget(ctx context.Context) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	if v.changes != nil { // else nothing was read yet
		err := v.write(ctx, func(w *writer) error {
			if err := v.drop(w, v.cfg.Node.View()); err != nil || !v.rejoin {
				return err
			}
			return v.join(w)
		})
		if err != nil {
			return err
		}
	}
	return v.clean(ctx)
}

// clean empties the write-ahead file of what was erased. Cells in the database's
// own file are overwritten as they go.
func (v *View) clean(ctx context.Context) error {
	if !v.unclean || v.cfg.KeepErased {
		return nil
	}
	var busy, pages, moved int
	if err := v.db.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("view: empty the write-ahead file: %w", err)
	}
	if busy != 0 {
		return errors.New("view: empty the write-ahead file: somebody reads for too long")
	}
	v.unclean = false
	return nil
}
