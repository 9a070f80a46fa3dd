package ceremony

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

// takePart does the next step of a new holder.
func (d *Driver) takePart(ctx context.Context, view *state.State, c *state.Ceremony, share uint16) error {
	kept := d.cfg.Shares.Shares()
	switch {
	case kept.Next != nil && kept.Ceremony == c.Number:
		if !c.Confirmed[share-1] {
			return d.confirm(ctx, view, c)
		}
		if c.AllConfirmed() {
			return d.activate(ctx, view, c, share)
		}
		return nil
	case !c.HasJoined(share):
		return d.join(ctx, view, c, share)
	case !d.holdsKeys(view, c, share):
		return d.giveUp(ctx, c)
	case !c.AllJoined():
		return nil
	case d.run.dealing != nil && !hasDealt(c, share):
		return d.deal(ctx, c, share)
	case view.AllDealt(c):
		return d.receive(ctx, view, c, share)
	}
	return nil
}

// holdsKeys reports whether this process has the secrets of the keys that its
// institution joined with.
func (d *Driver) holdsKeys(view *state.State, c *state.Ceremony, share uint16) bool {
	if d.run == nil {
		return false
	}
	keys, err := d.run.key.Public(view.Run(c))
	return err == nil && slices.Equal(keys, c.Joins[share-1].Keys)
}

func hasDealt(c *state.Ceremony, dealer uint16) bool {
	_, ok := c.Dealt(dealer)
	return ok
}

// join makes the secrets of the run and posts what is public of them.
func (d *Driver) join(ctx context.Context, view *state.State, c *state.Ceremony, share uint16) error {
	if d.run == nil {
		s := &secrets{number: c.Number}
		var err error
		if s.key, err = keyshare.NewCeremonyKey(); err != nil {
			return err
		}
		if !c.IsReshare() {
			if s.dealing, err = keyshare.NewDealing(view.Run(c), share, rand.Reader); err != nil {
				return err
			}
		}
		if err := d.vault.save(s); err != nil {
			return err
		}
		d.run = s
	}
	keys, err := d.run.key.Public(view.Run(c))
	if err != nil {
		return err
	}
	j := act.Join{Ceremony: c.Number, Keys: keys}
	if d.run.dealing != nil {
		j.Commit = d.run.dealing.Commit()
	}
	return d.post(ctx, act.TypeJoin, j.Marshal())
}

// deal posts this holder's part of a new key. It is made once: the same bytes
// posted again are the same act.
func (d *Driver) deal(ctx context.Context, c *state.Ceremony, dealer uint16) error {
	if d.run.dealt == nil {
		deal, err := d.run.dealing.Deal(c.KeysFor(dealer))
		if err != nil {
			return err
		}
		l := act.Deal{Ceremony: c.Number, Deal: deal}
		d.run.dealt = l.Marshal()
	}
	return d.post(ctx, act.TypeDeal, d.run.dealt)
}

// receive opens what was dealt to this holder and keeps the share that comes of
// it, or complains of the dealer whose share is false.
func (d *Driver) receive(ctx context.Context, view *state.State, c *state.Ceremony, share uint16) error {
	run := view.Run(c)
	record, err := view.Record(c)
	if err != nil {
		return err
	}
	pieces := make([]keyshare.Piece, len(c.Deals))
	for i, deal := range c.Deals {
		pieces[i], err = deal.Open(run, share, d.run.key)
		if errors.Is(err, keyshare.ErrDeal) {
			d.cfg.Logger.Error("a dealer has dealt this holder a false share; the evidence goes to the log, and the ceremony is void",
				"ceremony", c.Number, "dealer", deal.Dealer)
			return d.post(ctx, act.TypeComplaint, (&act.Complaint{Ceremony: c.Number, Accused: deal.Dealer, Seed: d.run.key.Reveal(run, deal.Dealer)}).Marshal())
		}
		if err != nil {
			return err
		}
	}
	next, err := keyshare.Join(run, record, pieces)
	if err != nil {
		return fmt.Errorf("join shares: %w", err)
	}
	kept := d.cfg.Shares.Shares()
	if err := d.cfg.Shares.Save(home.Shares{Current: kept.Current, Next: &next, Ceremony: c.Number}); err != nil {
		return err
	}
	return d.confirm(ctx, view, c)
}

// confirm signs the run. The secrets that opened its shares are of no use any
// more.
func (d *Driver) confirm(ctx context.Context, view *state.State, c *state.Ceremony) error {
	d.run = nil
	if err := d.vault.destroy(); err != nil {
		return err
	}
	f := act.Confirm{Ceremony: c.Number, Transcript: view.Transcript(c)}
	return d.post(ctx, act.TypeConfirm, f.Marshal())
}

// giveUp ends a run whose secrets this holder has lost, so that another can
// begin at once and not at the deadline.
func (d *Driver) giveUp(ctx context.Context, c *state.Ceremony) error {
	d.cfg.Logger.Warn("this holder lost its secrets of the ceremony, probably by a restart; start another", "ceremony", c.Number)
	return d.post(ctx, act.TypeComplaint, (&act.Complaint{Ceremony: c.Number}).Marshal())
}

// settle makes the share of an epoch that has come into force the current one,
// and destroys shares that are of no use any more.
func (d *Driver) settle(view *state.State) error {
	kept := d.cfg.Shares.Shares()
	s, c := kept, view.Ceremony
	if s.Next != nil {
		switch {
		case view.OPRF.Epoch == s.Next.Epoch && keyshare.CheckShare(view.OPRF, *s.Next) == nil:
			s = home.Shares{Current: s.Next}
		case view.OPRF.Epoch >= s.Next.Epoch, c != nil && c.Number > s.Ceremony,
			c != nil && c.Number == s.Ceremony && c.Ended != state.Open && c.Ended != state.Activated:
			s.Next, s.Ceremony = nil, 0
		}
	}
	if s.Current != nil && s.Current.Epoch < view.OPRF.Epoch {
		s.Current = nil
	}
	if s == kept {
		return nil
	}
	if err := d.cfg.Shares.Save(s); err != nil {
		return err
	}
	d.cfg.Logger.Info("shares of the pseudonymisation key were exchanged", "epoch", view.OPRF.Epoch, "held", s.Current != nil)
	return nil
}
