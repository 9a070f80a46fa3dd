package withdraw

import (
	"context"
	"slices"
	"time"

	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
)

// Listed is one person's newest decision.
type Listed struct {
	Cases   []string // empty if the file of decisions was lost after the erasure
	Status  entry.ConsentStatus
	Scope   entry.Scope
	By      entry.By
	Day     entry.Date
	Indexes []uint64
	Latest  time.Time // of an erasure that waits: until when it is posted
	Posted  bool      // its act is handed over
	Erased  bool      // its act is in the log: every node erases
}

// Problem returns what keeps an act from being posted, or "".
func (d *Desk) Problem() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.problem
}

// List returns the newest decision of every person who has taken one, those that
// only the log knows last.
func (d *Desk) List(ctx context.Context) (list []Listed, err error) {
	changes, err := d.cfg.Entries.Changes(ctx)
	if err != nil {
		return nil, err
	}
	all := d.all()
	for _, one := range all {
		list = append(list, d.listed(one))
	}
	for _, o := range changes.Consents(d.cfg.Hospital) {
		if !slices.ContainsFunc(all, func(one decision) bool { return one.shares(o.Entry.Consent.Marks) }) {
			list = append(list, d.listed(decision{consent: o.Entry}))
		}
	}
	return list, nil
}

func (d *Desk) listed(one decision) Listed {
	c := one.consent.Consent
	l := Listed{Cases: one.cases, Status: c.Status, Scope: c.Scope, By: c.By, Day: one.consent.EventDate, Indexes: c.Indexes}
	if c.Status != entry.Erasing {
		return l
	}
	l.Erased = !d.owes(d.cfg.Log.View(), *c)
	l.Posted = l.Erased || !one.posted.IsZero()
	if !l.Posted && !one.due.IsZero() {
		l.Latest = d.cfg.Schedule.Latest(one.due.Add(-d.cfg.Schedule.width()))
	}
	return l
}

// Look returns what this hospital has of a person, the person's case numbers, and
// every consent of the person in the log, the newest last.
func (d *Desk) Look(ctx context.Context, p [32]byte) (found Found, cases []string, consents []reader.Opened, err error) {
	changes, err := d.cfg.Entries.Changes(ctx)
	if err != nil {
		return Found{}, nil, nil, err
	}
	if found, err = Find(d.cfg.Entries.OwnEntries(ctx), d.erased(d.cfg.Log.View()), p); err != nil {
		return Found{}, nil, nil, err
	}
	for _, p := range found.Pseudonyms {
		cases = append(cases, d.caseNumber(p))
	}
	return found, cases, changes.History(d.cfg.Hospital, d.marks(found.Pseudonyms)...), nil
}

// Of returns the newest decision of the person with a pseudonym, which may be on
// its way into the log.
func (d *Desk) Of(ctx context.Context, pseudonyms [][32]byte) (l Listed, ok bool, err error) {
	changes, err := d.cfg.Entries.Changes(ctx)
	if err != nil {
		return Listed{}, false, err
	}
	c, ok := d.standing(changes, d.marks(pseudonyms)...)
	if !ok {
		return Listed{}, false, nil
	}
	one := decision{consent: c}
	for _, kept := range d.all() {
		if kept.consent.ID == c.ID {
			one = kept
		}
	}
	return d.listed(one), true, nil
}
