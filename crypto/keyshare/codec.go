package keyshare

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

const (
	recordFields = 6
	shareFields  = 5
)

// AppendCBOR appends the record as the array [suite, origin, epoch, t, n,
// [commitment...]]. The key id is left out: see Record.KeyID.
func (r Record) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, recordFields)
	b = cbor.AppendUint(b, uint64(Suite))
	b = cbor.AppendUint(b, uint64(r.Origin))
	b = cbor.AppendUint(b, uint64(r.Epoch))
	b = cbor.AppendUint(b, uint64(r.Threshold))
	b = cbor.AppendUint(b, uint64(r.Holders))
	b = cbor.AppendArray(b, len(r.Commitments))
	for _, c := range r.Commitments {
		b = cbor.AppendBytes(b, c[:])
	}
	return b
}

// DecodeRecord reads a record that AppendCBOR wrote and that is valid; its
// KeyID is zero. Anything else is refused with cbor.ErrEncoding.
func DecodeRecord(b []byte) (Record, error) {
	d := cbor.NewDecoder(b)
	r := ReadRecord(d)
	if err := d.Done(); err != nil {
		return Record{}, fmt.Errorf("decode key record: %w", err)
	}
	return r, nil
}

// ReadRecord is DecodeRecord for a record inside a longer encoding: it reads
// one from d and makes d fail if it is not valid.
func ReadRecord(d *cbor.Decoder) Record {
	d.Array(recordFields)
	readSuite(d)
	r := Record{
		Origin:    Origin(d.Uint8()),
		Epoch:     d.Uint32(),
		Threshold: d.Uint16(),
		Holders:   d.Uint16(),
	}
	r.Commitments = make([][32]byte, d.ArrayMax(MaxHolders))
	for i := range r.Commitments {
		d.BytesInto(r.Commitments[i][:])
	}
	if d.Err() != nil {
		return Record{}
	}
	if err := r.Validate(); err != nil {
		d.Fail("%v", err)
		return Record{}
	}
	return r
}

// MarshalShare returns the share as the array [suite, key id, epoch, holder,
// scalar]. The result is secret: it is to be sealed before it is written.
func MarshalShare(s Share) []byte {
	scalar := s.Scalar.Reveal()
	b := cbor.AppendArray(nil, shareFields)
	b = cbor.AppendUint(b, uint64(Suite))
	b = cbor.AppendBytes(b, s.KeyID[:])
	b = cbor.AppendUint(b, uint64(s.Epoch))
	b = cbor.AppendUint(b, uint64(s.Holder))
	return cbor.AppendBytes(b, scalar[:])
}

// ParseShare reads what MarshalShare wrote. Anything else, an epoch or holder
// of zero, or a scalar that is zero or not reduced is refused with
// cbor.ErrEncoding. Whether the share is the right one, CheckShare tells.
func ParseShare(b []byte) (Share, error) {
	d := cbor.NewDecoder(b)
	d.Array(shareFields)
	readSuite(d)
	var s Share
	d.BytesInto(s.KeyID[:])
	s.Epoch, s.Holder = d.Uint32(), d.Uint16()
	var raw [32]byte
	d.BytesInto(raw[:])
	if d.Err() == nil && (s.Epoch == 0 || s.Holder == 0) {
		d.Fail("epoch and holder count from 1")
	}
	if err := d.Done(); err != nil {
		return Share{}, fmt.Errorf("parse share: %w", err)
	}
	scalar, err := NewScalar(raw)
	if err != nil {
		return Share{}, fmt.Errorf("parse share: %w: %w", cbor.ErrEncoding, err)
	}
	s.Scalar = scalar
	return s, nil
}

func readSuite(d *cbor.Decoder) {
	if v := d.Uint16(); d.Err() == nil && v != Suite {
		d.Fail("suite %d, want %d", v, Suite)
	}
}
