package tlog

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	formats "github.com/transparency-dev/formats/log"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/mod/sumdb/note"
)

// The vkey of Go's checksum database, as the go command carries it.
const sumDBKey = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

func TestVKeysAreWrittenAsRead(t *testing.T) {
	n := newNetwork(1, 1)
	vkeys := append(n.voters[0].Key().VKeys(), n.logs[0].VKey().String(), sumDBKey)
	for _, s := range vkeys {
		k := must(ParseVKey(s))
		if k.String() != s {
			t.Errorf("got %s, want %s", k, s)
		}
		if again := must(NewVKey(k.Name(), k.Type(), k.Public())); again.String() != s || again.KeyID() != k.KeyID() {
			t.Errorf("made anew: got %s, want %s", again, s)
		}
	}
}

func TestVKeysAreSpelledOneWay(t *testing.T) {
	ml := newNetwork(1, 1).voters[0].Key().VKeys()[1]
	for name, s := range map[string]string{
		"empty":                    "",
		"a name alone":             "sum.golang.org",
		"no key":                   "sum.golang.org+033de0ae",
		"an empty key":             "sum.golang.org+033de0ae+",
		"no name":                  strings.TrimPrefix(sumDBKey, "sum.golang.org"),
		"another name":             "x" + sumDBKey,
		"another key id":           strings.Replace(sumDBKey, "033de0ae", "033de0af", 1),
		"key id in capitals":       strings.Replace(sumDBKey, "033de0ae", "033DE0AE", 1),
		"another key":              strings.Replace(sumDBKey, "Ac4z", "Ac4y", 1),
		"a space behind":           sumDBKey + " ",
		"a line end within":        strings.Replace(sumDBKey, "Ac4z", "Ac4\nz", 1),
		"a space in the name":      strings.Replace(sumDBKey, ".", " ", 1),
		"half an ML-DSA key":       ml[:len(ml)-400],
		"longer than any key":      strings.Repeat("x", 4096),
		"name longer than allowed": strings.Repeat("x", 256) + sumDBKey[14:],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseVKey(s)
			wantError(t, err, ErrMalformed)
		})
	}
}

func TestKeysOfOtherTypesAndLengthsAreRefused(t *testing.T) {
	for name, tc := range map[string]struct {
		typ    KeyType
		length int
	}{
		"ECDSA":                      {0x02, 32},
		"Ed25519 of 31 bytes":        {LogEd25519, 31},
		"cosigner of 33 bytes":       {CosignerEd25519, 33},
		"ML-DSA-44 of 1311 bytes":    {CosignerMLDSA44, 1311},
		"ML-DSA-44 as long as -65":   {CosignerMLDSA44, 1952},
		"a type from the reserved":   {0xfa, 32},
		"ML-DSA-44 without any byte": {CosignerMLDSA44, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewVKey("name", tc.typ, make([]byte, tc.length))
			wantError(t, err, ErrMalformed)
		})
	}
}

func FuzzParseVKey(f *testing.F) {
	f.Add(sumDBKey)
	for _, s := range newNetwork(1, 1).voters[0].Key().VKeys() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if k, err := ParseVKey(s); err == nil && k.String() != s {
			t.Fatalf("%q is written %q", s, k)
		}
	})
}

// byHand rebuilds what C2SP tlog-cosignature says about types 0x04 and 0x06
// apart from the package's own code, as a verifier for x/mod's note reader.
type byHand struct {
	name   string
	typ    byte
	public []byte
}

func (v byHand) Name() string { return v.name }

func (v byHand) KeyHash() uint32 { return must(ParseVKey(v.vkey())).KeyID() }

func (v byHand) vkey() string {
	return must(NewVKey(v.name, KeyType(v.typ), v.public)).String()
}

func (v byHand) Verify(msg, sig []byte) bool {
	time, body := binary.BigEndian.Uint64(sig), sig[8:]
	if v.typ == 0x04 {
		return ed25519.Verify(v.public, []byte("cosignature/v1\ntime 1800000000\n"+string(msg)), body) && time == testTime
	}
	var c formats.Checkpoint
	if _, err := c.Unmarshal(msg); err != nil {
		return false
	}
	var b cryptobyte.Builder
	b.AddBytes([]byte("subtree/v1\n\x00"))
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(v.name)) })
	b.AddUint64(time)
	b.AddUint8LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(c.Origin)) })
	b.AddUint64(0)
	b.AddUint64(c.Size)
	b.AddBytes(c.Hash)
	var public mldsa44.PublicKey
	return public.UnmarshalBinary(v.public) == nil && mldsa44.Verify(&public, b.BytesOrPanic(), nil, body)
}

