package act

import (
	"crypto/sha256"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
)

// GenesisVersion is the version of the genesis payload.
const GenesisVersion = 1

// Genesis is the payload of the act that founds a network. It holds no network
// id: the id is its hash ([Act.NetworkID]).
type Genesis struct {
	Name         string // [a-z0-9./-], at most 64 bytes; names the log and its cosigners
	Demo         bool   // a demo network may have one national reader and dealt shares
	LogEpoch     uint64 // 1
	Quorum       uint64 // q: lead hospitals that must approve a later act
	FeatureLevel uint64 // kinds, suites and act types allowed from the start
	Identity     pseudonym.Params
	Policy       Policy
	Catalogue    Catalogue
	Institutions []Institution   // founders, hospitals before readers, numbered 1..n in this order
	Nodes        []Node          // ascending by id
	OPRF         keyshare.Record // zero: the holders make the key together, in a ceremony on the log
	Holders      []uint32        // institution of share 1, 2, ...
}

// Catalogue names the edition of the disease lists a network counts by.
type Catalogue struct {
	Edition string
	Hash    [32]byte // of the table, see registry/catalog
}

// NetworkID returns the id of the network an act of [TypeGenesis] founds.
func (a *Act) NetworkID() [32]byte {
	h := sha256.New()
	h.Write([]byte("raresync/v1/genesis\x00"))
	h.Write(a.Core())
	return [32]byte(h.Sum(nil))
}

// Marshal returns the payload's deterministic CBOR: an array of 13.
func (g *Genesis) Marshal() []byte {
	b := cbor.AppendArray(nil, 13)
	b = cbor.AppendUint(b, GenesisVersion)
	b = cbor.AppendText(b, g.Name)
	b = cbor.AppendBool(b, g.Demo)
	b = cbor.AppendUint(b, g.LogEpoch)
	b = cbor.AppendUint(b, g.Quorum)
	b = cbor.AppendUint(b, g.FeatureLevel)
	b = g.Identity.AppendCBOR(b)
	b = g.Policy.AppendCBOR(b)
	b = g.Catalogue.AppendCBOR(b)
	b = cbor.AppendArray(b, len(g.Institutions))
	for i := range g.Institutions {
		b = g.Institutions[i].AppendCBOR(b)
	}
	b = cbor.AppendArray(b, len(g.Nodes))
	for i := range g.Nodes {
		b = g.Nodes[i].AppendCBOR(b)
	}
	b = AppendKeyRecord(b, g.OPRF)
	b = cbor.AppendArray(b, len(g.Holders))
	for _, n := range g.Holders {
		b = cbor.AppendUint(b, uint64(n))
	}
	return b
}

// DecodeGenesis reads the payload of an act of [TypeGenesis]. Whether it makes
// sense is [Genesis.Validate]'s to say.
func DecodeGenesis(raw []byte) (*Genesis, error) {
	g := &Genesis{}
	d := cbor.NewDecoder(raw)
	d.Array(13)
	if v := d.Uint(); d.Err() == nil && v != GenesisVersion {
		return nil, fmt.Errorf("genesis: payload version %d is not known to this build", v)
	}
	g.Name = d.Text(64)
	g.Demo = d.Bool()
	g.LogEpoch = d.Uint()
	g.Quorum = d.Uint()
	g.FeatureLevel = d.Uint()
	g.Identity = pseudonym.ReadParams(d)
	g.Policy = DecodePolicy(d)
	g.Catalogue = DecodeCatalogue(d)
	g.Institutions = make([]Institution, d.ArrayMax(MaxFounders))
	for i := range g.Institutions {
		g.Institutions[i] = DecodeInstitution(d)
	}
	g.Nodes = make([]Node, d.ArrayMax(maxNodes))
	for i := range g.Nodes {
		g.Nodes[i] = DecodeNode(d)
	}
	g.OPRF = ReadKeyRecord(d)
	g.Holders = make([]uint32, d.ArrayMax(MaxFounders))
	for i := range g.Holders {
		g.Holders[i] = d.Uint32()
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return g, nil
}

// AppendKeyRecord appends the record of a key that may not be there yet: an
// array of none or one.
func AppendKeyRecord(b []byte, r keyshare.Record) []byte {
	if r.Holders == 0 {
		return cbor.AppendArray(b, 0)
	}
	return r.AppendCBOR(cbor.AppendArray(b, 1))
}

// ReadKeyRecord reads what [AppendKeyRecord] writes; errors are reported by d.
func ReadKeyRecord(d *cbor.Decoder) keyshare.Record {
	if d.ArrayMax(1) == 0 {
		return keyshare.Record{}
	}
	return keyshare.ReadRecord(d)
}

// AppendCBOR appends the catalogue reference's encoding to b.
func (c Catalogue) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendText(b, c.Edition)
	return cbor.AppendBytes(b, c.Hash[:])
}

// DecodeCatalogue reads a catalogue reference; errors are reported by d.
func DecodeCatalogue(d *cbor.Decoder) Catalogue {
	var c Catalogue
	d.Array(2)
	c.Edition = d.Text(64)
	d.BytesInto(c.Hash[:])
	return c
}
