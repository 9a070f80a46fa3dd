package reader

import (
	"errors"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

var (
	// errNotGranted reports an envelope from before this institution was a
	// reader, of which nobody has given it the keys.
	errNotGranted = errors.New("sealed before this institution was a reader, and not granted to it")
	// errOffline reports an envelope sealed to a key of this institution that
	// is not on this node.
	errOffline = errors.New("sealed to a key of this institution that is not on this node")
)

// unlock returns an envelope's keys, from the wrap to one of this institution's
// keys or from a grant. granted says that they came, or should have come, from
// a grant, for which its sender answers and not the envelope's.
func (r *Reader) unlock(view *state.State, number uint64, env *envelope.Envelope, may seal.Rights) (keys seal.Opened, granted bool, err error) {
	own := r.cfg.Sealing()
	for _, k := range own {
		if env.Names(k.Public().ID()) {
			keys, err = env.Unwrap(k)
			return keys, false, err
		}
	}
	keys, err = r.fromGrants(view, number, env, may)
	if !errors.Is(err, errNotGranted) {
		return keys, true, err
	}
	for _, k := range own { // it may be the addressee, whom no wrap names
		if keys, err := env.Unwrap(k); err == nil {
			return keys, false, nil
		}
	}
	self, ok := view.Member(r.cfg.Institution)
	if ok && slices.ContainsFunc(self.Sealing, func(span state.SealingSpan) bool { return env.Names(span.Key.ID()) }) {
		return seal.Opened{}, false, errOffline
	}
	if r.cfg.Institution == env.Hospital || view.WasReader(env.ReaderSet, r.cfg.Institution, env.Hospital) {
		return seal.Opened{}, false, envelope.ErrNotAReader
	}
	return seal.Opened{}, false, errNotGranted
}

// fromGrants returns the keys that somebody granted, the newest grant first
// that gives what the header commits to.
func (r *Reader) fromGrants(view *state.State, number uint64, env *envelope.Envelope, may seal.Rights) (seal.Opened, error) {
	failed := errNotGranted
	for _, at := range view.GrantsFor(r.cfg.Institution, number) {
		g, err := r.grant(at.Number)
		if err != nil {
			return seal.Opened{}, err
		}
		i, ok := slices.BinarySearchFunc(g.Keys, number, func(k act.Granted, n uint64) int { return int(int64(k.Envelope - n)) })
		giver, known := view.Member(g.by)
		if !ok || !known || g.by != env.Hospital && !giver.Rights.Has(act.RightNational) {
			continue
		}
		keys, err := r.unwrapGrant(g, env, g.Keys[i].Wrap)
		if err == nil {
			err = keys.CheckRights(may)
		}
		if err == nil {
			return keys, nil
		}
		if errors.Is(failed, errNotGranted) {
			failed = fmt.Errorf("grant in envelope %d by institution %d: %w", at.Number, g.by, err)
		}
	}
	return seal.Opened{}, failed
}

// unwrapGrant opens a granted wrap. One that does not open is no better than
// one with another key in it.
func (r *Reader) unwrapGrant(g *grant, env *envelope.Envelope, wrap [seal.WrapBytes]byte) (seal.Opened, error) {
	for _, k := range r.cfg.Sealing() {
		if k.Public().ID() != g.To {
			continue
		}
		keys, err := env.Grant(g.From).Unwrap(k, wrap)
		if err != nil {
			err = fmt.Errorf("%w: %w", seal.ErrCommitment, err)
		}
		return keys, err
	}
	return seal.Opened{}, errOffline
}

// grant is a grant's act with its sender.
type grant struct {
	number uint64
	by     uint32
	act.Grant
}

// grant reads a grant from the log. The last one read is kept: who reads in
// order asks for it again and again.
func (r *Reader) grant(number uint64) (*grant, error) {
	if g := r.last.Load(); g != nil && g.number == number {
		return g, nil
	}
	env, _, err := r.cfg.Node.Machine().Envelope(number)
	if err != nil {
		return nil, err
	}
	a, err := act.Decode(env.Bodies[0].Ciphertext)
	if err != nil {
		return nil, fmt.Errorf("grant in envelope %d: %w", number, err)
	}
	g, err := act.DecodeGrant(a.Payload)
	if err != nil {
		return nil, fmt.Errorf("grant in envelope %d: %w", number, err)
	}
	found := &grant{number: number, by: env.Hospital, Grant: *g}
	r.last.Store(found)
	return found, nil
}
