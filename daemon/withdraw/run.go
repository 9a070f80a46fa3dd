package withdraw

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/entry"
)

// retry is how long what did not succeed waits: an act that the network did not
// take, or a log that could not be read.
const retry = time.Minute

// forgetStep is how many entries the outbox forgets at a time.
const forgetStep = 256

// Run carries decisions out until the context ends: it posts acts when they are
// due, and clears what the outbox remembers of erased entries. A failure of the
// disk ends it with an error.
func (d *Desk) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cleared := make(chan error, 1)
	go func() {
		err := d.clear(ctx)
		if err != nil {
			cancel()
		}
		cleared <- err
	}()
	err := d.insist(ctx, d.recover)
	for err == nil && ctx.Err() == nil {
		if err = d.insist(ctx, d.postDue); err == nil {
			d.waitDue(ctx)
		}
	}
	cancel()
	return errors.Join(err, <-cleared)
}

// insist tries a step until it succeeds, the disk fails, or the context ends,
// which is no error.
func (d *Desk) insist(ctx context.Context, step func(context.Context) error) error {
	for {
		err := step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil || errors.Is(err, ledger.ErrStorage):
			return err
		}
		d.cfg.Logger.Warn("patients' decisions wait", "reason", err.Error())
		t := time.NewTimer(retry)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// recover takes up what a crash, or the loss of the file, has left: consents
// that are not in the log are posted again, and erasures that only the log knows
// get a moment.
func (d *Desk) recover(ctx context.Context) error {
	release, err := d.quiet(ctx)
	if err != nil {
		return err
	}
	defer release()
	changes, err := d.cfg.Entries.Changes(ctx)
	if err != nil {
		return err
	}
	all := d.all()
	for _, one := range all {
		if changes.Has(d.cfg.Hospital, one.consent.ID) {
			continue
		}
		if _, err := d.post(ctx, one.consent); err != nil {
			return err
		}
	}
	view := d.cfg.Log.View()
	for _, o := range changes.Consents(d.cfg.Hospital) {
		if slices.ContainsFunc(all, func(one decision) bool { return one.shares(o.Entry.Consent.Marks) }) || !d.owes(view, *o.Entry.Consent) {
			continue
		}
		if err := d.adopt(o); err != nil {
			return err
		}
	}
	return nil
}

// owes reports whether entries of an erasure are not withdrawn yet.
func (d *Desk) owes(view *state.State, c entry.Consent) bool {
	erased := d.erased(view)
	return c.Status == entry.Erasing && slices.ContainsFunc(c.Indexes, func(i uint64) bool { return !erased(i) })
}

// adopt makes a decision of a consent that only the log has.
func (d *Desk) adopt(o reader.Opened) error {
	due, err := d.due(false, d.cfg.Now())
	if err != nil {
		return err
	}
	one := decision{consent: o.Entry, due: due}
	opened, err := d.Entries(o.Entry.Consent.Indexes)
	if err != nil {
		return err
	}
	for _, e := range opened {
		if p := e.Entry.Pseudonym; p.Present && !slices.Contains(one.cases, d.caseNumber(p.Value)) && len(one.cases) < entry.MaxMarks {
			one.cases = append(one.cases, d.caseNumber(p.Value))
		}
	}
	d.cfg.Logger.Warn("the log has an erasure that this node's file of decisions does not know; it is posted in time", "consent", o.Index)
	return d.replace(one)
}

// waitDue waits until the next act is due, or the decisions change.
func (d *Desk) waitDue(ctx context.Context) {
	d.mu.Lock()
	next, changed, problem := time.Time{}, d.changed, d.problem != ""
	for _, one := range d.decisions {
		if one.posted.IsZero() && !one.due.IsZero() && (next.IsZero() || one.due.Before(next)) {
			next = one.due
		}
	}
	d.mu.Unlock()
	var timer <-chan time.Time
	if !next.IsZero() || problem {
		wait := next.Sub(d.cfg.Now())
		if problem || next.IsZero() {
			wait = retry
		}
		t := time.NewTimer(max(wait, 0))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-timer:
	case <-changed:
	}
}

// postDue posts what is due: all that is due by now in one act.
func (d *Desk) postDue(ctx context.Context) error {
	if err := d.handOver(ctx); err != nil {
		return err
	}
	problem := ""
	for _, moment := range d.moments() {
		if err := d.postMoment(ctx, moment); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			problem = err.Error()
			d.cfg.Logger.Error("a withdrawal is not posted; it is tried again", "reason", problem)
		}
	}
	if err := d.tellErased(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.problem = problem
	return nil
}

// tellErased tells whose entries are withdrawn.
func (d *Desk) tellErased() error {
	view := d.cfg.Log.View()
	var cases []string
	for _, one := range d.all() {
		if one.consent.Consent.Status == entry.Erasing && !one.posted.IsZero() && !d.owes(view, *one.consent.Consent) {
			cases = append(cases, one.cases...)
		}
	}
	if d.cfg.Erased == nil || len(cases) == 0 {
		return nil
	}
	return d.cfg.Erased(cases)
}

// handOver marks as posted what is due, before the act goes: from then on it
// cannot be cancelled. Its consent is in the log by then.
func (d *Desk) handOver(ctx context.Context) error {
	now := d.cfg.Now().Truncate(time.Millisecond)
	isDue := func(one decision) bool { return one.posted.IsZero() && !one.due.IsZero() && !one.due.After(now) }
	if !slices.ContainsFunc(d.all(), isDue) {
		return nil
	}
	release, err := d.quiet(ctx)
	if err != nil {
		return err
	}
	defer release()
	all := d.all()
	for i := range all {
		if isDue(all[i]) {
			all[i].posted = now
		}
	}
	if err := d.keep(all); err != nil {
		return err
	}
	fault.At(fault.WithdrawHandedOver)
	return nil
}

// moments returns the moments whose acts are handed over and not yet in force.
func (d *Desk) moments() (out []time.Time) {
	view := d.cfg.Log.View()
	for _, one := range d.all() {
		if !one.posted.IsZero() && d.owes(view, *one.consent.Consent) && !slices.Contains(out, one.posted) {
			out = append(out, one.posted)
		}
	}
	return out
}

// postMoment posts the acts of one moment: one, unless it would be too long. The
// indexes ascend, so nothing shows which are of one person.
func (d *Desk) postMoment(ctx context.Context, moment time.Time) error {
	view := d.cfg.Log.View()
	erased := d.erased(view)
	var indexes []uint64
	for _, one := range d.all() {
		if one.posted.Equal(moment) && one.consent.Consent.Status == entry.Erasing {
			indexes = append(indexes, one.consent.Consent.Indexes...)
		}
	}
	indexes = slices.DeleteFunc(indexes, erased)
	slices.Sort(indexes)
	for part := range slices.Chunk(slices.Compact(indexes), act.MaxWithdrawalSpans) {
		w := act.Withdrawal{Hospital: d.cfg.Hospital, Entries: spans(part)}
		if err := d.cfg.Outbox.PostAct(ctx, act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: w.Marshal()}); err != nil {
			return fmt.Errorf("post a withdrawal of %d entries: %w", len(part), err)
		}
		fault.At(fault.WithdrawPosted)
		last := part[len(part)-1]
		if _, err := d.cfg.Log.Wait(ctx, func(s *state.State) bool { return s.Withdrawn(d.cfg.Hospital, last) }); err != nil {
			return err
		}
		d.cfg.Logger.Info("a withdrawal is in the log", "entries", len(part))
	}
	return nil
}

