package envelope

import (
	"encoding/binary"
	"errors"
)

// LeafBytes is the size of a leaf.
const LeafBytes = 90

// Leaf is the fixed-width public mark of one entry in the national log: what
// the Merkle tree covers. See docs/PROTOCOL.md "Leaf".
type Leaf struct {
	Version    uint8
	Kind       Kind
	Hospital   uint32
	Sequence   uint64
	Place      uint32
	LogTime    uint64 // milliseconds since 1970, the leader's clock, never decreasing
	Envelope   ID
	Commitment [32]byte
}

// Leaf returns the leaf of the body at place, given its commitment and the
// envelope's log time in milliseconds.
func (e *Envelope) Leaf(place uint32, logTime uint64, commitment [32]byte) Leaf {
	return Leaf{
		Version: e.Version, Kind: e.Kind, Hospital: e.Hospital, Sequence: e.Sequence,
		Place: place, LogTime: logTime, Envelope: e.id, Commitment: commitment,
	}
}

// Append appends the leaf's 90 bytes to b.
func (l Leaf) Append(b []byte) []byte {
	b = append(b, l.Version, byte(l.Kind))
	b = binary.BigEndian.AppendUint32(b, l.Hospital)
	b = binary.BigEndian.AppendUint64(b, l.Sequence)
	b = binary.BigEndian.AppendUint32(b, l.Place)
	b = binary.BigEndian.AppendUint64(b, l.LogTime)
	b = append(b, l.Envelope[:]...)
	return append(b, l.Commitment[:]...)
}

// ParseLeaf reads the 90 bytes of a leaf.
func ParseLeaf(b []byte) (Leaf, error) {
	if len(b) != LeafBytes {
		return Leaf{}, errors.New("a leaf has 90 bytes")
	}
	return Leaf{
		Version: b[0], Kind: Kind(b[1]),
		Hospital:   binary.BigEndian.Uint32(b[2:]),
		Sequence:   binary.BigEndian.Uint64(b[6:]),
		Place:      binary.BigEndian.Uint32(b[14:]),
		LogTime:    binary.BigEndian.Uint64(b[18:]),
		Envelope:   ID(b[26:58]),
		Commitment: [32]byte(b[58:90]),
	}, nil
}
