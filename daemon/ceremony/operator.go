package ceremony

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
)

// Why an operator's wish is not carried out.
var (
	// ErrNotHolder reports an institution that has no part in what was asked.
	ErrNotHolder = errors.New("this institution has no part in it")
	// ErrNotNow reports a step whose time has not come, or has passed.
	ErrNotNow = errors.New("not at this stage of the ceremony")
)

// Start opens the ceremony in which the founders' holders make their key, to
// end within the given time. It returns once the log has it.
func (d *Driver) Start(ctx context.Context, within time.Duration) error {
	view := d.cfg.Log.View()
	switch {
	case view.OPRF.Holders != 0:
		return fmt.Errorf("%w: the network has its key, in epoch %d; raresync ceremony reshare moves it to other holders", ErrNotNow, view.OPRF.Epoch)
	case !slices.Contains(view.Holders, d.cfg.Institution):
		return fmt.Errorf("%w: one of the holders %v starts the ceremony", ErrNotHolder, view.Holders)
	}
	if c := view.OpenCeremony(d.now(view)); c != nil {
		return fmt.Errorf("%w: ceremony %d is under way", ErrNotNow, c.Number)
	}
	c := act.Ceremony{
		Epoch: 1, Threshold: uint16(keyshare.Threshold(len(view.Holders))), Holders: view.Holders,
		Deadline: d.now(view) + uint64(within.Milliseconds()),
	}
	return d.post(ctx, act.TypeCeremony, c.Marshal())
}

// Contribute deals this old holder's share to the new holders of the reshare
// under way. Its operator has compared their list with what was decided. It
// returns once the log has the deal.
func (d *Driver) Contribute(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	view := d.cfg.Log.View()
	c := view.OpenCeremony(d.now(view))
	if c == nil || !c.IsReshare() {
		return fmt.Errorf("%w: no reshare is under way", ErrNotNow)
	}
	dealer := view.Dealer(c, d.cfg.Institution)
	current := d.cfg.Shares.Shares().Current
	switch {
	case dealer == 0:
		return fmt.Errorf("%w: it holds no share of epoch %d", ErrNotHolder, view.OPRF.Epoch)
	case current == nil || keyshare.CheckShare(view.OPRF, *current) != nil:
		return fmt.Errorf("%w: this node does not have the share %d that the log counts on", ErrNotHolder, dealer)
	case hasDealt(c, dealer):
		return fmt.Errorf("%w: this holder has contributed", ErrNotNow)
	case view.AllDealt(c):
		return fmt.Errorf("%w: enough holders have contributed", ErrNotNow)
	case !c.AllJoined():
		return fmt.Errorf("%w: not every new holder has joined; raresync ceremony status names them", ErrNotNow)
	}
	dealing, err := keyshare.NewReshare(view.Run(c), *current, rand.Reader)
	if err != nil {
		return err
	}
	deal, err := dealing.Deal(c.KeysFor(dealer))
	if err != nil {
		return err
	}
	return d.post(ctx, act.TypeDeal, (&act.Deal{Ceremony: c.Number, Deal: deal}).Marshal())
}