// spans writes ascending indexes as runs.
func spans(indexes []uint64) (out []act.Span) {
	for _, i := range indexes {
		if n := len(out); n > 0 && out[n-1].End() == i {
			out[n-1].Count++
			continue
		}
		out = append(out, act.Span{First: i, Count: 1})
	}
	return out
}

// clear lets the outbox forget this hospital's entries as they are withdrawn, in
// whosever act.
func (d *Desk) clear(ctx context.Context) error {
	var seen []act.Span
	for {
		view, err := d.cfg.Log.Wait(ctx, func(s *state.State) bool { return !slices.Equal(d.claim(s), seen) })
		if err != nil {
			return nil // the context has ended
		}
		claim := d.claim(view)
		var fresh []uint64
		for _, span := range claim {
			for i := span.First; i < span.End(); i++ {
				if !contains(seen, i) {
					fresh = append(fresh, i)
				}
			}
		}
		for part := range slices.Chunk(fresh, forgetStep) { // receipts are written in between
			if err := d.cfg.Outbox.Forget(part); err != nil {
				return err
			}
		}
		seen = slices.Clone(claim)
	}
}

func contains(spans []act.Span, index uint64) bool {
	return slices.ContainsFunc(spans, func(s act.Span) bool { return index >= s.First && index < s.End() })
}

// claim returns what is withdrawn in this hospital's name.
func (d *Desk) claim(s *state.State) []act.Span {
	for _, c := range s.Claims {
		if c.Hospital == d.cfg.Hospital {
			return c.Entries
		}
	}
	return nil
}
