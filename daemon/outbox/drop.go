package outbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrRefused reports an act that the network refused for what it says. It wraps
// the *state.Refusal.
var ErrRefused = errors.New("the network refused the act")

// maxRefusals bounds the refusals that are remembered for who waits.
const maxRefusals = 64

// PostAct adds an act and waits until the log has it under a checkpoint. The
// error is ErrRefused if the network refused it; it is not in the outbox any
// more then. When the context ends the act stays in the outbox, and may still
// be taken: the same act posted again waits for the same place.
func (o *Outbox) PostAct(ctx context.Context, a act.Act) error {
	id := actID(a.Marshal())
	o.mu.Lock()
	delete(o.refusals, id)
	o.mu.Unlock()
	if _, err := o.AddAct(ctx, a); err != nil {
		return err
	}
	for {
		o.mu.Lock()
		inLog, refusal, changed := o.known[id], o.refusals[id], o.changed
		o.mu.Unlock()
		switch {
		case inLog:
			return nil
		case refusal != nil:
			return fmt.Errorf("%w: %w", ErrRefused, refusal)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// isHopeless tells a refused act that waiting does not cure: another came
// first, or its time has passed.
func isHopeless(it *item, r *state.Refusal) bool {
	if it.env.Kind != envelope.KindAct {
		return false
	}
	return slices.Contains([]state.Code{
		state.CodeEncoding, state.CodeSize, state.CodeActForm, state.CodeActType, state.CodeActPayload, state.CodeActApproval,
	}, r.Code)
}

// dropAct takes a refused act out of the queue and builds what is behind it
// anew in its place. That its sequence and attempt were used is made durable
// first: they never name another envelope.
func (o *Outbox) dropAct(it *item, r *state.Refusal) error {
	o.building.Lock()
	defer o.building.Unlock()
	o.settling.Lock()
	defer o.settling.Unlock()
	used := use{it.env.Sequence, it.env.Attempt}
	if err := o.store.saveUse(used); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	o.mu.Lock()
	at := slices.Index(o.items, it)
	if at < 0 {
		o.mu.Unlock()
		return nil // the queue was built anew meanwhile
	}
	kept, behind := slices.Clone(o.items[:at]), slices.Clone(o.items[at+1:])
	o.mu.Unlock()
	end := link{used.sequence - 1, it.env.Previous}
	for _, next := range behind {
		renewed, err := o.renew(next, end, max(used.attempt, next.env.Attempt)+1, nil)
		if err != nil {
			return fmt.Errorf("outbox: build sequence %d anew: %w", next.env.Sequence, err)
		}
		kept, end = append(kept, renewed), link{renewed.env.Sequence, renewed.env.ID()}
	}
	if err := o.store.replace(kept); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.items, o.head, o.attempt = kept, end, 1
	if len(behind) == 0 {
		o.attempt = used.attempt + 1
	}
	delete(o.known, it.ids[0])
	if len(o.refusals) >= maxRefusals {
		clear(o.refusals) // who still waits has its own deadline
	}
	o.refusals[it.ids[0]] = r
	o.cfg.Logger.Error("an act was refused and is dropped", "sequence", used.sequence, "refusal", r.Error())
	o.broadcast()
	return nil
}

// use is a sequence and attempt that was signed and will never be in the log.
type use struct {
	sequence uint64
	attempt  uint32
}

func (s *store) usePath() string { return filepath.Join(s.dir, "used") }

func (s *store) saveUse(u use) error {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, u.sequence)
	return ledger.WriteFileDurable(s.usePath(), cbor.AppendUint(b, uint64(u.attempt)))
}

// newestUse reads the newest use; zero if there was none.
func (s *store) newestUse() (use, error) {
	raw, err := ledger.ReadFileDurable(s.usePath())
	if errors.Is(err, fs.ErrNotExist) {
		return use{}, nil
	}
	if err != nil {
		return use{}, fmt.Errorf("used sequence: %w", err)
	}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	u := use{d.Uint(), d.Uint32()}
	if err := d.Done(); err != nil {
		return use{}, fmt.Errorf("used sequence: %w", err)
	}
	return u, nil
}
