package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/raresync/raresync/crypto/tlog"
)

const (
	// MaxEnvelopeBytes bounds an envelope (RULES.md "Envelope"), and with it
	// a header, a ciphertext and what reading a whole envelope returns.
	MaxEnvelopeBytes = 262144
	// MaxCount is the largest number of entries in an envelope.
	MaxCount = 1024

	ed25519Bytes = 64
	mldsaBytes   = 3309

	// envelopeFixedBytes is an envelope's record without its header.
	envelopeFixedBytes = 4 + ed25519Bytes + mldsaBytes + 8 + checksumBytes

	// writebackBytes of bodies are appended before the kernel is made to begin
	// writing them.
	writebackBytes = 4 << 20

	// groupBytes of bodies make a group of envelopes that is written at once.
	groupBytes = 1 << 20
)

// None is the number that stands for "no earlier envelope of this hospital".
const None = ^uint64(0)

// A Body is a sealed entry: what the ledger keeps of it beside the leaf.
type Body struct {
	Salt       [SaltBytes]byte
	Tag        [TagBytes]byte
	Ciphertext []byte
}

// Blank reports whether all of it reads as zeros, as after an erasure.
func (b *Body) Blank() bool {
	return b.Salt == [SaltBytes]byte{} && b.Tag == [TagBytes]byte{} && len(bytes.TrimLeft(b.Ciphertext, "\x00")) == 0
}

// A Batch is one accepted envelope with everything that enters the files.
type Batch struct {
	Header    []byte // as signed
	Ed25519   [ed25519Bytes]byte
	MLDSA     []byte // 3309 bytes
	LogTimeMS uint64

	ID             [32]byte // envelope id
	Hospital       uint32
	Sequence       uint64
	Attempt        uint32
	PrevOfHospital uint64 // number of the hospital's previous envelope, or None

	Leaves [][]byte // 90 bytes each, in the order of place
	Bodies []Body   // as many as leaves

	// Hashes are those that these leaves complete, at heights 0, 8, 16 and
	// 24, each in ascending order.
	Hashes [4][]tlog.Hash
}

// check reports why b cannot follow a ledger of length at, or nil.
func (b *Batch) check(at Lengths) error {
	if err := b.checkParts(at); err != nil {
		return err
	}
	return b.checkHashes(at)
}

// checkParts is check without the hashes.
func (b *Batch) checkParts(at Lengths) error {
	n := len(b.Leaves)
	switch {
	case n == 0 || n > MaxCount || n != len(b.Bodies):
		return fmt.Errorf("%w: %d leaves, %d bodies", ErrBatch, n, len(b.Bodies))
	case at.TreeSize+uint64(n) > maxEntries:
		return fmt.Errorf("%w: more than %d entries", ErrBatch, uint64(maxEntries))
	case len(b.Header) == 0 || len(b.Header) > MaxEnvelopeBytes:
		return fmt.Errorf("%w: header of %d bytes", ErrBatch, len(b.Header))
	case len(b.MLDSA) != mldsaBytes:
		return fmt.Errorf("%w: ML-DSA signature of %d bytes", ErrBatch, len(b.MLDSA))
	case b.PrevOfHospital != None && b.PrevOfHospital >= at.Envelopes:
		return fmt.Errorf("%w: previous envelope %d of %d", ErrBatch, b.PrevOfHospital, at.Envelopes)
	}
	total := 0
	for i := range n {
		total += len(b.Bodies[i].Ciphertext)
		if len(b.Leaves[i]) != LeafBytes || total > MaxEnvelopeBytes {
			return fmt.Errorf("%w: place %d: leaf of %d bytes, %d bytes of ciphertext so far", ErrBatch, i, len(b.Leaves[i]), total)
		}
	}
	return nil
}

// checkHashes reports hashes that are not as many as the leaves complete.
func (b *Batch) checkHashes(at Lengths) error {
	after := at.TreeSize + uint64(len(b.Leaves))
	for i, height := range hashHeights {
		if want := after>>height - at.TreeSize>>height; uint64(len(b.Hashes[i])) != want {
			return fmt.Errorf("%w: %d hashes of height %d, want %d", ErrBatch, len(b.Hashes[i]), height, want)
		}
	}
	return nil
}

// Alone returns the lengths of a ledger that holds b and nothing else.
func (b *Batch) Alone() Lengths { return b.after(Lengths{}) }

