package cbor_test

import (
	"bytes"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
)

// recode reads one value of whatever kind its first byte says and appends it
// to out, at most depth arrays deep.
func recode(d *cbor.Decoder, in, out []byte, depth int) []byte {
	if !d.More() {
		d.Uint()
		return out
	}
	switch in[d.Pos()] >> 5 {
	case 0:
		return cbor.AppendUint(out, d.Uint())
	case 2:
		return cbor.AppendBytes(out, d.Bytes(len(in)))
	case 3:
		return cbor.AppendText(out, d.Text(len(in)))
	case 4:
		n := d.ArrayMax(len(in))
		if depth == 0 {
			d.Fail("too deep")
		}
		out = cbor.AppendArray(out, n)
		for i := 0; i < n && d.Err() == nil; i++ {
			out = recode(d, in, out, depth-1)
		}
		return out
	}
	d.Uint()
	return out
}

func FuzzWhatDecodesEncodesBackToTheSameBytes(f *testing.F) {
	for _, seed := range []string{
		"", "\x00", "\x17", "\x18\x18", "\x18\x17", "\x19\x01\x00", "\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
		"\x44\x01\x02\x03\x04", "\x63\xe6\xb0\xb4", "\x82\x07\x69\xe7\xbd\x95\xe8\xa7\x81\xe7\x97\x85",
		"\x83\x01\x82\x02\x03\x40", "\x9f\xff", "\xa0", "\xf6", "\x20", "\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d := cbor.NewDecoder(in)
		out := recode(d, in, nil, 16)
		if d.Done() == nil && !bytes.Equal(out, in) {
			t.Errorf("%x encodes back to %x", in, out)
		}
	})
}

func FuzzIntegersAndStringsReadBack(f *testing.F) {
	f.Add(uint64(0), []byte(nil), "")
	f.Add(uint64(24), []byte{1}, "a")
	f.Add(uint64(1)<<32, bytes.Repeat([]byte{2}, 256), "罕见病")
	f.Fuzz(func(t *testing.T, v uint64, b []byte, s string) {
		s = string(bytes.ToValidUTF8([]byte(s), nil))
		encoded := cbor.AppendText(cbor.AppendBytes(cbor.AppendUint(cbor.AppendArray(nil, 3), v), b), s)
		d := cbor.NewDecoder(encoded)
		d.Array(3)
		gotV, gotB, gotS := d.Uint(), d.Bytes(len(b)), d.Text(len(s))
		if err := d.Done(); err != nil || gotV != v || !bytes.Equal(gotB, b) || gotS != s {
			t.Errorf("got %d, %x, %q, %v", gotV, gotB, gotS, err)
		}
	})
}
