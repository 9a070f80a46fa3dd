package act

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// MaxLevel is the highest feature level that an act can name.
const MaxLevel = 1_000

// levels says from which feature level on a type is admitted, if not from the
// first on. Whoever adds a type that earlier builds do not know gives it the
// next level here, and raises SupportedLevel with it.
var levels = map[Type]uint64{TypeEdition: 2, TypeRead: 3, TypeNotices: 3}

// Level returns the feature level from which on acts of the type are admitted.
func (t Type) Level() uint64 { return max(1, levels[t]) }

// Support says which feature level the build that a node runs supports at most.
// The node's own institution sends it; a later one replaces it, also with less.
type Support struct {
	Node  string
	Level uint64
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (s Support) Marshal() []byte { return s.AppendCBOR(nil) }

// AppendCBOR appends the encoding to b.
func (s Support) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendText(b, s.Node)
	return cbor.AppendUint(b, s.Level)
}

// ReadSupport reads what a node supports; errors are reported by d.
func ReadSupport(d *cbor.Decoder) Support {
	d.Array(2)
	return Support{Node: d.Text(32), Level: d.UintMax(MaxLevel)}
}

// DecodeSupport reads the payload of an act of [TypeSupport].
func DecodeSupport(raw []byte) (Support, error) {
	d := cbor.NewDecoder(raw)
	s := ReadSupport(d)
	if err := done(d, "support"); err != nil {
		return s, err
	}
	if s.Level == 0 {
		return s, fmt.Errorf("support: levels count from 1")
	}
	return s, nil
}

// Feature raises the network's feature level: from the next envelope on what it
// brings is admitted, and who does not know it stops. At least q lead hospitals
// have approved it.
type Feature struct {
	Level uint64
}

// Marshal returns the payload's deterministic CBOR: an array of 1.
func (f Feature) Marshal() []byte { return cbor.AppendUint(cbor.AppendArray(nil, 1), f.Level) }

// DecodeFeature reads the payload of an act of [TypeFeature].
func DecodeFeature(raw []byte) (Feature, error) {
	d := cbor.NewDecoder(raw)
	d.Array(1)
	f := Feature{Level: d.UintMax(MaxLevel)}
	return f, done(d, "feature level")
}
