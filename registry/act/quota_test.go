package act_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
)

func falsehood() *act.Falsehood {
	sig := sign.Signature{Ed25519: [64]byte{1}, MLDSA: bytes.Repeat([]byte{2}, 3309)}
	return &act.Falsehood{
		Request: []byte{1}, RequestSignature: sig, Response: []byte{2}, ResponseSignature: sig,
		Elements: [][32]byte{{3}, {4}}, Evaluated: [][32]byte{{5}},
	}
}

func usage() *act.Usage {
	return &act.Usage{Week: 2960, Requests: 9, Root: [32]byte{7}, Totals: []act.UsageTotal{{Hospital: 2, Bucket: 1}, {Hospital: 3, Bucket: 64}}}
}

func TestQuotaPayloadsEncodeBackToTheSameBytes(t *testing.T) {
	f, err := act.DecodeFalsehood(falsehood().Marshal())
	if err != nil || !bytes.Equal(f.Marshal(), falsehood().Marshal()) || len(f.Elements) != 2 || f.Evaluated[0][0] != 5 {
		t.Errorf("falsehood: %+v, %v", f, err)
	}
	u, err := act.DecodeUsage(usage().Marshal())
	if err != nil || !bytes.Equal(u.Marshal(), usage().Marshal()) || u.Of(3) != 64 || u.Of(4) != 0 {
		t.Errorf("usage: %+v, %v", u, err)
	}
	want := act.Allowance{Hospital: 3, First: 20_000, Last: 20_010, Elements: 50_000}
	if a, err := act.DecodeAllowance(want.Marshal()); err != nil || a != want {
		t.Errorf("allowance: %+v, %v", a, err)
	}
}

// TestQuotaPayloadsAreThoseOfTheProtocolPage has the bytes of docs/PROTOCOL.md
// "Quotas and evidence".
func TestQuotaPayloadsAreThoseOfTheProtocolPage(t *testing.T) {
	u := act.Usage{Week: 2960, Requests: 9, Root: [32]byte{7}, Totals: []act.UsageTotal{{Hospital: 2, Bucket: 1}, {Hospital: 3, Bucket: 13}}}
	for want, got := range map[string][]byte{
		"84190b9009582007" + strings.Repeat("00", 31) + "828202018203" + "0d": u.Marshal(),
		"84031950f41950fe19c350": act.Allowance{Hospital: 3, First: 20_724, Last: 20_734, Elements: 50_000}.Marshal(),
	} {
		if hex.EncodeToString(got) != want {
			t.Errorf("got %x, want %s", got, want)
		}
	}
}

func TestEvidenceHasRoomInAnAct(t *testing.T) {
	f := falsehood()
	f.Elements = make([][32]byte, act.MaxFalsehoodElements)
	f.Evaluated = f.Elements
	f.Request, f.Response = make([]byte, 512), make([]byte, 512)
	if n := len((&act.Act{Payload: f.Marshal()}).Marshal()); n > act.MaxBytes {
		t.Errorf("the largest evidence makes an act of %d bytes", n)
	}
	f.Elements = append(f.Elements, [32]byte{})
	if _, err := act.DecodeFalsehood(f.Marshal()); err == nil {
		t.Error("65 elements are read")
	}
}

func TestAllowancesThatCannotBe(t *testing.T) {
	for name, tc := range map[string]struct {
		a    act.Allowance
		want string // "" = valid
	}{
		"one day":             {act.Allowance{First: 7, Last: 7, Elements: 1}, ""},
		"the longest":         {act.Allowance{First: 7, Last: 7 + 365, Elements: act.MaxAllowance}, ""},
		"of nothing":          {act.Allowance{First: 7, Last: 8}, ""},
		"a day longer":        {act.Allowance{First: 7, Last: 7 + 366}, "367 days, at most 366"},
		"of all days":         {act.Allowance{Last: math.MaxUint32}, "4294967296 days"},
		"backwards":           {act.Allowance{First: 8, Last: 7}, "before its first"},
		"of one element more": {act.Allowance{Elements: act.MaxAllowance + 1}, "at most 100000"},
	} {
		err := tc.a.Validate()
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestUsagesThatCannotBe(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*act.Usage)
		want   string // "" = valid
	}{
		"as it should be":          {func(*act.Usage) {}, ""},
		"of an idle week":          {func(u *act.Usage) { u.Requests, u.Totals = 0, nil }, ""},
		"bucket 0":                 {func(u *act.Usage) { u.Totals[0].Bucket = 0 }, "bucket 0"},
		"bucket 65":                {func(u *act.Usage) { u.Totals[1].Bucket = 65 }, "bucket 65"},
		"a hospital twice":         {func(u *act.Usage) { u.Totals[1].Hospital = 2 }, "each once"},
		"descending":               {func(u *act.Usage) { u.Totals[0].Hospital = 4 }, "ascend"},
		"use without a request":    {func(u *act.Usage) { u.Requests = 0 }, "0 requests of 2"},
		"a request of nobody":      {func(u *act.Usage) { u.Totals = nil }, "9 requests of 0"},
		"more users than requests": {func(u *act.Usage) { u.Requests = 1 }, "1 requests of 2"},
	} {
		u := usage()
		tc.change(u)
		err := u.Validate()
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

func TestBucketsDouble(t *testing.T) {
	for _, tc := range []struct {
		elements uint64
		bucket   uint8
		atLeast  uint64
	}{{0, 0, 0}, {1, 1, 1}, {2, 2, 2}, {3, 2, 2}, {4, 3, 4}, {4095, 12, 2048}, {4096, 13, 4096}, {math.MaxUint64, 64, 1 << 63}} {
		if b := act.UsageBucket(tc.elements); b != tc.bucket || act.UsageAtLeast(b) != tc.atLeast {
			t.Errorf("%d elements are in bucket %d from %d, want %d from %d", tc.elements, b, act.UsageAtLeast(b), tc.bucket, tc.atLeast)
		}
	}
}

func FuzzDecodeFalsehood(f *testing.F) {
	f.Add(falsehood().Marshal())
	f.Add([]byte{0x88})
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := act.DecodeFalsehood(in)
		if err == nil && !bytes.Equal(v.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, v.Marshal())
		}
	})
}

func FuzzDecodeUsage(f *testing.F) {
	f.Add(usage().Marshal())
	f.Add([]byte{0x84, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := act.DecodeUsage(in)
		if err != nil {
			return
		}
		if !bytes.Equal(v.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, v.Marshal())
		}
		_ = v.Validate() // must not panic, whatever it says
	})
}

func FuzzDecodeAllowance(f *testing.F) {
	f.Add(act.Allowance{Hospital: 3, First: 20_000, Last: 20_010, Elements: 50_000}.Marshal())
	f.Add([]byte{0x84})
	f.Fuzz(func(t *testing.T, in []byte) {
		v, err := act.DecodeAllowance(in)
		if err != nil {
			return
		}
		if !bytes.Equal(v.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, v.Marshal())
		}
		_ = v.Validate() // must not panic, whatever it says
	})
}
