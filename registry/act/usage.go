package act

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/raresync/raresync/crypto/cbor"
)

// MaxUsageTotals is the number of hospitals a [Usage] has room for.
const MaxUsageTotals = 16_384

// DaysInWeek is how many quota days one week of [Usage] has. Week w is the days
// from 7w on.
const DaysInWeek = 7

// Usage is what a holder says it evaluated in a finished week: for each
// hospital a bucket, and the root of a Merkle tree over the signed requests, by
// which it can be held to prove any of them. It says enough for a hospital to
// notice use that was not its own, and little about how busy a hospital is.
type Usage struct {
	Week     uint32 // quota day / 7
	Requests uint64 // leaves of the tree
	Root     [32]byte
	Totals   []UsageTotal // ascending by hospital, each once; hospitals without use are left out
}

// UsageTotal is one hospital's use.
type UsageTotal struct {
	Hospital uint32
	Bucket   uint8 // 1 to 64, see [UsageBucket]
}

// UsageBucket returns the bucket of a number of elements: 0 for none, and b for
// 2^(b-1) to 2^b-1.
func UsageBucket(elements uint64) uint8 { return uint8(bits.Len64(elements)) }

// UsageAtLeast returns the smallest number of elements of a bucket.
func UsageAtLeast(bucket uint8) uint64 {
	if bucket == 0 {
		return 0
	}
	return 1 << (bucket - 1)
}

// UsageLeaf returns the leaf of a request in the tree of [Usage.Root] (RFC 6962
// hashes, see crypto/tlog): the CBOR array of the request and the halves of the
// hospital's signature under it.
func UsageLeaf(request, ed25519, mldsa []byte) []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendBytes(b, request)
	b = cbor.AppendBytes(b, ed25519)
	return cbor.AppendBytes(b, mldsa)
}

// Of returns the bucket of one hospital, 0 if it is not named.
func (u *Usage) Of(hospital uint32) uint8 {
	for _, t := range u.Totals {
		if t.Hospital == hospital {
			return t.Bucket
		}
	}
	return 0
}

// Marshal returns the payload's deterministic CBOR: an array of 4.
func (u *Usage) Marshal() []byte { return u.AppendCBOR(nil) }

// AppendCBOR appends the usage's encoding to b.
func (u *Usage) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendUint(b, uint64(u.Week))
	b = cbor.AppendUint(b, u.Requests)
	b = cbor.AppendBytes(b, u.Root[:])
	b = cbor.AppendArray(b, len(u.Totals))
	for _, t := range u.Totals {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, uint64(t.Hospital))
		b = cbor.AppendUint(b, uint64(t.Bucket))
	}
	return b
}

// ReadUsage reads a usage; errors are reported by d.
func ReadUsage(d *cbor.Decoder) Usage {
	var u Usage
	d.Array(4)
	u.Week, u.Requests = d.Uint32(), d.Uint()
	d.BytesInto(u.Root[:])
	for n := d.ArrayMax(MaxUsageTotals); n > 0 && d.Err() == nil; n-- {
		d.Array(2)
		u.Totals = append(u.Totals, UsageTotal{Hospital: d.Uint32(), Bucket: d.Uint8()})
	}
	return u
}

// DecodeUsage reads the payload of an act of [TypeUsage]. Whether it makes
// sense is [Usage.Validate]'s to say.
func DecodeUsage(raw []byte) (*Usage, error) {
	d := cbor.NewDecoder(raw)
	u := ReadUsage(d)
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("usage: %w", err)
	}
	return &u, nil
}

// Validate says why the usage cannot be, whatever the network, or nil.
func (u *Usage) Validate() error {
	for i, t := range u.Totals {
		switch {
		case t.Bucket == 0 || t.Bucket > 64:
			return fmt.Errorf("usage: hospital %d has bucket %d, want 1 to 64", t.Hospital, t.Bucket)
		case i > 0 && t.Hospital <= u.Totals[i-1].Hospital:
			return errors.New("usage: hospitals ascend, each once")
		}
	}
	if (u.Requests == 0) != (len(u.Totals) == 0) || uint64(len(u.Totals)) > u.Requests {
		return fmt.Errorf("usage: %d requests of %d hospitals", u.Requests, len(u.Totals))
	}
	return nil
}
