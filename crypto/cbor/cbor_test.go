package cbor_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 8949 appendix A that are within the protocol's subset.
func TestValuesEncodeAsInRFC8949AppendixA(t *testing.T) {
	for want, got := range map[string][]byte{
		"00":                 cbor.AppendUint(nil, 0),
		"01":                 cbor.AppendUint(nil, 1),
		"0a":                 cbor.AppendUint(nil, 10),
		"17":                 cbor.AppendUint(nil, 23),
		"1818":               cbor.AppendUint(nil, 24),
		"1819":               cbor.AppendUint(nil, 25),
		"1864":               cbor.AppendUint(nil, 100),
		"1903e8":             cbor.AppendUint(nil, 1000),
		"1a000f4240":         cbor.AppendUint(nil, 1000000),
		"1b000000e8d4a51000": cbor.AppendUint(nil, 1000000000000),
		"1bffffffffffffffff": cbor.AppendUint(nil, 18446744073709551615),
		"40":                 cbor.AppendBytes(nil, nil),
		"4401020304":         cbor.AppendBytes(nil, []byte{1, 2, 3, 4}),
		"60":                 cbor.AppendText(nil, ""),
		"6161":               cbor.AppendText(nil, "a"),
		"6449455446":         cbor.AppendText(nil, "IETF"),
		"62225c":             cbor.AppendText(nil, "\"\\"),
		"62c3bc":             cbor.AppendText(nil, "\u00fc"),
		"63e6b0b4":           cbor.AppendText(nil, "\u6c34"),
		"64f0908591":         cbor.AppendText(nil, "\U00010151"),
		"80":                 cbor.AppendArray(nil, 0),
		"83010203":           append(cbor.AppendArray(nil, 3), 1, 2, 3),
		"9819":               cbor.AppendArray(nil, 25),
	} {
		if hex.EncodeToString(got) != want {
			t.Errorf("got %x, want %s", got, want)
		}
	}
}

func TestIntegersAtEveryWidthReadBack(t *testing.T) {
	for _, v := range []uint64{0, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64, math.MaxUint64} {
		b := cbor.AppendUint([]byte{0xaa}, v)
		d := cbor.NewDecoder(b[1:])
		if got := d.Uint(); got != v || d.Done() != nil {
			t.Errorf("%d: got %d, %v", v, got, d.Err())
		}
		if b[0] != 0xaa {
			t.Errorf("%d: encoding does not append", v)
		}
	}
}

