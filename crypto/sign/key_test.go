package sign_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
)

func TestKeysOfEveryPurposeHaveTheirHalves(t *testing.T) {
	for p, sizes := range map[sign.Purpose][2]int{
		sign.PurposeEnvelope: {44, 1974},
		sign.PurposeRequest:  {44, 1974},
		sign.PurposeResponse: {44, 1974},
		sign.PurposeCosign:   {44, 1334},
		sign.PurposeLog:      {44, 0},
		sign.PurposeTLS:      {44, 0},
	} {
		k := newKey(t, p)
		pub := k.Public()
		if got := [2]int{len(pub.SPKIEd25519()), len(pub.SPKIMLDSA())}; got != sizes {
			t.Errorf("%s: halves of %d bytes, want %d", p, got, sizes)
		}
		if k.Purpose() != p || pub.Purpose() != p {
			t.Errorf("%s: purposes %s and %s", p, k.Purpose(), pub.Purpose())
		}
		if has := k.MLDSA44() != nil; has != (p == sign.PurposeCosign) || has != (pub.MLDSA44() != nil) {
			t.Errorf("%s: ML-DSA-44 half there: %t", p, has)
		}
		ed, mldsa := k.Seeds()
		if again := sign.NewFromSeeds(p, ed, mldsa); again.Public().ID() != pub.ID() {
			t.Errorf("%s: the seeds make another key", p)
		}
		if !k.Ed25519().Public().(ed25519.PublicKey).Equal(pub.Ed25519()) {
			t.Errorf("%s: Ed25519 halves do not belong together", p)
		}
	}
}

func TestNoKeyHasAnUnknownPurpose(t *testing.T) {
	good := newKey(t, sign.PurposeLog).Public()
	for _, p := range []sign.Purpose{0, 7, 255} {
		if _, err := sign.Generate(p); !errors.Is(err, sign.ErrKey) {
			t.Errorf("generate purpose %d: got %v, want ErrKey", p, err)
		}
		if _, err := sign.ParsePublicKey(p, good.SPKIEd25519(), nil); !errors.Is(err, sign.ErrKey) {
			t.Errorf("parse purpose %d: got %v, want ErrKey", p, err)
		}
	}
}

func TestPublicKeyOfAnotherFormIsRefused(t *testing.T) {
	k65, k44 := newKey(t, sign.PurposeEnvelope).Public(), newKey(t, sign.PurposeCosign).Public()
	ed, ml65, ml44 := k65.SPKIEd25519(), k65.SPKIMLDSA(), k44.SPKIMLDSA()
	withParameters := append([]byte{0x30, 0x2c, 0x30, 0x07, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x05, 0x00, 0x03, 0x21, 0x00}, ed[12:]...)
	longLength := append([]byte{0x30, 0x81, 0x2a}, ed[2:]...)
	for name, tc := range map[string]struct {
		p      sign.Purpose
		ed, ml []byte
	}{
		"no Ed25519 half":                          {sign.PurposeEnvelope, nil, ml65},
		"no ML-DSA half":                           {sign.PurposeEnvelope, ed, nil},
		"halves exchanged":                         {sign.PurposeEnvelope, ml65, ed},
		"ML-DSA-44 where 65 is due":                {sign.PurposeEnvelope, ed, ml44},
		"ML-DSA-65 where 44 is due":                {sign.PurposeCosign, ed, ml65},
		"an ML-DSA half in a log key":              {sign.PurposeLog, ed, ml65},
		"an ML-DSA half in a TLS key":              {sign.PurposeTLS, ed, ml44},
		"a bare Ed25519 key":                       {sign.PurposeLog, ed[12:], nil},
		"a byte after the Ed25519 half":            {sign.PurposeLog, append(bytes.Clone(ed), 0), nil},
		"a byte after the ML-DSA half":             {sign.PurposeEnvelope, ed, append(bytes.Clone(ml65), 0)},
		"algorithm parameters":                     {sign.PurposeLog, withParameters, nil},
		"a length that is not in shortest form":    {sign.PurposeLog, longLength, nil},
		"a shortened ML-DSA half":                  {sign.PurposeEnvelope, ed, ml65[:len(ml65)-1]},
		"the object identifier of X25519":          {sign.PurposeLog, append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00}, ed[12:]...), nil},
		"unused bits in the bit string of Ed25519": {sign.PurposeLog, append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x01}, ed[12:]...), nil},
	} {
		if _, err := sign.ParsePublicKey(tc.p, tc.ed, tc.ml); !errors.Is(err, sign.ErrKey) {
			t.Errorf("%s: got %v, want ErrKey", name, err)
		}
	}
}

func TestPublicKeySharesNothingWithItsCaller(t *testing.T) {
	k := newKey(t, sign.PurposeEnvelope).Public()
	ed, ml := k.SPKIEd25519(), k.SPKIMLDSA()
	parsed, err := sign.ParsePublicKey(sign.PurposeEnvelope, ed, ml)
	if err != nil {
		t.Fatal(err)
	}
	clear(ed)
	clear(ml)
	clear(parsed.Ed25519())
	clear(parsed.SPKIEd25519())
	if !bytes.Equal(parsed.SPKIEd25519(), k.SPKIEd25519()) || !bytes.Equal(parsed.SPKIMLDSA(), k.SPKIMLDSA()) {
		t.Error("the key changed with a slice of its caller")
	}
}

func TestPublicKeyDecodesToTheSameKey(t *testing.T) {
	for p := sign.PurposeEnvelope; p <= sign.PurposeTLS; p++ {
		k := newKey(t, p).Public()
		encoded := k.AppendCBOR(nil)
		d := cbor.NewDecoder(encoded)
		got := sign.DecodePublicKey(d)
		if err := d.Done(); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		if got.ID() != k.ID() || got.Purpose() != p {
			t.Errorf("%s: got key %s of purpose %s", p, got.ID(), got.Purpose())
		}
		for n := range encoded {
			d := cbor.NewDecoder(encoded[:n])
			if k := sign.DecodePublicKey(d); k != nil || d.Err() == nil {
				t.Fatalf("%s: %d of %d bytes decode", p, n, len(encoded))
			}
		}
	}
}

func FuzzDecodePublicKey(f *testing.F) {
	for p := sign.PurposeEnvelope; p <= sign.PurposeTLS; p++ {
		f.Add(sign.NewFromSeeds(p, [32]byte{1}, [32]byte{2}).Public().AppendCBOR(nil))
	}
	f.Add([]byte{0x83, 0x01, 0x40, 0x40})
	f.Fuzz(func(t *testing.T, in []byte) {
		d := cbor.NewDecoder(in)
		k := sign.DecodePublicKey(d)
		if d.Done() != nil {
			return
		}
		if out := k.AppendCBOR(nil); !bytes.Equal(out, in) {
			t.Errorf("%x encodes back to %x", in, out)
		}
	})
}
