package act

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/catalog"
)

// maxEditionCore is the size of a proposed edition's core: with the approvals of
// four lead hospitals it fits an act. No other act's core is above MaxCoreBytes.
const maxEditionCore = 180_000

// MaxCore returns how many bytes the core of a proposed act of the type may have.
func (t Type) MaxCore() int {
	if t == TypeEdition {
		return maxEditionCore
	}
	return MaxCoreBytes
}

// Edition adds an edition of the disease lists, by which the network counts from
// the next envelope on. At least q lead hospitals have approved it. The table is
// in the act itself, which every node keeps for ever.
type Edition struct {
	Catalogue        // its name and the hash of the table
	Table     []byte // as [catalog.Catalog.Marshal] writes it
}

// EditionOf returns the act's payload for an edition.
func EditionOf(c *catalog.Catalog) Edition {
	return Edition{Catalogue: Catalogue{Edition: c.Edition(), Hash: c.Hash()}, Table: c.Marshal()}
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (e Edition) Marshal() []byte {
	b := e.Catalogue.AppendCBOR(cbor.AppendArray(nil, 2))
	return cbor.AppendBytes(b, e.Table)
}

// DecodeEdition reads the payload of an act of [TypeEdition]. The table is a view
// of raw, and [Edition.Open]'s to read.
func DecodeEdition(raw []byte) (Edition, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	e := Edition{Catalogue: DecodeCatalogue(d), Table: d.Bytes(catalog.MaxTableBytes)}
	return e, done(d, "edition")
}

// Open reads the table, and checks that it is the one that the act names.
func (e Edition) Open() (*catalog.Catalog, error) {
	c, err := catalog.Parse(e.Table)
	switch {
	case err != nil:
		return nil, fmt.Errorf("edition: %w", err)
	case c.Edition() != e.Edition || c.Hash() != e.Hash:
		return nil, fmt.Errorf("edition: the table is %q, %x, not %q, %x", c.Edition(), c.Hash(), e.Edition, e.Hash)
	}
	return c, nil
}