func TestStringsAtEveryWidthReadBack(t *testing.T) {
	for _, n := range []int{0, 1, 23, 24, 255, 256, 65535, 65536} {
		v := bytes.Repeat([]byte("a"), n)
		d := cbor.NewDecoder(cbor.AppendText(cbor.AppendBytes(nil, v), string(v)))
		if got := d.Bytes(n); !bytes.Equal(got, v) {
			t.Errorf("byte string of %d: got %d bytes, %v", n, len(got), d.Err())
		}
		if got := d.Text(n); got != string(v) {
			t.Errorf("text of %d: got %d bytes, %v", n, len(got), d.Err())
		}
		if err := d.Done(); err != nil {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// readers are all ways to read one value, with limits wide enough for the
// tests below.
var readers = map[string]func(*cbor.Decoder){
	"Uint":       func(d *cbor.Decoder) { d.Uint() },
	"UintMax":    func(d *cbor.Decoder) { d.UintMax(1 << 40) },
	"Uint8":      func(d *cbor.Decoder) { d.Uint8() },
	"Uint16":     func(d *cbor.Decoder) { d.Uint16() },
	"Uint32":     func(d *cbor.Decoder) { d.Uint32() },
	"Bool":       func(d *cbor.Decoder) { d.Bool() },
	"Bytes":      func(d *cbor.Decoder) { d.Bytes(1 << 20) },
	"BytesFixed": func(d *cbor.Decoder) { d.BytesFixed(4) },
	"BytesInto":  func(d *cbor.Decoder) { d.BytesInto(make([]byte, 4)) },
	"Text":       func(d *cbor.Decoder) { d.Text(1 << 20) },
	"Array":      func(d *cbor.Decoder) { d.Array(3) },
	"ArrayMax":   func(d *cbor.Decoder) { d.ArrayMax(1 << 20) },
}

func TestWhatIsNotInTheSubsetIsRefusedByEveryReader(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":                                 "",
		"an integer in two bytes that fits one":   "1817",
		"an integer in three bytes that fits two": "1900ff",
		"an integer in five bytes":                "1a0000ffff",
		"an integer in nine bytes":                "1b00000000ffffffff",
		"a negative integer":                      "20",
		"a byte string's length in two bytes":     "5804 01020304",
		"a byte string's length in nine bytes":    "5b0000000000000004 01020304",
		"a text's length in two bytes":            "7801 61",
		"an array's length in two bytes":          "9803 010203",
		"an array's length in nine bytes":         "9b0000000000000003 010203",
		"an indefinite byte string":               "5f 42 0102 42 0304 ff",
		"an indefinite text":                      "7f 61 61 ff",
		"an indefinite array":                     "9f 010203 ff",
		"a map":                                   "a1 01 02",
		"an indefinite map":                       "bf ff",
		"a tag":                                   "c1 00",
		"a bignum":                                "c2 49 010000000000000000",
		"false":                                   "f4",
		"true":                                    "f5",
		"null":                                    "f6",
		"undefined":                               "f7",
		"a simple value":                          "f8ff",
		"a half float":                            "f93c00",
		"a float":                                 "fa47c35000",
		"a double":                                "fb3ff199999999999a",
		"a break":                                 "ff",
		"additional information 28":               "1c",
		"additional information 29":               "5d",
		"additional information 30":               "7e",
		"additional information 31, integer":      "1f",
		"a length that ends early":                "19 01",
		"a length without a byte":                 "58",
		"a byte string that ends early":           "44 010203",
		"a text that ends early":                  "64 616263",
		"a text that is not UTF-8":                "61 ff",
		"a text with a surrogate":                 "63 eda080",
		"a text with an overlong form":            "62 c080",
		"a length of 2^63":                        "5b8000000000000000",
		"a length of 2^64-1":                      "5bffffffffffffffff",
		"an array of 2^64-1":                      "9bffffffffffffffff",
		"a text of 2^32":                          "7b0000000100000000",
	} {
		for reader, read := range readers {
			d := cbor.NewDecoder(unhex(t, in))
			read(d)
			if err := d.Done(); !errors.Is(err, cbor.ErrEncoding) {
				t.Errorf("%s by %s: got %v, want ENC001", name, reader, err)
			}
		}
	}
}

func TestValueOfAnotherKindLengthOrRangeIsRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		read func(*cbor.Decoder)
	}{
		"a byte string for an integer":    {"41 01", func(d *cbor.Decoder) { d.Uint() }},
		"an integer for a byte string":    {"01", func(d *cbor.Decoder) { d.Bytes(9) }},
		"a text for a byte string":        {"61 61", func(d *cbor.Decoder) { d.Bytes(9) }},
		"a byte string for a text":        {"41 61", func(d *cbor.Decoder) { d.Text(9) }},
		"an integer for an array":         {"03", func(d *cbor.Decoder) { d.Array(3) }},
		"an array for an integer":         {"81 01", func(d *cbor.Decoder) { d.Uint() }},
		"256 for 8 bits":                  {"190100", func(d *cbor.Decoder) { d.Uint8() }},
		"65536 for 16 bits":               {"1a00010000", func(d *cbor.Decoder) { d.Uint16() }},
		"2^32 for 32 bits":                {"1b0000000100000000", func(d *cbor.Decoder) { d.Uint32() }},
		"one above the limit":             {"0b", func(d *cbor.Decoder) { d.UintMax(10) }},
		"2 for a bool":                    {"02", func(d *cbor.Decoder) { d.Bool() }},
		"a byte string above the limit":   {"43 010203", func(d *cbor.Decoder) { d.Bytes(2) }},
		"a text above the limit":          {"63 616263", func(d *cbor.Decoder) { d.Text(2) }},
		"an array above the limit":        {"83", func(d *cbor.Decoder) { d.ArrayMax(2) }},
		"a byte string that is too short": {"42 0102", func(d *cbor.Decoder) { d.BytesFixed(3) }},
		"a byte string that is too long":  {"44 01020304", func(d *cbor.Decoder) { d.BytesFixed(3) }},
		"an array that is too short":      {"82", func(d *cbor.Decoder) { d.Array(3) }},
		"an array that is too long":       {"84", func(d *cbor.Decoder) { d.Array(3) }},
		"a value where none is left":      {"", func(d *cbor.Decoder) { d.Uint() }},
		"a byte left over":                {"01 00", func(d *cbor.Decoder) { d.Uint() }},
	} {
		d := cbor.NewDecoder(unhex(t, tc.in))
		tc.read(d)
		if err := d.Done(); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want ENC001", name, err)
		}
	}
}

