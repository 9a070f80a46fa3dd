package withdraw

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// Action is what a patient asks for.
type Action string

// The actions.
const (
	Stop   Action = "stop"   // use stops
	Resume Action = "resume" // use goes on
	Erase  Action = "erase"  // use stops, and the entries are erased
	Cancel Action = "cancel" // they are not: it was not posted yet
)

// Ask is a decision to take.
type Ask struct {
	Action    Action
	Pseudonym [32]byte
	Scope     entry.Scope // of Stop and Resume
	By        entry.By
	Now       bool // of Erase: post it at once, whatever that shows
	Again     bool // of Resume: after an erasure
	DryRun    bool // only say what would be
}

// Answer is what became of it.
type Answer struct {
	Found
	Cases   []string      // case numbers of the person
	Consent entry.Consent // that holds now
	Known   bool          // it held before
	Latest  time.Time     // until when the act of an Erase is posted; zero if it takes none
	Placed  outbox.Placed // of the consent entry, unless Known or only asked
	ID      [32]byte      // of the consent entry, unless Known
}

// Why a decision is not taken.
var (
	// ErrNothing reports a person of whom the hospital has nothing.
	ErrNothing = errors.New("this hospital has no entry of the patient")
	// ErrErasing reports an Ask that an erasure forestalls: cancel it first.
	ErrErasing = errors.New("the patient's entries are to be erased, and that has not been posted yet")
	// ErrPosted reports an erasure that cannot be taken back.
	ErrPosted = errors.New("the erasure has been posted and cannot be taken back")
	// ErrErased reports that use of erased entries cannot go on; the patient may
	// be registered anew.
	ErrErased = errors.New("the patient's entries are erased")
	// ErrNotErasing reports that there is nothing to cancel.
	ErrNotErasing = errors.New("no erasure of the patient's entries waits")
	// ErrTooMany reports more entries than one consent can name.
	ErrTooMany = fmt.Errorf("the patient has more than %d entries at this hospital", entry.MaxConcerned)
)

// Decide takes a decision: the consent entry is in the outbox when it returns,
// and what is left to do is on disk. With DryRun it only says what would be.
// Before that it waits until what this hospital has posted is in the log.
func (d *Desk) Decide(ctx context.Context, ask Ask) (Answer, error) {
	if !ask.DryRun {
		release, err := d.quiet(ctx)
		if err != nil {
			return Answer{}, err
		}
		defer release()
	}
	changes, err := d.cfg.Entries.Changes(ctx)
	if err != nil {
		return Answer{}, err
	}
	found, err := Find(d.cfg.Entries.OwnEntries(ctx), d.erased(d.cfg.Log.View()), ask.Pseudonym)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Found: found}
	for _, p := range found.Pseudonyms {
		a.Cases = append(a.Cases, d.caseNumber(p))
	}
	before, held := d.standing(changes, d.marks(found.Pseudonyms)...)
	if len(found.Indexes) == 0 && !held {
		return a, ErrNothing
	}
	if !held {
		before.Consent = &entry.Consent{Status: entry.InUse}
	}
	if a.Consent, err = d.next(ask, found, *before.Consent); err != nil {
		return a, err
	}
	a.Known = same(a.Consent, *before.Consent)
	if a.Consent.Status == entry.Erasing && !d.isPosted(*before.Consent) {
		a.Latest = d.latest(ask, before.ID)
	}
	switch {
	case ask.DryRun:
		return a, nil
	case a.Known && ask.Now && !a.Latest.IsZero():
		return a, d.hasten(before.ID)
	case a.Known:
		return a, nil
	}
	return d.take(ctx, ask, a, before.ID)
}

func (d *Desk) marks(pseudonyms [][32]byte) (marks [][32]byte) {
	for _, p := range pseudonyms {
		marks = append(marks, d.mark(p))
	}
	return marks
}

// next returns the consent that an ask makes of the one before.
func (d *Desk) next(ask Ask, found Found, before entry.Consent) (entry.Consent, error) {
	c := entry.Consent{Status: entry.Stopped, By: ask.By, Indexes: found.Indexes}
	erasing := before.Status == entry.Erasing
	switch {
	case ask.Action == Stop && erasing:
		return before, nil // that includes it
	case ask.Action == Stop:
		c.Scope = before.Scope | ask.Scope
	case ask.Action == Resume && erasing && !d.isPosted(before):
		return c, ErrErasing
	case ask.Action == Resume && erasing && d.owes(d.cfg.Log.View(), before):
		return c, ErrPosted
	case ask.Action == Resume && erasing && !ask.Again:
		return c, ErrErased
	case ask.Action == Resume && erasing:
		c.Scope = 0
	case ask.Action == Resume:
		c.Scope = before.Scope &^ ask.Scope
	case ask.Action == Erase && len(found.Indexes) == 0 && !erasing:
		return c, ErrNothing
	case ask.Action == Erase && len(found.Indexes) == 0:
		return before, nil // all of it is erased
	case ask.Action == Erase:
		c.Status, c.Scope = entry.Erasing, entry.ScopeAll
	case !erasing:
		return c, ErrNotErasing
	case d.isPosted(before):
		return c, ErrPosted
	default: // Cancel: use stays stopped
		c.Scope = entry.ScopeAll
	}
	if c.Scope == 0 {
		c.Status = entry.InUse
	}
	return c, d.complete(&c, found, before)
}

