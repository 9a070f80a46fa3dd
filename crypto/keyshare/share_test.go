package keyshare

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
)

func TestCheckShareRefuses(t *testing.T) {
	network := [32]byte{1}
	r, shares := mustDeal(t, 5)
	r = r.Bind(network)
	_, others := mustDeal(t, 5)
	for name, tc := range map[string]struct {
		spoil func(*Share)
		want  error
	}{
		"another network's key":       {func(s *Share) { s.KeyID = [32]byte{2} }, ErrShare},
		"a share never bound":         {func(s *Share) { s.KeyID = [32]byte{} }, ErrShare},
		"another epoch":               {func(s *Share) { s.Epoch++ }, ErrShare},
		"another holder's index":      {func(s *Share) { s.Holder = 3 }, ErrShare},
		"an index beyond the holders": {func(s *Share) { s.Holder = 6 }, ErrRecord},
		"index zero":                  {func(s *Share) { s.Holder = 0 }, ErrRecord},
		"another key's scalar":        {func(s *Share) { s.Scalar = others[1].Scalar }, ErrShare},
		"no scalar":                   {func(s *Share) { s.Scalar = Scalar{} }, ErrShare},
	} {
		s := shares[1]
		s.KeyID = r.KeyID
		if err := CheckShare(r, s); err != nil {
			t.Fatalf("%s: the untouched share: %v", name, err)
		}
		tc.spoil(&s)
		if err := CheckShare(r, s); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

func TestShareSurvivesTheFile(t *testing.T) {
	r, shares := mustDeal(t, 5)
	r = r.Bind([32]byte{1})
	s := shares[3]
	s.KeyID = r.KeyID
	got, err := ParseShare(MarshalShare(s))
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckShare(r, got); err != nil || got.Holder != 4 {
		t.Errorf("holder %d: %v", got.Holder, err)
	}
}

func TestTamperingWithAnyByteOfAShareIsSeen(t *testing.T) {
	r, shares := mustDeal(t, 3)
	r = r.Bind([32]byte{1})
	shares[0].KeyID = r.KeyID
	good := MarshalShare(shares[0])
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 1
		if s, err := ParseShare(b); err == nil && CheckShare(r, s) == nil {
			t.Errorf("byte %d changed: still accepted", i)
		}
	}
}

// order is that of ristretto255, little endian (RFC 9496 section 4.4).
const order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"

func TestScalarRefusesWhatIsNotReduced(t *testing.T) {
	b, err := hex.DecodeString(order)
	if err != nil {
		t.Fatal(err)
	}
	l := [32]byte(b)
	below := l
	below[0]--
	for name, tc := range map[string]struct {
		in [32]byte
		ok bool
	}{
		"one":                 {[32]byte{1}, true},
		"the order minus one": {below, true},
		"zero":                {[32]byte{}, false},
		"the order":           {l, false},
		"all bits":            {[32]byte(bytes.Repeat([]byte{0xff}, 32)), false},
	} {
		s, err := NewScalar(tc.in)
		if (err == nil) != tc.ok {
			t.Errorf("%s: %v", name, err)
		}
		if tc.ok && s.Reveal() != tc.in {
			t.Errorf("%s: reveals another value", name)
		}
		share := Share{Epoch: 1, Holder: 1, Scalar: Scalar{reveal: func() [32]byte { return tc.in }}}
		if _, err := ParseShare(MarshalShare(share)); (err == nil) != tc.ok || (err != nil && !errors.Is(err, cbor.ErrEncoding)) {
			t.Errorf("%s: in a share: %v", name, err)
		}
	}
}

func TestParseShareRefusesZeroIndexes(t *testing.T) {
	_, shares := mustDeal(t, 3)
	for name, spoil := range map[string]func(*Share){
		"epoch zero":  func(s *Share) { s.Epoch = 0 },
		"holder zero": func(s *Share) { s.Holder = 0 },
	} {
		s := shares[0]
		spoil(&s)
		if _, err := ParseShare(MarshalShare(s)); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want %v", name, err, cbor.ErrEncoding)
		}
	}
}

// wrapper has the share where fmt may call no methods.
type wrapper struct{ hidden Share }

func TestNothingPrintsAScalar(t *testing.T) {
	secret := [32]byte(bytes.Repeat([]byte{0x0b}, 32))
	scalar, err := NewScalar(secret)
	if err != nil {
		t.Fatal(err)
	}
	s := Share{Epoch: 1, Holder: 1, Scalar: scalar}
	asJSON, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "share", s, "scalar", s.Scalar)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "share", s, "scalar", s.Scalar)
	printed := []string{string(asJSON), logged.String(), s.Scalar.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
		for _, value := range []any{s, &s, scalar, &scalar, wrapper{s}, &wrapper{s}, []Share{s}} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	for _, text := range printed {
		for _, leak := range []string{"0b0b", "0B0B", "11 11 11", "0xb, 0xb", `\v\v`, "11, 11"} {
			if strings.Contains(text, leak) {
				t.Errorf("leaks the scalar: %s", text)
			}
		}
	}
}

func FuzzParseShare(f *testing.F) {
	_, shares := mustDeal(f, 3)
	f.Add(MarshalShare(shares[0]))
	f.Add(MarshalShare(Share{Epoch: 1, Holder: 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseShare(b)
		if err != nil {
			return
		}
		if got := MarshalShare(s); !bytes.Equal(got, b) {
			t.Error("what parses does not encode back to the same bytes")
		}
	})
}
