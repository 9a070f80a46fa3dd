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

// PostAct posts an act and waits until the network has answered. A
// [*state.Refusal] as the error is the network's no: the act is gone then, and
// may be posted again. With the context's error the act is still on its way.
func (o *Outbox) PostAct(ctx context.Context, a act.Act) error {
	id := actID(a.Marshal())
	if _, err := o.AddAct(ctx, a); err != nil {
		return err
	}
	for {
		o.mu.Lock()
		taken := o.known[id] || slices.ContainsFunc(o.items, func(it *item) bool { return it.ids[0] == id && it.accepted != nil })
		refusal, changed := o.refusals[id], o.changed
		o.mu.Unlock()
		switch {
		case taken:
			return nil
		case refusal != nil:
			return refusal
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the act is still on its way: %w", ctx.Err())
		case <-changed:
		}
	}
}

// refusedAct reports whether an envelope is an act that was refused for what it
// says. Others, a change of the roster among them, were faster: sending it again
// would not help, and keep what is behind it from the log.
func refusedAct(it *item, r *state.Refusal) bool {
	if it.env.Kind != envelope.KindAct {
		return false
	}
	return r.Code == state.CodeActType || r.Code == state.CodeActPayload || r.Code == state.CodeActApproval
}

// drop lets a refused act go. The envelopes behind it move up by one sequence,
// built anew.
func (o *Outbox) drop(refused *item, r *state.Refusal) error {
	o.building.Lock()
	defer o.building.Unlock()
	o.settling.Lock()
	defer o.settling.Unlock()
	behind := o.itemsFrom(refused.env.Sequence)
	o.mu.Lock()
	kept := slices.Clone(o.items[:len(o.items)-len(behind)])
	o.mu.Unlock()
	attempt := o.restoredAttempt(behind)
	if err := o.setUsed(used{behind[len(behind)-1].env.Sequence, attempt - 1}); err != nil {
		return fmt.Errorf("outbox: drop sequence %d: %w", refused.env.Sequence, err)
	}
	end := link{refused.env.Sequence - 1, refused.env.Previous}
	for _, it := range behind[1:] {
		renewed, err := o.renew(it, end, attempt, nil)
		if err != nil {
			return fmt.Errorf("outbox: build sequence %d anew: %w", it.env.Sequence, err)
		}
		kept, end = append(kept, renewed), link{renewed.env.Sequence, renewed.env.ID()}
	}
	if err := o.store.replace(kept); err != nil {
		return fmt.Errorf("outbox: drop sequence %d: %w", refused.env.Sequence, err)
	}
	o.cfg.Logger.Error("an act was refused and is dropped", "sequence", refused.env.Sequence, "refusal", r.Error())
	o.mu.Lock()
	defer o.mu.Unlock()
	o.items, o.head = kept, end
	delete(o.known, refused.ids[0])
	o.refusals[refused.ids[0]] = r
	o.broadcast()
	return nil
}

// used says that envelopes up to a sequence were built that nobody sends any
// more: others with these sequences have a higher attempt.
type used struct {
	sequence uint64
	attempt  uint32
}

// setUsed makes it durable before the envelopes go. The caller holds building.
func (o *Outbox) setUsed(u used) error {
	u.sequence, u.attempt = max(u.sequence, o.used.sequence), max(u.attempt, o.used.attempt)
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, u.sequence)
	b = cbor.AppendUint(b, uint64(u.attempt))
	if err := ledger.WriteFileDurable(o.store.usedPath(), b); err != nil {
		return err
	}
	o.used = u
	return nil
}

// attemptFor returns the attempt of an envelope that is built for a sequence:
// the usual one, or one that is higher than any before. The caller holds
// building.
func (o *Outbox) attemptFor(sequence uint64, usual uint32) uint32 {
	if sequence > o.used.sequence {
		return usual
	}
	return max(usual, o.used.attempt+1)
}

func (s *store) usedPath() string { return filepath.Join(s.dir, "used") }

// used reads what setUsed wrote; nothing is used if it never did.
func (s *store) used() (u used, err error) {
	raw, err := ledger.ReadFileDurable(s.usedPath())
	if errors.Is(err, fs.ErrNotExist) {
		return used{}, nil
	}
	if err != nil {
		return used{}, err
	}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	u.sequence, u.attempt = d.Uint(), d.Uint32()
	return u, d.Done()
}
