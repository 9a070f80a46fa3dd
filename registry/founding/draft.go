package founding

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/armour"
)

const (
	shareLabel     = "raresync/v1/dealt-share"
	maxSealedShare = 4096
)

// Plan is what the drafting institution decides.
type Plan struct {
	Name      string
	Demo      bool
	Quorum    uint64 // q; 0 = a majority of the lead hospitals
	Identity  pseudonym.Params
	Policy    act.Policy
	Catalogue act.Catalogue
	Cards     []Card // hospitals are numbered before readers, otherwise in this order
	Dealt     bool   // deal the pseudonymisation key here instead of a ceremony after the founding: demo networks only
}

// Draft is a genesis waiting for approvals, with any dealt shares sealed to
// their holders: the hospitals that run a voter.
type Draft struct {
	Act     *act.Act
	Genesis *act.Genesis
	Shares  [][]byte // share 1, 2, ... of a dealt key; else none
}

// NewDraft numbers the institutions, names the holders of the pseudonymisation
// key, and checks that the result can found a network. random is
// crypto/rand.Reader outside of tests, and read for a dealt key alone.
func NewDraft(p Plan, random io.Reader) (*Draft, error) {
	g := &act.Genesis{
		Name: p.Name, Demo: p.Demo, LogEpoch: 1, FeatureLevel: 1, Quorum: p.Quorum,
		Identity: p.Identity, Policy: p.Policy, Catalogue: p.Catalogue,
	}
	enrol(g, p.Cards)
	nameHolders(g)
	var shares [][]byte
	if p.Dealt {
		var err error
		if shares, err = deal(g, random); err != nil {
			return nil, fmt.Errorf("draft: %w", err)
		}
	}
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("draft: %w", err)
	}
	a := &act.Act{Version: act.Version, Type: act.TypeGenesis, Payload: g.Marshal()}
	if _, err := act.DecodeGenesis(a.Payload); err != nil { // a text too long for its field
		return nil, fmt.Errorf("draft: %w", err)
	}
	return &Draft{Act: a, Genesis: g, Shares: shares}, nil
}

// HospitalOf returns the number that the hospital of a node will have.
func (p *Plan) HospitalOf(node string) (number uint32, ok bool) {
	for _, c := range p.Cards {
		if c.Institution.Role != act.RoleHospital {
			continue
		}
		number++
		if slices.ContainsFunc(c.Nodes, func(n act.Node) bool { return n.ID == node }) {
			return number, true
		}
	}
	return 0, false
}

// enrol numbers the institutions and lists their nodes by id.
func enrol(g *act.Genesis, cards []Card) {
	leads := uint64(0)
	for _, role := range []act.Role{act.RoleHospital, act.RoleReader} {
		for _, c := range cards {
			if c.Institution.Role != role {
				continue
			}
			g.Institutions = append(g.Institutions, c.Institution)
			if c.Institution.Lead {
				leads++
			}
			for _, n := range c.Nodes {
				n.Institution = uint32(len(g.Institutions))
				g.Nodes = append(g.Nodes, n)
			}
		}
	}
	slices.SortFunc(g.Nodes, func(a, b act.Node) int { return strings.Compare(a.ID, b.ID) })
	if g.Quorum == 0 {
		g.Quorum = leads/2 + 1
	}
}

// nameHolders makes every hospital with a voter a holder.
func nameHolders(g *act.Genesis) {
	for number := range g.Institutions {
		holds := func(n act.Node) bool { return n.Institution == uint32(number+1) && n.Kind == act.Voter }
		if g.Institutions[number].Role == act.RoleHospital && slices.ContainsFunc(g.Nodes, holds) {
			g.Holders = append(g.Holders, uint32(number+1))
		}
	}
}