func TestSignedCheckpointIsAcceptedElsewhere(t *testing.T) {
	n := newNetwork(1, 5)
	sc := SignedCheckpoint{Checkpoint: n.cp, Signatures: []NoteSignature{must(n.logs[0].Sign(n.cp))}}
	sc.Signatures = append(sc.Signatures, must(n.voters[0].Cosign(n.cp, testTime))...)

	logVerifier := must(note.NewVerifier(n.logs[0].VKey().String()))
	key := n.voters[0].Key()
	cp, _, opened, err := formats.ParseCheckpoint(sc.Marshal(), testOrigin, logVerifier,
		byHand{key.Name(), 0x04, key.ed.Public()}, byHand{key.Name(), 0x06, key.ml.Public()})
	if err != nil {
		t.Fatal(err)
	}
	if len(opened.Sigs) != 3 || len(opened.UnverifiedSigs) != 0 {
		t.Errorf("signatures: got %d verified and %d not, want 3 and 0", len(opened.Sigs), len(opened.UnverifiedSigs))
	}
	if cp.Size != n.cp.Size || !bytes.Equal(cp.Hash, n.cp.Root[:]) {
		t.Errorf("got %+v, want %+v", cp, n.cp)
	}
}

func TestCheckpointSignedElsewhereIsAccepted(t *testing.T) {
	seed := testSeed("elsewhere")
	skey, vkey, err := note.GenerateKey(bytes.NewReader(seed[:]), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	c := Checkpoint{Origin: testOrigin, Size: 3, Root: Hash{3}}
	signed := must(note.Sign(&note.Note{Text: string(c.Text())}, must(note.NewSigner(skey))))
	sc := must(ParseSignedCheckpoint(signed))
	if _, err := must(ParseVKey(vkey)).Verify(sc.Checkpoint, sc.Signatures[0]); err != nil {
		t.Error(err)
	}
}

func TestBothHalvesOfACosignatureAreNeeded(t *testing.T) {
	n := newNetwork(2, 5)
	signer, key := n.voters[0], n.voters[0].Key()
	now := must(signer.Cosign(n.cp, testTime))
	later := must(signer.Cosign(n.cp, testTime+1))
	other := must(n.voters[1].Cosign(n.cp, testTime))
	grown := must(signer.Cosign(Checkpoint{Origin: testOrigin, Size: 6, Root: n.cp.Root}, testTime))
	epoch := must(signer.Cosign(Checkpoint{Origin: testNetwork + "/2", Size: 5, Root: n.cp.Root}, testTime))

	for name, tc := range map[string]struct {
		sigs []NoteSignature
		want error
	}{
		"both":                        {now, nil},
		"both among others":           {slices.Concat(other, now), nil},
		"both in the other order":     {[]NoteSignature{now[1], now[0]}, nil},
		"none":                        {nil, ErrSignature},
		"Ed25519 alone":               {now[:1], ErrSignature},
		"ML-DSA-44 alone":             {now[1:], ErrSignature},
		"those of another":            {other, ErrSignature},
		"at two times":                {[]NoteSignature{now[0], later[1]}, ErrSignature},
		"of a larger tree":            {grown, ErrSignature},
		"Ed25519 of a larger tree":    {[]NoteSignature{grown[0], now[1]}, ErrSignature},
		"ML-DSA-44 of a larger tree":  {[]NoteSignature{now[0], grown[1]}, ErrSignature},
		"of another log epoch":        {epoch, ErrSignature},
		"ML-DSA-44 of another epoch":  {[]NoteSignature{now[0], epoch[1]}, ErrSignature},
		"with the blobs interchanged": {[]NoteSignature{swapBlob(now[0], now[1]), swapBlob(now[1], now[0])}, ErrSignature},
		"with the blobs cut":          {[]NoteSignature{cutBlob(now[0], 71), now[1]}, ErrSignature},
		"with a time alone":           {[]NoteSignature{now[0], cutBlob(now[1], 8)}, ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			at, err := key.Verify(n.cp, tc.sigs)
			wantError(t, err, tc.want)
			if err == nil && at != testTime {
				t.Errorf("time: got %d, want %d", at, testTime)
			}
		})
	}
}

