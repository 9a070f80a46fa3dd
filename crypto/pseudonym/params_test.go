package pseudonym

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
)

func demoParams() Params {
	return Params{KDF: KDFArgon2id, Salt: [16]byte([]byte("0123456789abcdef")), Time: 1, MemoryKiB: 64, Parallelism: 1}
}

// The outputs are those of the argon2 reference implementation's command
// (-id -v 13 -l 32) for the example number of GB 11643.
func TestStretchIsArgon2id(t *testing.T) {
	x := []byte("raresync/id/v1\x00RIC\x00\x0011010519491231002X")
	for name, tc := range map[string]struct {
		time, memoryKiB uint32
		lanes           uint8
		want            string
	}{
		"as networks use it":   {1, 19_456, 1, "4a0a45dd39b6046aeaeb4a26e4809b98de1c774e98e5cc0fa23aa16f63a523aa"},
		"as demo networks may": {1, 64, 1, "868b5ffcc6f9b7842c904e9377c24e9e474f5e65386acdc476f2c9232ae28dc1"},
		"two passes":           {2, 256, 1, "0d5d64f702fd4942177d7c2757ccdcb9d14c65163d2b769f92d058608dc0a2f9"},
		"four lanes":           {3, 256, 4, "f5c3991254f8fb6ae22d93780ad7a90d4ec2f3d87a167e5916bd2ba296e095b9"},
	} {
		p := demoParams()
		p.Time, p.MemoryKiB, p.Parallelism = tc.time, tc.memoryKiB, tc.lanes
		if err := p.Validate(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := p.Stretch(x); hex.EncodeToString(got[:]) != tc.want {
			t.Errorf("%s: got %x, want %s", name, got, tc.want)
		}
	}
}

func TestInputIsLabelKDFAndStretchedNumber(t *testing.T) {
	h := [32]byte(bytes.Repeat([]byte{7}, 32))
	want := slices.Concat([]byte("raresync/oprf/v1\x00\x01"), h[:])
	if got := demoParams().Input(h); !bytes.Equal(got, want) || len(got) != 50 {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestParamsRefuse(t *testing.T) {
	for name, spoil := range map[string]func(*Params){
		"another KDF":            func(p *Params) { p.KDF = 2 },
		"no KDF":                 func(p *Params) { p.KDF = 0 },
		"no passes":              func(p *Params) { p.Time = 0 },
		"too many passes":        func(p *Params) { p.Time = 17 },
		"no lanes":               func(p *Params) { p.Parallelism = 0 },
		"too many lanes":         func(p *Params) { p.Parallelism, p.MemoryKiB = 17, 1024 },
		"too little memory":      func(p *Params) { p.MemoryKiB = 7 },
		"too little for lanes":   func(p *Params) { p.Parallelism = 16 },
		"more memory than 1 GiB": func(p *Params) { p.MemoryKiB = 1<<20 + 1 },
	} {
		p := demoParams()
		spoil(&p)
		if err := p.Validate(); !errors.Is(err, ErrParams) {
			t.Errorf("%s: got %v, want %v", name, err, ErrParams)
		}
		if _, err := DecodeParams(p.AppendCBOR(nil)); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: decoded: got %v, want %v", name, err, cbor.ErrEncoding)
		}
	}
}

func TestParamsBytesAreFrozen(t *testing.T) {
	p := demoParams()
	p.MemoryKiB = 19_456
	want := append(append([]byte{0x85, 1, 0x50}, "0123456789abcdef"...), 1, 0x19, 0x4c, 0x00, 1)
	if got := p.AppendCBOR(nil); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestReadParamsInsideALongerEncoding(t *testing.T) {
	d := cbor.NewDecoder(cbor.AppendUint(demoParams().AppendCBOR(nil), 7))
	got, after := ReadParams(d), d.Uint()
	if err := d.Done(); err != nil || got != demoParams() || after != 7 {
		t.Errorf("got %+v, %d, %v", got, after, err)
	}
}

func FuzzDecodeParams(f *testing.F) {
	f.Add(demoParams().AppendCBOR(nil))
	f.Add(Params{}.AppendCBOR(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := DecodeParams(b)
		if err != nil {
			return
		}
		if got := p.AppendCBOR(nil); !bytes.Equal(got, b) {
			t.Errorf("what parses encodes back to %x, want %x", got, b)
		}
	})
}
