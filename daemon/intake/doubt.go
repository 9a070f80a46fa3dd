package intake

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/validate"
)

// doubt passes on what the hospital is to ask itself about files that were taken,
// those that were taken before among them: a crash may have come in between.
func (in *Intake) doubt(taken []*work) error {
	if in.cfg.Doubts == nil {
		return nil
	}
	var list []validate.Doubt
	for _, w := range taken {
		for _, p := range w.patients {
			list = append(list, p.doubts...)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return in.cfg.Doubts(list)
}

// A Question is a query to this hospital itself, with whom its entry is of.
type Question struct {
	Query entry.Query
	About entry.Pseudonym
}

// Ask hands questions to the outbox. One that was asked before, or is about a
// patient who has stopped use, is left out.
func (in *Intake) Ask(ctx context.Context, list []Question) error {
	stopped, release, err := in.hold(ctx)
	if err != nil {
		return err
	}
	defer release()
	var groups [][]outbox.Entry
	for _, q := range list {
		e, err := in.Query(q.Query, [32]byte{})
		if err != nil {
			return err
		}
		if q.About.Present && stopped(q.About.Value, e.Uses()) != "" {
			continue
		}
		plain, err := entry.Encode(e)
		if err != nil {
			return err
		}
		groups = append(groups, []outbox.Entry{{ID: e.ID, Plain: plainOf(e, plain)}})
	}
	if len(groups) == 0 {
		return nil
	}
	if _, err := in.cfg.Outbox.AddEntries(ctx, groups); err != nil {
		return fmt.Errorf("ask about %d entries: %w", len(groups), err)
	}
	return nil
}
