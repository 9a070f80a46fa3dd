package sign_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/sign"
)

func newKey(t *testing.T, p sign.Purpose) *sign.PrivateKey {
	t.Helper()
	k, err := sign.Generate(p)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustSign(t *testing.T, k *sign.PrivateKey, l sign.Label, message []byte) sign.Signature {
	t.Helper()
	sig, err := k.Sign(l, message)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

var labels = map[sign.Label]sign.Purpose{
	sign.LabelEntries:  sign.PurposeEnvelope,
	sign.LabelAct:      sign.PurposeEnvelope,
	sign.LabelApproval: sign.PurposeEnvelope, sign.LabelPossession: sign.PurposeEnvelope,
	sign.LabelRequest:  sign.PurposeRequest,
	sign.LabelResponse: sign.PurposeResponse,
}

func TestSignatureVerifiesUnderItsOwnLabelOnly(t *testing.T) {
	message := []byte("a header")
	for made, p := range labels {
		k := newKey(t, p)
		sig := mustSign(t, k, made, message)
		for checked := range labels {
			err := k.Public().Verify(checked, message, sig)
			if ok := err == nil; ok != (checked == made) {
				t.Errorf("made under %s, checked under %s: %v", made, checked, err)
			}
			if err != nil && !errors.Is(err, sign.ErrSignature) {
				t.Errorf("made under %s, checked under %s: %v is no ErrSignature", made, checked, err)
			}
		}
	}
}

func TestKeySignsAndVerifiesOnlyForItsPurpose(t *testing.T) {
	message := []byte("a header")
	sig := mustSign(t, newKey(t, sign.PurposeEnvelope), sign.LabelEntries, message)
	for p := sign.PurposeEnvelope; p <= sign.PurposeTLS; p++ {
		k := newKey(t, p)
		for l, want := range labels {
			if p == want {
				continue
			}
			if _, err := k.Sign(l, message); !errors.Is(err, sign.ErrPurpose) {
				t.Errorf("%s key signs under %s: got %v, want ErrPurpose", p, l, err)
			}
			if err := k.Public().Verify(l, message, sig); !errors.Is(err, sign.ErrPurpose) {
				t.Errorf("%s key verifies under %s: got %v, want ErrPurpose", p, l, err)
			}
		}
		if _, err := k.Sign("raresync/v1/other", message); !errors.Is(err, sign.ErrPurpose) {
			t.Errorf("%s key signs under an unknown label: got %v, want ErrPurpose", p, err)
		}
	}
}

func TestEveryChangedByteOfASignatureIsRefused(t *testing.T) {
	k, message := newKey(t, sign.PurposeEnvelope), []byte("a header")
	sig := mustSign(t, k, sign.LabelAct, message)
	for i := range sig.Ed25519 {
		bad := sig
		bad.Ed25519[i] ^= 1
		if err := k.Public().Verify(sign.LabelAct, message, bad); !errors.Is(err, sign.ErrEd25519) {
			t.Fatalf("Ed25519 byte %d: got %v, want ErrEd25519", i, err)
		}
	}
	for i := range sig.MLDSA {
		bad := sign.Signature{Ed25519: sig.Ed25519, MLDSA: bytes.Clone(sig.MLDSA)}
		bad.MLDSA[i] ^= 1
		if err := k.Public().Verify(sign.LabelAct, message, bad); !errors.Is(err, sign.ErrMLDSA) {
			t.Fatalf("ML-DSA byte %d: got %v, want ErrMLDSA", i, err)
		}
	}
}

func TestEveryChangedByteOfAMessageIsRefused(t *testing.T) {
	k, message := newKey(t, sign.PurposeRequest), bytes.Repeat([]byte("request "), 16)
	sig := mustSign(t, k, sign.LabelRequest, message)
	for i := range message {
		bad := bytes.Clone(message)
		bad[i] ^= 0x80
		if err := k.Public().Verify(sign.LabelRequest, bad, sig); !errors.Is(err, sign.ErrSignature) {
			t.Fatalf("byte %d: got %v, want ErrSignature", i, err)
		}
	}
	for name, bad := range map[string][]byte{
		"shortened":  message[:len(message)-1],
		"lengthened": append(bytes.Clone(message), 0),
		"emptied":    nil,
	} {
		if err := k.Public().Verify(sign.LabelRequest, bad, sig); !errors.Is(err, sign.ErrSignature) {
			t.Errorf("%s: got %v, want ErrSignature", name, err)
		}
	}
}

func TestEveryChangedByteOfAPublicKeyIsRefused(t *testing.T) {
	k, message := newKey(t, sign.PurposeEnvelope), []byte("a header")
	sig := mustSign(t, k, sign.LabelEntries, message)
	halves := [][]byte{k.Public().SPKIEd25519(), k.Public().SPKIMLDSA()}
	for h, half := range halves {
		for i := range half {
			bad := slices.Clone(halves)
			bad[h] = bytes.Clone(half)
			bad[h][i] ^= 1
			other, err := sign.ParsePublicKey(sign.PurposeEnvelope, bad[0], bad[1])
			if err != nil {
				continue
			}
			if other.ID() == k.Public().ID() {
				t.Fatalf("half %d, byte %d: same id", h, i)
			}
			if err := other.Verify(sign.LabelEntries, message, sig); !errors.Is(err, sign.ErrSignature) {
				t.Fatalf("half %d, byte %d: got %v, want ErrSignature", h, i, err)
			}
		}
	}
}

func TestBothHalvesMustVerify(t *testing.T) {
	k, other, message := newKey(t, sign.PurposeEnvelope), newKey(t, sign.PurposeEnvelope), []byte("a header")
	good := mustSign(t, k, sign.LabelEntries, message)
	foreign := mustSign(t, other, sign.LabelEntries, message)
	for name, tc := range map[string]struct {
		sig  sign.Signature
		want error
	}{
		"both halves of the key":               {good, nil},
		"no ML-DSA half":                       {sign.Signature{Ed25519: good.Ed25519}, sign.ErrMLDSA},
		"an ML-DSA half of zeros":              {sign.Signature{Ed25519: good.Ed25519, MLDSA: make([]byte, 3309)}, sign.ErrMLDSA},
		"a shortened ML-DSA half":              {sign.Signature{Ed25519: good.Ed25519, MLDSA: good.MLDSA[:3308]}, sign.ErrMLDSA},
		"a lengthened ML-DSA half":             {sign.Signature{Ed25519: good.Ed25519, MLDSA: append(bytes.Clone(good.MLDSA), 0)}, sign.ErrMLDSA},
		"another key's ML-DSA half":            {sign.Signature{Ed25519: good.Ed25519, MLDSA: foreign.MLDSA}, sign.ErrMLDSA},
		"no Ed25519 half":                      {sign.Signature{MLDSA: good.MLDSA}, sign.ErrEd25519},
		"another key's Ed25519 half":           {sign.Signature{Ed25519: foreign.Ed25519, MLDSA: good.MLDSA}, sign.ErrEd25519},
		"nothing":                              {sign.Signature{}, sign.ErrSignature},
		"both halves of another key":           {foreign, sign.ErrSignature},
		"a second signature's ML-DSA half too": {sign.Signature{Ed25519: good.Ed25519, MLDSA: mustSign(t, k, sign.LabelEntries, message).MLDSA}, nil},
	} {
		if err := k.Public().Verify(sign.LabelEntries, message, tc.sig); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestSigningIsHedged(t *testing.T) {
	k := newKey(t, sign.PurposeResponse)
	first := mustSign(t, k, sign.LabelResponse, nil)
	second := mustSign(t, k, sign.LabelResponse, nil)
	if first.Ed25519 != second.Ed25519 {
		t.Error("two Ed25519 signatures of one message differ")
	}
	if bytes.Equal(first.MLDSA, second.MLDSA) {
		t.Error("two ML-DSA signatures of one message are equal")
	}
	if len(first.MLDSA) != sign.MLDSA65SignatureSize || sign.MLDSA65SignatureSize != 3309 {
		t.Errorf("ML-DSA signature of %d bytes, want 3309", len(first.MLDSA))
	}
}
