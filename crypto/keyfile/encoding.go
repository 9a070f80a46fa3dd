package keyfile

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
)

// formatVersion is the version of the encoding below.
const formatVersion = 1

// encode returns the bundle's one encoding.
func (b *Bundle) encode() []byte {
	out := cbor.AppendArray(nil, 2)
	out = cbor.AppendUint(out, formatVersion)
	out = cbor.AppendArray(out, len(b.secrets))
	for _, s := range b.secrets {
		purpose, first, second := s.parts()
		out = cbor.AppendArray(out, 4)
		out = cbor.AppendText(out, s.name)
		out = cbor.AppendUint(out, uint64(purpose))
		out = cbor.AppendBytes(out, first)
		out = cbor.AppendBytes(out, second)
	}
	return out
}

func (s *secret) parts() (purpose sign.Purpose, first, second []byte) {
	if s.sign == nil {
		return 0, s.seed(), nil
	}
	ed, mldsa := s.sign.Seeds()
	purpose = s.sign.Purpose()
	first = joinPKCS8(pkcs8Ed25519, ed)
	if head := mldsaHead(purpose); head != nil {
		second = joinPKCS8(head, mldsa)
	}
	return purpose, first, second
}

// decode reads what encode writes, and nothing else.
func decode(in []byte) (*Bundle, error) {
	d := cbor.NewDecoder(in)
	d.Array(2)
	if v := d.Uint(); d.Err() == nil && v != formatVersion {
		return nil, fmt.Errorf("%w: version %d", ErrFormat, v)
	}
	b := new(Bundle)
	last := ""
	for range d.ArrayMax(MaxSecrets) {
		s := decodeSecret(d)
		if d.Err() == nil && s.name <= last {
			d.Fail("name %q is out of order", s.name)
		}
		if d.Err() != nil {
			break
		}
		last = s.name
		b.secrets = append(b.secrets, s)
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return b, nil
}

func decodeSecret(d *cbor.Decoder) *secret {
	d.Array(4)
	name := d.Text(MaxNameBytes)
	purpose := sign.Purpose(d.Uint8())
	first, second := d.Bytes(MaxSecretBytes), d.Bytes(MaxSecretBytes)
	if d.Err() == nil && !validName(name) {
		d.Fail("a name is not of [a-z0-9._-]")
	}
	if d.Err() != nil {
		return nil
	}
	if purpose != 0 {
		return &secret{name: name, sign: decodeSign(d, purpose, first, second)}
	}
	if len(first) == 0 || len(second) != 0 {
		d.Fail("secret %q has the wrong form", name)
	}
	return newSeed(name, first)
}

func decodeSign(d *cbor.Decoder, p sign.Purpose, first, second []byte) *sign.PrivateKey {
	if !p.Valid() {
		d.Fail("a signing key has %s", p)
		return nil
	}
	ed, ok := splitPKCS8(pkcs8Ed25519, first)
	if !ok {
		d.Fail("a signing key's Ed25519 half is not PKCS#8")
		return nil
	}
	head := mldsaHead(p)
	if head == nil && len(second) == 0 {
		return sign.NewFromSeeds(p, ed, [32]byte{})
	}
	mldsa, ok := splitPKCS8(head, second)
	if !ok || head == nil {
		d.Fail("a signing key's ML-DSA half is not PKCS#8 in seed form")
		return nil
	}
	return sign.NewFromSeeds(p, ed, mldsa)
}
