package act

import (
	"fmt"
	"math"

	"github.com/raresync/raresync/crypto/cbor"
)

// The limits of one withdrawal, so that it fits a proposal as well. A longer
// list takes several acts.
const (
	MaxWithdrawalSpans   = 4096   // spans in one act
	MaxWithdrawalEntries = 65_536 // entries in one act
)

// A Span is a run of indexes of the log: Count of them from First on.
type Span struct {
	First uint64 `json:"first"`
	Count uint64 `json:"count"`
}

// End returns the index behind the span's last.
func (s Span) End() uint64 { return s.First + s.Count }

// Withdrawal asks every holder of a copy to erase entries of a hospital. It
// names their indexes and nothing else: no reason and no date. The hospital
// itself sends it, or another after q lead hospitals have approved it.
type Withdrawal struct {
	Hospital uint32 // whose entries they are
	Entries  []Span // ascending, with a gap between one and the next
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (w Withdrawal) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, uint64(w.Hospital))
	return AppendSpans(b, w.Entries)
}

// DecodeWithdrawal reads the payload of an act of [TypeWithdrawal]. Whether the
// entries are there, and are the hospital's, is for a log to say.
func DecodeWithdrawal(raw []byte) (Withdrawal, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	w := Withdrawal{Hospital: d.Uint32(), Entries: ReadSpans(d, MaxWithdrawalSpans)}
	if n := CountSpans(w.Entries); d.Err() == nil && (n == 0 || n > MaxWithdrawalEntries) {
		d.Fail("%d entries, want 1 to %d", n, MaxWithdrawalEntries)
	}
	return w, done(d, "withdrawal")
}

// AppendSpans appends the encoding of spans, an array of arrays of 2, to b.
func AppendSpans(b []byte, spans []Span) []byte {
	b = cbor.AppendArray(b, len(spans))
	for _, s := range spans {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendUint(b, s.First)
		b = cbor.AppendUint(b, s.Count)
	}
	return b
}

// ReadSpans reads at most limit spans; errors are reported by d. There is one
// way to write a set of indexes: spans ascend, none is empty, and none begins
// where the one before ends.
func ReadSpans(d *cbor.Decoder, limit int) []Span {
	n := d.ArrayMax(limit)
	if d.Err() != nil || n == 0 {
		return nil
	}
	var list []Span
	for i := range n {
		d.Array(2)
		s := Span{First: d.Uint(), Count: d.Uint()}
		switch {
		case d.Err() != nil:
			return nil
		case s.Count == 0 || s.Count > math.MaxUint64-s.First:
			d.Fail("a span of %d from %d", s.Count, s.First)
		case i > 0 && s.First <= list[i-1].End():
			d.Fail("spans do not ascend, or touch")
		}
		list = append(list, s)
	}
	return list
}

// CountSpans returns how many indexes the spans hold, at most the largest
// number.
func CountSpans(spans []Span) (n uint64) {
	for _, s := range spans {
		if n += s.Count; n < s.Count {
			return math.MaxUint64
		}
	}
	return n
}

// ErasureReceipt says that a node of the sender has erased the entries of all
// withdrawals up to an envelope, and found nothing of them when it looked.
type ErasureReceipt struct {
	Node    string
	Through uint64 // number of the last such withdrawal's envelope
	Index   uint64 // of the leaf of that withdrawal, which an inclusion proof shows
}

// Marshal returns the payload's deterministic CBOR: an array of 3.
func (r ErasureReceipt) Marshal() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, r.Node)
	b = cbor.AppendUint(b, r.Through)
	return cbor.AppendUint(b, r.Index)
}

// DecodeErasureReceipt reads the payload of an act of [TypeErasureReceipt].
func DecodeErasureReceipt(raw []byte) (ErasureReceipt, error) {
	d := cbor.NewDecoder(raw)
	d.Array(3)
	r := ErasureReceipt{Node: d.Text(32), Through: d.Uint(), Index: d.Uint()}
	if err := d.Done(); err != nil {
		return ErasureReceipt{}, fmt.Errorf("erasure receipt: %w", err)
	}
	return r, nil
}
