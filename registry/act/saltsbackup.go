package act

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// MaxSaltsLife is how far ahead of log time a [SaltsBackup] may expire, in
// milliseconds: 400 days, a yearly backup with a month to make the next. A policy
// may say less ([Limits]).
const MaxSaltsLife = 400 * 24 * 60 * 60 * 1000

// SaltsBackup declares that an institution keeps a backup of a node with the
// salts in it. Until it expires an erased entry could be read from it, so the
// certificate of an erasure names the last expiry declared.
type SaltsBackup struct {
	Node   string // whose copy it is: a node of the sender
	Size   uint64 // tree size of the backup
	Expiry uint64 // ms since 1970, when it will have been destroyed
}

// Marshal returns the payload's deterministic CBOR.
func (s SaltsBackup) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, s.Node)
	b = cbor.AppendUint(b, s.Size)
	return cbor.AppendUint(b, s.Expiry)
}

// DecodeSaltsBackup reads the payload of an act of [TypeSaltsBackup].
func DecodeSaltsBackup(raw []byte) (SaltsBackup, error) {
	var s SaltsBackup
	d := cbor.NewDecoder(raw)
	d.Array(3)
	s.Node = d.Text(32)
	s.Size = d.Uint()
	s.Expiry = d.Uint()
	if err := d.Done(); err != nil {
		return SaltsBackup{}, fmt.Errorf("salts backup: %w", err)
	}
	return s, nil
}
