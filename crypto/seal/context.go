package seal

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// contextBytes is the size of an encoded Context.
const contextBytes = 32 + 4 + 8 + 4

// A Context names the envelope that something is sealed for. It enters every
// derivation, so nothing sealed can be moved to another envelope.
type Context struct {
	Network  [32]byte // network id
	Hospital uint32   // number of the sending member
	Sequence uint64   // the hospital's count of its envelopes, from 1
	Attempt  uint32   // the attempt at this sequence, from 1
}

// Append appends the context's 48 bytes: network, hospital, sequence and
// attempt, big-endian.
func (c Context) Append(b []byte) []byte {
	b = append(b, c.Network[:]...)
	b = binary.BigEndian.AppendUint32(b, c.Hospital)
	b = binary.BigEndian.AppendUint64(b, c.Sequence)
	return binary.BigEndian.AppendUint32(b, c.Attempt)
}

// labelled returns label ‖ 0x00 ‖ context, with room for more bytes.
func (c Context) labelled(label string, more int) []byte {
	b := make([]byte, 0, len(label)+1+contextBytes+more)
	b = append(append(b, label...), 0)
	return c.Append(b)
}

// Commitment returns the hash of a body at a place in the envelope. It stands
// in the log as the entry's leaf and stays there when the body is erased; the
// salt keeps it from telling anything about the body then.
func (c Context) Commitment(place uint32, salt [32]byte, tag [16]byte, ciphertext []byte) (sum [32]byte) {
	body := Body{Salt: salt, Tag: tag, Ciphertext: ciphertext}
	body.commit(sha256.New(), c.commitPrefix(), place, sum[:0])
	return sum
}

// Commitments returns the commitments of bodies at the places from 0 on.
func (c Context) Commitments(bodies []Body) [][32]byte {
	sums := make([][32]byte, len(bodies))
	h, prefix := sha256.New(), c.commitPrefix()
	for place := range bodies {
		if erased := bodies[place].Erased; erased != nil {
			sums[place] = *erased
			continue
		}
		bodies[place].commit(h, prefix, uint32(place), sums[place][:0])
	}
	return sums
}

func (c Context) commitPrefix() []byte {
	return c.labelled("raresync/v1/body", 4+len(Body{}.Salt)+len(Body{}.Tag))
}

// commit appends the commitment to sum; prefix has room for what follows it.
func (b *Body) commit(h hash.Hash, prefix []byte, place uint32, sum []byte) {
	prefix = binary.BigEndian.AppendUint32(prefix, place)
	prefix = append(prefix, b.Salt[:]...)
	prefix = append(prefix, b.Tag[:]...)
	h.Reset()
	h.Write(prefix)
	h.Write(b.Ciphertext)
	h.Sum(sum)
}

// BodiesHash returns the hash over an envelope's commitments in the order of
// their places.
func BodiesHash(commitments [][32]byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("raresync/v1/bodies\x00"))
	for i := range commitments {
		h.Write(commitments[i][:])
	}
	return [32]byte(h.Sum(nil))
}
