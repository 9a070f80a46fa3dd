package intake

import (
	"context"
	"fmt"

	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// Alias makes the entry of an alias, today: under the pseudonym at, which is
// one of its two, after the alias of the same two that supersedes names, or
// zeros if the hospital has sent none.
func (in *Intake) Alias(a entry.Alias, at [32]byte, s entry.Strength, supersedes [32]byte) entry.Entry {
	return entry.Entry{
		Type: entry.TypeAlias, Profile: entry.Report, ID: entry.AliasID(in.cfg.EntryID, a, supersedes),
		Pseudonym: entry.Pseudonym{Present: true, Value: at}, Strength: s, EventDate: in.today(),
		Source: entry.SourceForm, Basis: entry.BasisStatutory, Supersedes: supersedes, Alias: &a,
	}
}

// Post hands one entry to the outbox. One whose id was taken before is known
// and is not sent again; one of a person who has stopped use is refused by rule,
// be it under the person's pseudonym or about an entry that is.
func (in *Intake) Post(ctx context.Context, e entry.Entry, about ...entry.Pseudonym) (Taken, error) {
	stopped, release, err := in.hold(ctx)
	if err != nil {
		return Taken{}, err
	}
	defer release()
	code := stoppedEntry(e, stopped)
	for _, p := range about {
		if p.Present && code == "" {
			code = stopped(p.Value, e.Uses())
		}
	}
	if code != "" {
		return Taken{}, rule.Refuse(code, "", "")
	}
	encoded, err := entry.Encode(e)
	if err != nil {
		return Taken{}, err
	}
	placed, err := in.cfg.Outbox.AddEntries(ctx, [][]outbox.Entry{{{ID: e.ID, Plain: plainOf(e, encoded)}}})
	if err != nil {
		return Taken{}, fmt.Errorf("post a %s entry: %w", e.Type, err)
	}
	return Taken{Type: e.Type, ID: e.ID, Placed: placed[0][0]}, nil
}
