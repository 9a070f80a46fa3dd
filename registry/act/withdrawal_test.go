package act_test

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
)

func TestWithdrawalEncodesBackAndFitsAProposal(t *testing.T) {
	w := act.Withdrawal{Hospital: 3, Entries: []act.Span{{First: 4, Count: 1}, {First: 6, Count: 250}}}
	got, err := act.DecodeWithdrawal(w.Marshal())
	if err != nil || !bytes.Equal(got.Marshal(), w.Marshal()) || act.CountSpans(got.Entries) != 251 {
		t.Errorf("got %+v, %v", got, err)
	}
	full := act.Withdrawal{Hospital: math.MaxUint32}
	for i := range act.MaxWithdrawalSpans {
		full.Entries = append(full.Entries, act.Span{First: 1<<40 + 20*uint64(i), Count: 16})
	}
	a := act.Act{Version: act.Version, Type: act.TypeWithdrawal, Payload: full.Marshal()}
	if _, err := act.DecodeWithdrawal(a.Payload); err != nil || len(a.Core()) > act.MaxCoreBytes {
		t.Errorf("a full withdrawal takes %d bytes, a proposal has %d; %v", len(a.Core()), act.MaxCoreBytes, err)
	}
	full.Entries = append(full.Entries, act.Span{First: 1 << 41, Count: 1})
	if _, err := act.DecodeWithdrawal(full.Marshal()); !errors.Is(err, cbor.ErrEncoding) {
		t.Errorf("one span too many: %v", err)
	}
}

func TestThereIsOneWayToWriteASetOfIndexes(t *testing.T) {
	for name, spans := range map[string][]act.Span{
		"nothing":                   nil,
		"an empty span":             {{First: 4}},
		"descending":                {{First: 6, Count: 1}, {First: 4, Count: 1}},
		"one index twice":           {{First: 4, Count: 3}, {First: 6, Count: 1}},
		"two spans that touch":      {{First: 4, Count: 2}, {First: 6, Count: 1}},
		"beyond the last index":     {{First: math.MaxUint64, Count: 1}},
		"more entries than allowed": {{First: 0, Count: act.MaxWithdrawalEntries + 1}},
		"more entries in two spans": {{First: 0, Count: act.MaxWithdrawalEntries}, {First: 1 << 30, Count: 1}},
	} {
		raw := act.Withdrawal{Hospital: 1, Entries: spans}.Marshal()
		if _, err := act.DecodeWithdrawal(raw); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
}

func TestErasureReceiptEncodesBack(t *testing.T) {
	r := act.ErasureReceipt{Node: "h1", Through: 1 << 40, Index: 1 << 41}
	if got, err := act.DecodeErasureReceipt(r.Marshal()); err != nil || got != r {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := range r.Marshal() {
		if _, err := act.DecodeErasureReceipt(r.Marshal()[:n]); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%d bytes of a receipt: %v", n, err)
		}
	}
}

func FuzzDecodeWithdrawal(f *testing.F) {
	f.Add(act.Withdrawal{Hospital: 3, Entries: []act.Span{{First: 4, Count: 1}, {First: 6, Count: 250}}}.Marshal())
	f.Add([]byte{0x82, 3, 0x81, 0x82, 4, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		w, err := act.DecodeWithdrawal(in)
		if err == nil && !bytes.Equal(w.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, w.Marshal())
		}
	})
}

func FuzzDecodeErasureReceipt(f *testing.F) {
	f.Add(act.ErasureReceipt{Node: "h1", Through: 9, Index: 12}.Marshal())
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := act.DecodeErasureReceipt(in)
		if err == nil && !bytes.Equal(r.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, r.Marshal())
		}
	})
}