// after returns the lengths behind b, if it lies behind a ledger of length at.
func (b *Batch) after(at Lengths) Lengths {
	bodies := at.BodiesBytes
	for i := range b.Bodies {
		bodies += uint64(TagBytes + len(b.Bodies[i].Ciphertext))
	}
	return newLengths(at.Envelopes+1, at.TreeSize+uint64(len(b.Leaves)),
		at.EnvelopesBytes+uint64(envelopeFixedBytes+len(b.Header)), bodies)
}

// A chunk is what an append adds to one file.
type chunk struct {
	file  fileID
	bytes []byte
}

// room is memory for the chunks of a group, kept for those of the next.
type room [fileCount][]byte

// chunks encodes envelopes behind a ledger of length at; they are good until the
// room is used again. The order is the order of writing: envelopes.idx, which
// makes the envelope count, comes last.
func chunks(at Lengths, batches []Batch, r *room) []chunk {
	for f := range r {
		r[f] = r[f][:0]
	}
	for i := range batches {
		batches[i].encode(at, r)
		at = batches[i].after(at)
	}
	out := make([]chunk, 0, fileCount)
	for _, f := range appendOrder {
		if len(r[f]) > 0 {
			out = append(out, chunk{f, r[f]})
		}
	}
	return out
}

// encode appends to the room what b adds to each file behind a ledger of length
// at.
func (b *Batch) encode(at Lengths, r *room) {
	r[fileBodies], r[fileBodyIndex], r[fileSalts] = b.bodyRecords(at.BodiesBytes, r[fileBodies], r[fileBodyIndex], r[fileSalts])
	r[fileLeaves] = b.leafRecords(r[fileLeaves])
	for i := range b.Hashes {
		r[fileHashes0+fileID(i)] = hashRecords(r[fileHashes0+fileID(i)], b.Hashes[i])
	}
	r[fileEnvelopes] = b.envelopeRecord(r[fileEnvelopes])
	entry := indexRecord{
		end: b.after(at).EnvelopesBytes, first: at.TreeSize, count: uint32(len(b.Leaves)),
		hospital: b.Hospital, sequence: b.Sequence, attempt: b.Attempt, prev: b.PrevOfHospital, id: b.ID,
	}
	r[fileIndex] = entry.append(r[fileIndex])
}

// appendOrder is the order in which the files of a group are written.
var appendOrder = [fileCount]fileID{fileBodies, fileBodyIndex, fileSalts, fileLeaves,
	fileHashes0, fileHashes8, fileHashes16, fileHashes24, fileEnvelopes, fileIndex}

func (b *Batch) envelopeRecord(r []byte) []byte {
	start := len(r)
	r = slices.Grow(r, envelopeFixedBytes+len(b.Header))
	r = binary.BigEndian.AppendUint32(r, uint32(len(b.Header)))
	r = append(r, b.Header...)
	r = append(r, b.Ed25519[:]...)
	r = append(r, b.MLDSA...)
	r = binary.BigEndian.AppendUint64(r, b.LogTimeMS)
	return binary.BigEndian.AppendUint32(r, checksum(r[start:]))
}

func (b *Batch) leafRecords(r []byte) []byte {
	r = slices.Grow(r, len(b.Leaves)*LeafRecordBytes)
	for _, leaf := range b.Leaves {
		r = binary.BigEndian.AppendUint16(r, LeafBytes)
		r = append(r, leaf...)
	}
	return r
}

// bodyRecords appends to what it is given; end is where bodies ends before.
func (b *Batch) bodyRecords(end uint64, bodies, ends, salts []byte) (_, _, _ []byte) {
	total := 0
	for i := range b.Bodies {
		total += TagBytes + len(b.Bodies[i].Ciphertext)
	}
	bodies = slices.Grow(bodies, total)
	ends = slices.Grow(ends, len(b.Bodies)*bodyIndexBytes)
	salts = slices.Grow(salts, len(b.Bodies)*SaltBytes)
	for i := range b.Bodies {
		body := &b.Bodies[i]
		bodies = append(append(bodies, body.Tag[:]...), body.Ciphertext...)
		end += uint64(TagBytes + len(body.Ciphertext))
		ends = binary.BigEndian.AppendUint64(ends, end)
		salts = append(salts, body.Salt[:]...)
	}
	return bodies, ends, salts
}

func hashRecords(r []byte, hashes []tlog.Hash) []byte {
	r = slices.Grow(r, len(hashes)*HashBytes)
	for i := range hashes {
		r = append(r, hashes[i][:]...)
	}
	return r
}
