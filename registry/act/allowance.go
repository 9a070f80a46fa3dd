package act

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// The limits of an [Allowance].
const (
	MaxAllowanceDays = 366     // from its first day to its last, both counted
	MaxAllowance     = 100_000 // elements a day
)

// Allowance lets a hospital ask for more evaluations than its quota on some
// days, for the backfill of old cases. At least q lead hospitals have approved
// it. A hospital has one: a later allowance takes the place of the earlier, and
// one of no elements ends it.
type Allowance struct {
	Hospital uint32
	First    uint32 // quota day
	Last     uint32 // quota day, inclusive
	Elements uint64 // beyond the quota, on each day, at each holder
}

// Marshal returns the payload's deterministic CBOR: an array of 4.
func (a Allowance) Marshal() []byte { return a.AppendCBOR(nil) }

// AppendCBOR appends the allowance's encoding to b.
func (a Allowance) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendUint(b, uint64(a.Hospital))
	b = cbor.AppendUint(b, uint64(a.First))
	b = cbor.AppendUint(b, uint64(a.Last))
	return cbor.AppendUint(b, a.Elements)
}

// ReadAllowance reads an allowance; errors are reported by d.
func ReadAllowance(d *cbor.Decoder) Allowance {
	d.Array(4)
	return Allowance{Hospital: d.Uint32(), First: d.Uint32(), Last: d.Uint32(), Elements: d.Uint()}
}

// DecodeAllowance reads the payload of an act of [TypeAllowance]. Whether it
// makes sense is [Allowance.Validate]'s to say.
func DecodeAllowance(raw []byte) (Allowance, error) {
	d := cbor.NewDecoder(raw)
	a := ReadAllowance(d)
	if err := d.Done(); err != nil {
		return Allowance{}, fmt.Errorf("allowance: %w", err)
	}
	return a, nil
}

// Validate says why the allowance cannot be given on any day, or nil.
func (a Allowance) Validate() error {
	switch {
	case a.Last < a.First:
		return errors.New("allowance: its last day comes before its first")
	case a.Last-a.First >= MaxAllowanceDays:
		return fmt.Errorf("allowance: lasts %d days, at most %d", uint64(a.Last-a.First)+1, MaxAllowanceDays)
	case a.Elements > MaxAllowance:
		return fmt.Errorf("allowance: %d elements a day, at most %d", a.Elements, MaxAllowance)
	}
	return nil
}
