package ledger

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// Fixed widths of the files, in bytes (RULES.md "Log").
const (
	LeafBytes       = 90
	LeafRecordBytes = 2 + LeafBytes
	HashBytes       = 32
	SaltBytes       = 32
	TagBytes        = 16

	checksumBytes    = 4  // CRC-32C behind each record of envelopes and envelopes.idx
	indexRecordBytes = 80 // one record of envelopes.idx
	bodyIndexBytes   = 8  // one record of bodies.idx
)

// maxEntries bounds the tree so that every byte offset fits an int64.
const maxEntries = 1 << 40

// hashHeights are the heights whose hashes are kept, in file order.
var hashHeights = [...]uint{0, 8, 16, 24}

// Lengths says how long every file of a ledger is, in bytes, and what that
// holds. Two ledgers of equal Lengths and equal root are equal files, erased
// bodies aside. It is part of the Raft snapshot.
type Lengths struct {
	Envelopes uint64 // number of envelopes
	TreeSize  uint64 // number of entries, and of leaves

	LeavesBytes    uint64
	HashesBytes    [4]uint64 // heights 0, 8, 16, 24
	EnvelopesBytes uint64
	IndexBytes     uint64 // envelopes.idx
	BodiesBytes    uint64
	BodyIndexBytes uint64 // bodies.idx
	SaltsBytes     uint64
}

// newLengths derives every length that follows from the counts. The lengths
// of envelopes and bodies do not, and are given.
func newLengths(envelopes, treeSize, envelopesBytes, bodiesBytes uint64) Lengths {
	l := Lengths{
		Envelopes:      envelopes,
		TreeSize:       treeSize,
		LeavesBytes:    treeSize * LeafRecordBytes,
		EnvelopesBytes: envelopesBytes,
		IndexBytes:     envelopes * indexRecordBytes,
		BodiesBytes:    bodiesBytes,
		BodyIndexBytes: treeSize * bodyIndexBytes,
		SaltsBytes:     treeSize * SaltBytes,
	}
	for i, height := range hashHeights {
		l.HashesBytes[i] = treeSize >> height * HashBytes
	}
	return l
}

// lengthsItems is the number of items in the encoding of Lengths.
const lengthsItems = 12

// Append appends the encoding of l: an array of envelope count, tree size,
// and the bytes of leaves, hashes.0, hashes.8, hashes.16, hashes.24,
// envelopes, envelopes.idx, bodies, bodies.idx, salts.
func (l Lengths) Append(b []byte) []byte {
	b = cbor.AppendArray(b, lengthsItems)
	for _, v := range l.items() {
		b = cbor.AppendUint(b, v)
	}
	return b
}

func (l Lengths) items() [lengthsItems]uint64 {
	return [...]uint64{l.Envelopes, l.TreeSize, l.LeavesBytes,
		l.HashesBytes[0], l.HashesBytes[1], l.HashesBytes[2], l.HashesBytes[3],
		l.EnvelopesBytes, l.IndexBytes, l.BodiesBytes, l.BodyIndexBytes, l.SaltsBytes}
}

// DecodeLengths reads what [Lengths.Append] wrote. Lengths that do not follow
// from the counts make the decoder fail.
func DecodeLengths(d *cbor.Decoder) Lengths {
	d.Array(lengthsItems)
	var v [lengthsItems]uint64
	for i := range v {
		v[i] = d.Uint()
	}
	l := Lengths{
		Envelopes: v[0], TreeSize: v[1], LeavesBytes: v[2],
		HashesBytes:    [4]uint64{v[3], v[4], v[5], v[6]},
		EnvelopesBytes: v[7], IndexBytes: v[8], BodiesBytes: v[9], BodyIndexBytes: v[10], SaltsBytes: v[11],
	}
	if err := l.check(); err != nil {
		d.Fail("%v", err)
		return Lengths{}
	}
	return l
}

// check reports the first length that contradicts the counts.
func (l Lengths) check() error {
	if l.TreeSize > maxEntries || l.Envelopes > l.TreeSize {
		return fmt.Errorf("%d envelopes of %d entries", l.Envelopes, l.TreeSize)
	}
	if l != newLengths(l.Envelopes, l.TreeSize, l.EnvelopesBytes, l.BodiesBytes) {
		return fmt.Errorf("lengths do not follow from %d envelopes of %d entries", l.Envelopes, l.TreeSize)
	}
	if (l.Envelopes == 0) != (l.TreeSize == 0) ||
		l.EnvelopesBytes < l.Envelopes*envelopeFixedBytes || l.BodiesBytes < l.TreeSize*TagBytes ||
		l.EnvelopesBytes > l.Envelopes*(envelopeFixedBytes+MaxEnvelopeBytes) || l.BodiesBytes > l.TreeSize*(TagBytes+MaxEnvelopeBytes) {
		return fmt.Errorf("%d bytes of envelopes and %d of bodies for %d envelopes of %d entries",
			l.EnvelopesBytes, l.BodiesBytes, l.Envelopes, l.TreeSize)
	}
	return nil
}