// deal gives every holder a share of a fresh key, sealed to it.
func deal(g *act.Genesis, random io.Reader) ([][]byte, error) {
	n := len(g.Holders)
	record, shares, err := keyshare.DealAll(n, keyshare.Threshold(n), random)
	if err != nil {
		return nil, fmt.Errorf("deal to %d hospitals with a voter: %w", n, err)
	}
	g.OPRF = record
	sealed := make([][]byte, n)
	for i, s := range shares {
		holder := g.Institutions[g.Holders[i]-1]
		if sealed[i], err = holder.Sealing.SealMessage(shareLabel, keyshare.MarshalShare(s)); err != nil {
			return nil, fmt.Errorf("share %d: %w", i+1, err)
		}
	}
	return sealed, nil
}

// Share opens the dealt share that the draft holds for the given institution,
// and checks it against the public record. ok is false if it holds none.
func (d *Draft) Share(institution uint32, key *seal.ReaderPrivate) (s keyshare.Share, ok bool, err error) {
	i := slices.Index(d.Genesis.Holders, institution)
	if i < 0 || len(d.Shares) == 0 {
		return keyshare.Share{}, false, nil
	}
	raw, err := key.OpenMessage(shareLabel, d.Shares[i])
	if err != nil {
		return keyshare.Share{}, false, fmt.Errorf("share %d: %w", i+1, err)
	}
	if s, err = keyshare.ParseShare(raw); err == nil {
		record := d.Genesis.OPRF.Bind(d.Act.NetworkID())
		s.KeyID = record.KeyID
		err = keyshare.CheckShare(record, s)
	}
	if err == nil && int(s.Holder) != i+1 {
		err = fmt.Errorf("it is share %d", s.Holder)
	}
	if err != nil {
		return keyshare.Share{}, false, fmt.Errorf("share %d: %w", i+1, err)
	}
	return s, true, nil
}

// Number returns the number the draft gives to the institution with the given
// envelope key id, or false.
func (d *Draft) Number(envelopeKey [32]byte) (uint32, bool) {
	for i := range d.Genesis.Institutions {
		if d.Genesis.Institutions[i].Envelope.ID() == envelopeKey {
			return uint32(i + 1), true
		}
	}
	return 0, false
}

// Marshal returns the draft as an armoured text file.
func (d *Draft) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendBytes(b, d.Act.Marshal())
	b = cbor.AppendArray(b, len(d.Shares))
	for _, s := range d.Shares {
		b = cbor.AppendBytes(b, s)
	}
	return armour.Wrap(blockDraft, b)
}

// ParseDraft reads an armoured draft and checks that it can found a network.
func ParseDraft(file []byte) (*Draft, error) {
	d, err := parseDraft(file)
	if err != nil {
		return nil, fmt.Errorf("draft: %w", err)
	}
	return d, nil
}

func parseDraft(file []byte) (*Draft, error) {
	raw, err := disarm(blockDraft, file)
	if err != nil {
		return nil, err
	}
	out := &Draft{}
	d := cbor.NewDecoder(raw)
	d.Array(2)
	encoded := d.Bytes(act.MaxBytes)
	n := d.ArrayMax(act.MaxFounders)
	for range n {
		out.Shares = append(out.Shares, d.Bytes(maxSealedShare))
	}
	if err := d.Done(); err != nil {
		return nil, err
	}
	if out.Act, err = act.Decode(encoded); err != nil {
		return nil, err
	}
	if out.Act.Type != act.TypeGenesis || len(out.Act.Approvals) != 0 {
		return nil, fmt.Errorf("holds an act of %s with %d approvals", out.Act.Type, len(out.Act.Approvals))
	}
	if out.Act.Version != act.Version || out.Act.RosterVersion != 0 || out.Act.Expiry != 0 {
		return nil, errors.New("a genesis has version 1, roster version 0 and no expiry")
	}
	if out.Genesis, err = act.DecodeGenesis(out.Act.Payload); err != nil {
		return nil, err
	}
	if len(out.Shares) != int(out.Genesis.OPRF.Holders) {
		return nil, fmt.Errorf("%d shares for %d holders of a dealt key", len(out.Shares), out.Genesis.OPRF.Holders)
	}
	return out, out.Genesis.Validate()
}
