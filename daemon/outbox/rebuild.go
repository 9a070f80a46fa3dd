package outbox

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/raresync/raresync/registry/envelope"
)

// mend ends a rebuilding that a crash cut short: an envelope that does not name
// the one before it was to be built anew, and so were all behind it.
func (o *Outbox) mend() error {
	o.mu.Lock()
	items := slices.Clone(o.items)
	o.mu.Unlock()
	for i := 1; i < len(items); i++ {
		before := items[i-1].env
		if items[i].env.Sequence == before.Sequence+1 && items[i].env.Previous != before.ID() {
			return o.rebuildFrom(items[i], before.ID())
		}
	}
	return nil
}

// rebuildFrom builds an item and all behind it anew: each names the one before
// it by id.
func (o *Outbox) rebuildFrom(first *item, previous envelope.ID) error {
	o.building.Lock()
	defer o.building.Unlock()
	for _, it := range o.itemsFrom(first.env.Sequence) {
		renewed, err := o.rebuild(it, previous)
		if err == nil {
			err = o.store.save(renewed)
		}
		if err != nil {
			return fmt.Errorf("outbox: build sequence %d anew: %w", it.env.Sequence, err)
		}
		previous = renewed.env.ID()
		o.mu.Lock()
		it.env, it.ids = renewed.env, renewed.ids
		o.head = link{it.env.Sequence, previous}
		o.mu.Unlock()
	}
	return nil
}

func (o *Outbox) itemsFrom(sequence uint64) []*item {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.IndexFunc(o.items, func(it *item) bool { return it.env.Sequence >= sequence })
	return slices.Clone(o.items[i:])
}

func (o *Outbox) rebuild(it *item, previous envelope.ID) (*item, error) {
	return o.renew(it, link{it.env.Sequence - 1, previous}, it.env.Attempt+1, nil)
}

// renew builds an item anew behind another envelope, without the entries and
// acts that drop names. It returns nil if nothing is left.
func (o *Outbox) renew(it *item, behind link, attempt uint32, drop map[[32]byte]bool) (*item, error) {
	view := o.cfg.Log.View()
	next := envelope.Link{
		Network: view.Network, Hospital: o.cfg.Hospital, Sequence: behind.sequence + 1, Attempt: attempt,
		Previous: behind.id, SignedAt: uint64(o.cfg.Now().UnixMilli()),
	}
	if it.env.Kind == envelope.KindAct {
		if drop[it.ids[0]] {
			return nil, nil
		}
		env, err := envelope.BuildAct(next, it.env.Bodies[0].Ciphertext, o.cfg.Key(view))
		return &item{env: env, ids: it.ids}, err
	}
	plains, err := o.plaintexts(it.env)
	if err != nil {
		return nil, err
	}
	left, kept := it.ids, plains
	if len(drop) > 0 {
		left, kept = nil, nil
		for i, id := range it.ids {
			if !drop[id] {
				left, kept = append(left, id), append(kept, plains[i])
			}
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	readers, err := o.readers(view, kept)
	if err != nil {
		return nil, err
	}
	env, places, err := envelope.BuildEntries(next, readers, kept, o.cfg.Key(view), rand.Reader)
	if err != nil {
		return nil, err
	}
	ids := make([][32]byte, len(left))
	for i, id := range left {
		ids[places[i]] = id
	}
	return &item{env: env, ids: ids}, nil
}

// plaintexts opens an envelope of this hospital, in order of place.
func (o *Outbox) plaintexts(env *envelope.Envelope) ([]envelope.Plain, error) {
	opened, err := o.open(env)
	if err != nil {
		return nil, err
	}
	plains := make([]envelope.Plain, len(opened))
	for i, e := range opened {
		if e.Err != nil {
			return nil, e.Err
		}
		plains[i] = envelope.Plain{Part: e.Part, CBOR: e.CBOR}
	}
	return plains, nil
}