func swapBlob(sig, other NoteSignature) NoteSignature {
	sig.Blob = other.Blob
	return sig
}

func cutBlob(sig NoteSignature, n int) NoteSignature {
	sig.Blob = sig.Blob[:n]
	return sig
}

func TestEveryChangedByteOfACosignatureIsSeen(t *testing.T) {
	n := newNetwork(1, 5)
	key := n.voters[0].Key()
	sigs := must(n.voters[0].Cosign(n.cp, testTime))
	for half, k := range []*VKey{key.ed, key.ml} {
		sig := sigs[half]
		for i := range sig.Blob {
			sig.Blob[i] ^= 1
			if _, err := k.Verify(n.cp, sig); err == nil {
				t.Errorf("half %d verifies with byte %d changed", half, i)
			}
			sig.Blob[i] ^= 1
		}
	}
	if _, err := key.Verify(n.cp, sigs); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

// A cosignature by a good key at a time that says nothing, or that other
// programs cannot represent.
func TestTimesOutOfRangeAreRefused(t *testing.T) {
	n := newNetwork(1, 5)
	c := n.voters[0]
	for name, at := range map[string]uint64{"zero": 0, "2^63": math.MaxInt64 + 1} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Cosign(n.cp, at)
			wantError(t, err, ErrMalformed)
			blob := binary.BigEndian.AppendUint64(nil, at)
			blob = append(blob, ed25519.Sign(c.ed, ed25519Message(at, n.cp))...)
			sig := NoteSignature{Name: c.key.Name(), KeyID: c.key.ed.id, Blob: blob}
			_, err = c.key.ed.Verify(n.cp, sig)
			wantError(t, err, ErrSignature)
		})
	}
}

func TestSignersRefuseBadInput(t *testing.T) {
	n := newNetwork(1, 5)
	ed, ml := n.voters[0].ed, n.voters[0].ml
	bad := Checkpoint{Origin: testOrigin, Size: 0, Root: Hash{1}}
	for name, tc := range map[string]struct {
		do   func() error
		want error
	}{
		"a log in capitals":       {func() error { _, err := NewLogSigner("Log", ed); return err }, ErrMalformed},
		"a log without a key":     {func() error { _, err := NewLogSigner("log", nil); return err }, ErrMalformed},
		"a log of another origin": {func() error { _, err := n.logs[0].Sign(Checkpoint{Origin: "other", Size: 1}); return err }, ErrSignature},
		"a log, bad checkpoint":   {func() error { _, err := n.logs[0].Sign(bad); return err }, ErrMalformed},
		"a cosigner's short key":  {func() error { _, err := NewCosigner("c", ed[:63], ml); return err }, ErrMalformed},
		"half a cosigner":         {func() error { _, err := NewCosigner("c", ed, nil); return err }, ErrMalformed},
		"a cosigner with a space": {func() error { _, err := NewCosigner("c d", ed, ml); return err }, ErrMalformed},
		"a nameless cosigner":     {func() error { _, err := NewCosigner("", ed, ml); return err }, ErrMalformed},
		"half a cosigner's key":   {func() error { _, err := NewCosignerKey("c", make([]byte, 32), nil); return err }, ErrMalformed},
		"bad checkpoint":          {func() error { _, err := n.voters[0].Cosign(bad, testTime); return err }, ErrMalformed},
		"verifying a bad one":     {func() error { _, err := n.logs[0].VKey().Verify(bad, must(n.logs[0].Sign(n.cp))); return err }, ErrMalformed},
		"verifying another's":     {func() error { _, err := n.logs[0].VKey().Verify(n.cp, NoteSignature{}); return err }, ErrSignature},
	} {
		t.Run(name, func(t *testing.T) { wantError(t, tc.do(), tc.want) })
	}
}

func TestLogKeyVerifiesItsOriginAlone(t *testing.T) {
	n := newNetwork(1, 5)
	signer := n.logs[0]
	other := Checkpoint{Origin: "other", Size: 5, Root: n.cp.Root}
	sig := NoteSignature{Name: testOrigin, KeyID: signer.key.id, Blob: ed25519.Sign(signer.private, other.Text())}
	_, err := signer.VKey().Verify(other, sig)
	wantError(t, err, ErrSignature)
}
