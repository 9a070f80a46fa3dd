package quota

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

// Signed is a request with the hospital's signature, both verified.
type Signed struct {
	Request   pseudonym.Request
	Signature sign.Signature
}

// leaf returns the request as a leaf of a week's tree.
func (s *Signed) leaf() []byte {
	return act.UsageLeaf(s.Request.AppendCBOR(nil), s.Signature.Ed25519[:], s.Signature.MLDSA)
}

// The kinds of records.
const (
	kindDay     = 0 // the holder's day begins
	kindCounted = 1 // a request was counted
)

// record is one line of a week's file: a day that begins, or a request.
type record struct {
	kind  uint8
	day   uint32
	flag  bool // of a day: it is spent; of a request: its id was used before
	asked Signed
}

const (
	maxRecordBytes = 4096
	frameBytes     = 8 // length and checksum
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends the record with its length before and its checksum
// behind it.
func (r *record) appendFrame(b []byte) []byte {
	n := 3
	if r.kind == kindCounted {
		n = 6
	}
	p := cbor.AppendArray(nil, n)
	p = cbor.AppendUint(p, uint64(r.kind))
	p = cbor.AppendUint(p, uint64(r.day))
	p = cbor.AppendBool(p, r.flag)
	if r.kind == kindCounted {
		p = cbor.AppendBytes(p, r.asked.Request.AppendCBOR(nil))
		p = cbor.AppendBytes(p, r.asked.Signature.Ed25519[:])
		p = cbor.AppendBytes(p, r.asked.Signature.MLDSA)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
	b = append(b, p...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(p, castagnoli))
}

func decodeRecord(p []byte) (r record, err error) {
	d := cbor.NewDecoder(p)
	n := d.ArrayMax(6)
	r.kind = uint8(d.UintMax(kindCounted))
	r.day = d.Uint32()
	r.flag = d.Bool()
	if want := map[uint8]int{kindDay: 3, kindCounted: 6}[r.kind]; n != want {
		d.Fail("record of %d fields, want %d", n, want)
	}
	if r.kind == kindCounted {
		raw := d.Bytes(maxRecordBytes)
		d.BytesInto(r.asked.Signature.Ed25519[:])
		r.asked.Signature.MLDSA = d.BytesFixed(sign.MLDSA65SignatureSize)
		if d.Err() == nil {
			if r.asked.Request, err = pseudonym.DecodeRequest(raw); err != nil {
				return record{}, err
			}
		}
	}
	return r, d.Done()
}