// complete gives a consent the marks of the person, those of the consent before
// included: it is to replace that one for all of them.
func (d *Desk) complete(c *entry.Consent, found Found, before entry.Consent) error {
	c.Marks = append(d.marks(found.Pseudonyms), before.Marks...)
	slices.SortFunc(c.Marks, func(a, b [32]byte) int { return slices.Compare(a[:], b[:]) })
	c.Marks = slices.Compact(c.Marks)
	switch {
	case len(c.Marks) > entry.MaxMarks:
		return ErrIdentities
	case len(c.Indexes) > entry.MaxConcerned:
		return ErrTooMany
	}
	return nil
}

// same reports whether a consent changes nothing.
func same(a, b entry.Consent) bool {
	return a.Status == b.Status && a.Scope == b.Scope &&
		(a.Status == entry.InUse || !slices.ContainsFunc(a.Indexes, func(i uint64) bool { return !slices.Contains(b.Indexes, i) }))
}

// isPosted reports whether the act of an erasure has been handed over, or one
// that erases any of the same entries.
func (d *Desk) isPosted(c entry.Consent) bool {
	if c.Status != entry.Erasing {
		return false
	}
	for _, one := range d.all() {
		if one.shares(c.Marks) && one.consent.Consent.Status == entry.Erasing && !one.posted.IsZero() {
			return true
		}
	}
	return slices.ContainsFunc(c.Indexes, d.erased(d.cfg.Log.View()))
}

// latest says until when an erasure will be posted.
func (d *Desk) latest(ask Ask, id [32]byte) time.Time {
	now := d.cfg.Now()
	if ask.Now {
		return now
	}
	for _, one := range d.all() {
		if one.consent.ID == id && !one.due.IsZero() { // it waits already
			return d.cfg.Schedule.Latest(one.due.Add(-d.cfg.Schedule.width()))
		}
	}
	return d.cfg.Schedule.Latest(now)
}

// take puts a decision on disk, and then its consent entry into the outbox.
func (d *Desk) take(ctx context.Context, ask Ask, a Answer, previous [32]byte) (Answer, error) {
	now := d.cfg.Now()
	e, err := d.entryOf(a.Consent, previous, now)
	if err != nil {
		return a, err
	}
	one := decision{consent: e, cases: a.Cases}
	if a.Consent.Status == entry.Erasing {
		if one.due, err = d.due(ask.Now, now); err != nil {
			return a, err
		}
	}
	if err := d.replace(one); err != nil {
		return a, err
	}
	fault.At(fault.WithdrawKept)
	a.ID = e.ID
	a.Placed, err = d.post(ctx, e)
	fault.At(fault.WithdrawConsented)
	return a, err
}

// hasten lets an erasure that waits be posted now.
func (d *Desk) hasten(id [32]byte) error {
	all := d.all()
	for i := range all {
		if all[i].consent.ID == id && all[i].posted.IsZero() {
			all[i].due = d.cfg.Now()
		}
	}
	return d.keep(all)
}

func (d *Desk) due(atOnce bool, now time.Time) (time.Time, error) {
	if atOnce {
		return now, nil
	}
	var others []time.Time
	for _, one := range d.all() {
		if one.posted.IsZero() && !one.due.IsZero() {
			others = append(others, one.due)
		}
	}
	return d.cfg.Schedule.Due(now, others, d.cfg.Random)
}

// china is the time zone of a hospital's day.
var china = time.FixedZone("UTC+8", 8*3600)

func (d *Desk) entryOf(c entry.Consent, previous [32]byte, now time.Time) (entry.Entry, error) {
	id, err := entry.ConsentID(d.cfg.EntryID, c, previous)
	return entry.Entry{
		Type: entry.TypeConsent, Profile: entry.Report, ID: id, EventDate: entry.DateOf(now.In(china)),
		Source: entry.SourceForm, Basis: entry.BasisStatutory, Supersedes: previous, Consent: &c,
	}, err
}

// post hands a consent entry to the outbox. One that it has is not sent again.
func (d *Desk) post(ctx context.Context, e entry.Entry) (outbox.Placed, error) {
	raw, err := entry.Encode(e)
	if err != nil {
		return outbox.Placed{}, err
	}
	placed, err := d.cfg.Outbox.AddEntries(ctx, [][]outbox.Entry{{{ID: e.ID, Plain: envelope.Plain{Part: seal.Clinical, CBOR: raw}}}})
	if err != nil {
		return outbox.Placed{}, fmt.Errorf("post a consent entry: %w", err)
	}
	return placed[0][0], nil
}

// Pseudonym finds the pseudonym with a case number among this hospital's
// entries.
func (d *Desk) Pseudonym(ctx context.Context, caseNumber string) (p [32]byte, ok bool, err error) {
	g, err := readGraph(d.cfg.Entries.OwnEntries(ctx), d.erased(d.cfg.Log.View()))
	if err != nil {
		return p, false, err
	}
	for _, n := range g.nodes {
		for _, p := range n.pseudonyms {
			if d.caseNumber(p) == caseNumber {
				return p, true, nil
			}
		}
	}
	return p, false, nil
}

// Entries opens entries of this hospital, in order, without those that are
// withdrawn.
func (d *Desk) Entries(indexes []uint64) (out []reader.Opened, err error) {
	erased := d.erased(d.cfg.Log.View())
	for _, index := range indexes {
		if erased(index) {
			continue
		}
		o, err := d.cfg.Entries.Entry(index)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}
