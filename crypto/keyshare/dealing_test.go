package keyshare

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/raresync/raresync/crypto/cbor"
)

func TestRunValidateRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Run){
		"no origin":                       func(r *Run) { r.Origin = 0 },
		"an unknown origin":               func(r *Run) { r.Origin = 3 },
		"epoch zero":                      func(r *Run) { r.Epoch = 0 },
		"no holders":                      func(r *Run) { r.Holders, r.Dealers = 0, 0 },
		"too many holders":                func(r *Run) { r.Holders, r.Dealers, r.Threshold = MaxHolders+1, MaxHolders+1, 17 },
		"a threshold below the majority":  func(r *Run) { r.Threshold = 2 },
		"a threshold above the holders":   func(r *Run) { r.Threshold = 6 },
		"a new key that is dealt":         func(r *Run) { r.Origin = Dealt },
		"a new key, fewer dealers":        func(r *Run) { r.Dealers = 4 },
		"a reshare without dealers":       func(r *Run) { r.Epoch, r.Dealers = 2, 0 },
		"a reshare with too many dealers": func(r *Run) { r.Epoch, r.Dealers = 2, MaxHolders+1 },
	} {
		run := dkgRun(5)
		if err := run.Validate(); err != nil {
			t.Fatal(err)
		}
		spoil(&run)
		if err := run.Validate(); !errors.Is(err, ErrRun) {
			t.Errorf("%s: got %v, want %v", name, err, ErrRun)
		}
		if _, err := NewDealing(run, 1, rand.Reader); !errors.Is(err, ErrRun) {
			t.Errorf("%s: dealing: got %v, want %v", name, err, ErrRun)
		}
	}
}

func TestDealingSurvivesTheFile(t *testing.T) {
	c := newDKG(t, 5)
	again, err := ParseDealing(c.dealings[1].Marshal())
	if err != nil {
		t.Fatal(err)
	}
	if again.Commit() != c.commits[1] {
		t.Error("the parsed dealing commits to something else")
	}
	deal, err := again.Deal(c.keysFor(2))
	if err != nil {
		t.Fatal(err)
	}
	c.deals[1] = deal // sealed anew, of the same polynomial: all goes on
	c.finishDKG(t)
}

func TestParseDealingRefuses(t *testing.T) {
	c := newDKG(t, 3)
	good := c.dealings[0].Marshal()
	for name, spoil := range map[string]func(*Dealing){
		"a run that is not valid":    func(d *Dealing) { d.run.Threshold = 1 },
		"a dealer that is not":       func(d *Dealing) { d.dealer = 4 },
		"dealer zero":                func(d *Dealing) { d.dealer = 0 },
		"a coefficient missing":      func(d *Dealing) { d.coefficients = d.coefficients[:1] },
		"a coefficient of zero":      func(d *Dealing) { d.coefficients = []Scalar{d.coefficients[0], {}} },
		"a polynomial zero at two":   func(d *Dealing) { d.coefficients = []Scalar{scalarFrom(t, -2), scalarFrom(t, 1)} },
		"more coefficients than fit": func(d *Dealing) { d.coefficients = make([]Scalar, MaxHolders+1) },
	} {
		d := *c.dealings[0]
		spoil(&d)
		if _, err := ParseDealing(d.Marshal()); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("%s: got %v, want %v", name, err, cbor.ErrEncoding)
		}
	}
	for n := range good {
		if _, err := ParseDealing(good[:n]); !errors.Is(err, cbor.ErrEncoding) {
			t.Errorf("cut off at %d: got %v, want %v", n, err, cbor.ErrEncoding)
		}
	}
}

