package withdraw

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
)

// A recovery after the loss of the majority cuts the log. An index beyond the cut that
// a decision names is another entry's from then on, perhaps another patient's: it must
// not be erased. What it named is not in the log any more.

// settleEpoch drops such indexes once, before anything is decided or posted in the new
// log epoch. Errors are ledger.ErrStorage.
func (d *Desk) settleEpoch(view *state.State) error {
	seen, err := d.file.epoch()
	if err != nil || view.LogEpoch <= seen {
		return err
	}
	for _, e := range view.Epochs {
		if e.Number <= seen || !slices.ContainsFunc(d.decisions, func(one decision) bool { return one.names(e.Size) }) {
			continue
		}
		d.decisions = withoutBeyond(d.decisions, e.Size)
		d.cfg.Logger.Warn("decisions named entries that were lost at the recovery; those are dropped", "beyond", e.Size)
		if err := d.file.save(d.decisions); err != nil {
			return fmt.Errorf("keep decisions: %w", err)
		}
	}
	return ledger.WriteFileDurable(d.file.epochPath(), binary.BigEndian.AppendUint64(nil, view.LogEpoch))
}

// names reports whether a decision is about an entry from a tree size on.
func (d *decision) names(size uint64) bool {
	list := d.consent.Consent.Indexes // ascending
	return len(list) > 0 && list[len(list)-1] >= size
}

// withoutBeyond returns decisions that name no entry from a tree size on.
func withoutBeyond(all []decision, size uint64) []decision {
	out := slices.Clone(all)
	for i := range out {
		if !out[i].names(size) {
			continue
		}
		c := *out[i].consent.Consent
		c.Indexes = slices.DeleteFunc(slices.Clone(c.Indexes), func(index uint64) bool { return index >= size })
		out[i].consent.Consent = &c
	}
	return out
}

func (f file) epochPath() string { return f.path + ".epoch" }

// epoch returns the log epoch that the decisions are of. Where that is not readable
// nothing is dropped: what is decided since then names entries beyond the cut as well.
func (f file) epoch() (uint64, error) {
	raw, err := ledger.ReadFileDurable(f.epochPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 1, nil
	case errors.Is(err, ledger.ErrDamaged), err == nil && len(raw) != 8:
		return math.MaxUint64, nil
	case err != nil:
		return 0, err
	}
	return binary.BigEndian.Uint64(raw), nil
}
