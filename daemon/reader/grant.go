package reader

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// ErrRecipient reports an institution to which nothing can be granted.
var ErrRecipient = errors.New("nothing can be granted to this institution")

// Granting is how far [Reader.Grant] is.
type Granting struct {
	Envelope  uint64 // looked at up to here
	Of        uint64 // first envelope number that is not looked at
	Envelopes uint64 // granted so far
	Had       uint64 // that the recipient can open already, or was granted
	Closed    uint64 // that this node cannot open
}

// Grant makes the acts that give a reader the keys of the envelopes [from, to)
// that were sealed before its key was in the reader set, and hands each to
// post. Of a reader it grants whatever the recipient has a right to and this
// institution can open, of a hospital its own. What was granted before is left
// out, so it may be repeated. progress is called after each act, and at the end.
func (r *Reader) Grant(ctx context.Context, recipient uint32, from, to uint64, post func(act.Act) error, progress func(Granting)) error {
	view := r.cfg.Node.View()
	m, err := r.recipient(view, recipient)
	if err != nil {
		return err
	}
	to = min(to, view.Envelopes)
	p := Granting{Envelope: from, Of: to}
	g := act.Grant{Recipient: recipient, From: r.cfg.Sealing()[0].Public().ID(), To: m.Institution.Sealing.ID()}
	flush := func() error {
		if len(g.Keys) == 0 {
			return nil
		}
		err := post(act.Act{Version: act.Version, Type: act.TypeGrant, Payload: g.Marshal()})
		p.Envelopes += uint64(len(g.Keys))
		g.Keys = nil
		return err
	}
	granted, err := r.grantedTo(view, recipient, g.To)
	if err != nil {
		return err
	}
	for ; p.Envelope < to; p.Envelope++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if granted[p.Envelope] {
			p.Had++
			continue
		}
		key, err := r.grantOne(view, m, recipient, g, p.Envelope, &p)
		if err != nil {
			return fmt.Errorf("grant envelope %d: %w", p.Envelope, err)
		}
		if key == nil {
			continue
		}
		if g.Keys = append(g.Keys, *key); len(g.Keys) == act.MaxGranted {
			if err := flush(); err != nil {
				return err
			}
			progress(p)
		}
	}
	if err := flush(); err != nil {
		return err
	}
	progress(p)
	return nil
}

// CheckRecipient reports, as an ErrRecipient, an institution that nothing can be
// granted to.
func (r *Reader) CheckRecipient(number uint32) error {
	_, err := r.recipient(r.cfg.Node.View(), number)
	return err
}

func (r *Reader) recipient(view *state.State, number uint32) (*state.Member, error) {
	m, ok := view.Member(number)
	switch {
	case !ok:
		return nil, fmt.Errorf("institution %d: %w: the network has none of this number", number, ErrRecipient)
	case !state.SealRights(m.Rights).Clinical || number == r.cfg.Institution:
		return nil, fmt.Errorf("institution %d: %w: it must be another institution that reads", number, ErrRecipient)
	}
	return m, nil
}

// grantedTo returns the envelopes whose keys were granted to a key.
func (r *Reader) grantedTo(view *state.State, recipient uint32, key [32]byte) (map[uint64]bool, error) {
	numbers := map[uint64]bool{}
	for _, at := range view.Grants {
		if at.Recipient != recipient {
			continue
		}
		g, err := r.grant(at.Number)
		if err != nil {
			return nil, err
		}
		if g.by != r.cfg.Institution || g.To != key {
			continue // another's may be false
		}
		for _, k := range g.Keys {
			numbers[k.Envelope] = true
		}
	}
	return numbers, nil
}

// grantOne wraps an envelope's keys to the recipient; nil if there is nothing
// to give.
func (r *Reader) grantOne(view *state.State, m *state.Member, recipient uint32, g act.Grant, number uint64, p *Granting) (*act.Granted, error) {
	meta, err := r.cfg.Node.Machine().Meta(number)
	if err != nil {
		return nil, err
	}
	may, ok := rightsOf(view, recipient, meta.Hospital)
	own, mine := r.rights(view, meta.Hospital)
	if !ok || !mine {
		return nil, nil
	}
	env, _, err := r.cfg.Node.Machine().Envelope(number)
	if err != nil || env.Kind != envelope.KindEntries {
		return nil, err
	}
	if env.Names(m.Institution.Sealing.ID()) {
		p.Had++
		return nil, nil
	}
	keys, _, err := r.unlock(view, number, env, own)
	if err != nil || !keys.HasClinical {
		p.Closed++ // the watch has said so, or it is not granted to this one either
		return nil, nil
	}
	out := &act.Granted{Envelope: number}
	out.Wrap, err = env.Grant(g.From).Wrap(m.Institution.Sealing, keys, may, rand.Reader)
	return out, err
}