// scalarFrom returns a small scalar, negative ones too.
func scalarFrom(t *testing.T, v int64) Scalar {
	t.Helper()
	k := (Scalar{}).scalar()
	if v < 0 {
		k.Sub(k, k.Copy().SetUint64(uint64(-v)))
	} else {
		k.SetUint64(uint64(v))
	}
	s, err := scalarOf(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDealingUsesTheRandomItIsGiven(t *testing.T) {
	run := dkgRun(5)
	seed := bytes.Repeat([]byte{1, 2, 3, 4}, (32+3*64)/4)
	a, errA := NewDealing(run, 1, bytes.NewReader(seed))
	b, errB := NewDealing(run, 1, bytes.NewReader(seed))
	if errA != nil || errB != nil || !bytes.Equal(a.Marshal(), b.Marshal()) {
		t.Errorf("the same random bytes: %v, %v, two dealings", errA, errB)
	}
	if _, err := NewDealing(run, 1, bytes.NewReader(seed[:200])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("random that ends early: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if _, err := NewDealing(run, 6, rand.Reader); !errors.Is(err, ErrRun) {
		t.Errorf("a dealer that is not: got %v, want %v", err, ErrRun)
	}
}

func TestNewReshareRefuses(t *testing.T) {
	old, shares := newDKG(t, 3).finishDKG(t)
	run := reshareRun(old, 5)
	if _, err := NewReshare(run, shares[0], rand.Reader); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		spoil func(*Run, *Share)
		want  error
	}{
		"a share of another epoch": {func(_ *Run, s *Share) { s.Epoch++ }, ErrRun},
		"a holder that was not":    {func(_ *Run, s *Share) { s.Holder = 4 }, ErrRun},
		"a share without a scalar": {func(_ *Run, s *Share) { s.Scalar = Scalar{} }, ErrShare},
		"a run that is not valid":  {func(r *Run, _ *Share) { r.Holders = 0 }, ErrRun},
		"a run that makes a key":   {func(r *Run, s *Share) { r.Epoch, r.Dealers, s.Epoch = 1, 5, 1 }, ErrRun},
		"an epoch that overflows":  {func(r *Run, s *Share) { r.Epoch, s.Epoch = 0, 1<<32-1 }, ErrRun},
	} {
		r, s := run, shares[0]
		tc.spoil(&r, &s)
		if _, err := NewReshare(r, s, rand.Reader); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", name, err, tc.want)
		}
	}
}

// holding has secrets where fmt may call no methods.
type holding struct {
	key     *CeremonyKey
	dealing *Dealing
	piece   Piece
	byValue Dealing
}

func TestNothingPrintsACeremonysSecrets(t *testing.T) {
	c := newDKG(t, 3)
	piece := c.pieces(t, 1)[0]
	seed, value, coefficient := c.keys[0].Seed(), piece.scalar.Reveal(), c.dealings[0].coefficients[0].Reveal()
	var printed []string
	for _, v := range []any{c.keys[0], *c.keys[0], c.dealings[0], *c.dealings[0], piece, &piece,
		holding{c.keys[0], c.dealings[0], piece, *c.dealings[0]}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%q", "%d"} {
			printed = append(printed, fmt.Sprintf(verb, v))
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "v", v)
		asJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		printed = append(printed, logged.String(), string(asJSON))
	}
	for _, text := range printed {
		for name, secret := range map[string][32]byte{"seed": seed, "piece": value, "coefficient": coefficient} {
			for _, leak := range []string{hex.EncodeToString(secret[:8]), fmt.Sprintf("%X", secret[:8]),
				strings.Trim(fmt.Sprint(secret[:8]), "[]"), strings.Trim(fmt.Sprintf("%#v", secret[:8]), "[]byte{}")} {
				if strings.Contains(text, leak) {
					t.Errorf("leaks the %s: %s", name, text)
				}
			}
		}
	}
}

func FuzzParseDealing(f *testing.F) {
	f.Add(newDKG(f, 2).dealings[0].Marshal())
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseDealing(b)
		if err != nil {
			return
		}
		if got := d.Marshal(); !bytes.Equal(got, b) {
			t.Error("what parses does not encode back to the same bytes")
		}
	})
}