func TestFirstErrorSticksAndLaterReadsAreZero(t *testing.T) {
	d := cbor.NewDecoder(unhex(t, "01 41 02 61 61 81 03"))
	d.Text(10)
	first := d.Err()
	if !errors.Is(first, cbor.ErrEncoding) {
		t.Fatalf("got %v, want ENC001", first)
	}
	into := [1]byte{7}
	d.BytesInto(into[:])
	if d.Uint() != 0 || d.Bool() || d.Bytes(9) != nil || d.BytesFixed(1) != nil || d.Text(9) != "" || d.ArrayMax(9) != 0 {
		t.Error("a read after an error gave a value")
	}
	d.Array(1)
	d.Fail("another error")
	if d.More() || d.Err() != first || d.Done() != first {
		t.Errorf("the first error was %v, now it is %v", first, d.Done())
	}
	if into != [1]byte{7} {
		t.Error("a failed read changed its destination")
	}
}

func TestCallersOwnRuleFailsTheDecoder(t *testing.T) {
	d := cbor.NewDecoder([]byte{1, 2})
	d.Uint()
	d.Fail("names are out of order at %d", 7)
	if err := d.Done(); !errors.Is(err, cbor.ErrEncoding) || !strings.Contains(err.Error(), "byte 1: names are out of order at 7") {
		t.Errorf("got %v", err)
	}
}

func TestSequenceOfValuesIsReadWithMore(t *testing.T) {
	d := cbor.NewDecoder([]byte{1, 2, 0x18, 24})
	var got []uint64
	for d.More() {
		got = append(got, d.Uint())
	}
	if fmt.Sprint(got) != "[1 2 24]" || d.Done() != nil || d.Pos() != 4 {
		t.Errorf("got %d at %d, %v", got, d.Pos(), d.Err())
	}
}

func TestBytesAreAViewThatCannotGrowIntoTheInput(t *testing.T) {
	in := unhex(t, "42 0102 42 0304")
	d := cbor.NewDecoder(in)
	first := d.Bytes(2)
	if &first[0] != &in[1] {
		t.Error("the byte string is a copy")
	}
	_ = append(first, 0xff)
	if second := d.Bytes(2); !bytes.Equal(second, []byte{3, 4}) {
		t.Errorf("appending to one byte string changed the next to %x", second)
	}
}

func TestHostileLengthAllocatesNothing(t *testing.T) {
	in := unhex(t, "5b7fffffffffffffff")
	allocated := testing.AllocsPerRun(100, func() {
		d := cbor.NewDecoder(in)
		if d.Bytes(math.MaxInt); d.Err() == nil {
			t.Error("a byte string of 2^63-1 bytes was read")
		}
	})
	if allocated > 10 {
		t.Errorf("%v allocations, want those of an error only", allocated)
	}
}
