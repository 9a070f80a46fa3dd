package main

import (
	"context"
	"fmt"
	"time"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// newcomer is a hospital that an act lets in.
type newcomer struct {
	number   uint32
	envelope *sign.PrivateKey
	request  *sign.PrivateKey
	tls      *sign.PrivateKey
	sealing  *seal.ReaderPrivate
	card     act.Admission
}

// admitOthers lets hospitals in until there are as many as should submit. Each
// act is for the roster that the one before made.
func (n *network) admitOthers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	first := uint32(len(n.founded.Members) + 1)
	for i := range hospitals - founders {
		c, err := newNewcomer(first + uint32(i))
		if err == nil {
			err = n.admit(ctx, c, n.founded.RosterVersion+uint64(i))
		}
		if err != nil {
			return fmt.Errorf("admit hospital %d: %w", first+uint32(i), err)
		}
	}
	return n.awaitEnvelopes(ctx, n.founded.Envelopes+uint64(hospitals-founders)) // whoever they ask knows them
}

// awaitEnvelopes waits until every voter has applied so many.
func (n *network) awaitEnvelopes(ctx context.Context, envelopes uint64) error {
	for _, p := range n.procs {
		if _, err := awaitStatus(ctx, p, func(s admin.Status) bool { return s.Envelopes >= envelopes }); err != nil {
			return err
		}
	}
	return nil
}

func newNewcomer(number uint32) (*newcomer, error) {
	keys := map[sign.Purpose]*sign.PrivateKey{}
	for _, p := range []sign.Purpose{sign.PurposeEnvelope, sign.PurposeRequest, sign.PurposeResponse, sign.PurposeTLS, sign.PurposeLog, sign.PurposeCosign} {
		key, err := sign.Generate(p)
		if err != nil {
			return nil, err
		}
		keys[p] = key
	}
	reader, err := seal.GenerateReader()
	if err != nil {
		return nil, err
	}
	public := func(p sign.Purpose) *sign.PublicKey { return keys[p].Public() }
	return &newcomer{number: number, envelope: keys[sign.PurposeEnvelope], request: keys[sign.PurposeRequest], tls: keys[sign.PurposeTLS], sealing: reader, card: act.Admission{
		Institution: act.Institution{
			Role: act.RoleHospital, Entity: fmt.Sprintf("demo-hospital-%d", number), Province: "11",
			NameEN: fmt.Sprintf("Demo hospital %d", number), NameZH: fmt.Sprintf("演示医院%d", number),
			Envelope: public(sign.PurposeEnvelope), Request: public(sign.PurposeRequest), Response: public(sign.PurposeResponse),
			Sealing: reader.Public(),
		},
		Nodes: []act.Node{{
			ID: fmt.Sprintf("h%d", number), Institution: number, Kind: act.Mirror,
			TLS: public(sign.PurposeTLS), Log: public(sign.PurposeLog), Cosign: public(sign.PurposeCosign),
		}},
	}}, nil
}

// admit lets the newcomer in and gives it a chain and a session.
func (n *network) admit(ctx context.Context, c *newcomer, roster uint64) error {
	if err := n.postAdmission(ctx, c.card, roster); err != nil {
		return err
	}
	set := *n.chains[voters].set
	set.Own = c.card.Institution.Sealing
	n.chains = append(n.chains, &chain{set: &set, key: c.envelope, link: envelope.Link{
		Network: n.founded.Network, Hospital: c.number, Attempt: 1, Sequence: 1,
	}})
	return n.join(identity{c.card.Nodes[0].ID, c.tls.Ed25519()})
}

// postAdmission posts an admission for the roster of a version.
func (n *network) postAdmission(ctx context.Context, card act.Admission, roster uint64) error {
	return n.postApproved(ctx, act.Act{Type: act.TypeAdmission, RosterVersion: roster, Payload: card.Marshal()})
}

// postApproved posts an act, approved by the first q founders. Its sender does not
// vote: voters post acts of their own.
func (n *network) postApproved(ctx context.Context, a act.Act) error {
	a.Version, a.Expiry = act.Version, uint64(time.Now().Add(time.Hour).UnixMilli())
	for i := range n.founded.Quorum {
		p, err := a.Approve(n.founded.Network, uint32(i+1), n.chains[i].key)
		if err != nil {
			return err
		}
		a.Approvals = append(a.Approvals, p)
	}
	sender := n.chains[voters]
	sender.link.SignedAt = uint64(time.Now().UnixMilli())
	e, err := envelope.BuildAct(sender.link, a.Marshal(), sender.key)
	if err != nil {
		return err
	}
	if _, err := n.commit(ctx, 0, e.Marshal()); err != nil {
		return err
	}
	sender.follow(e)
	return nil
}
