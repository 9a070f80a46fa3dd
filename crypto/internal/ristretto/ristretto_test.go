package ristretto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/cloudflare/circl/group"
)

// multiples are the encodings of 0 to 15 times the generator, of RFC 9496
// appendix A.1.
var multiples = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
	"6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
	"94741f5d5d52755ece4f23f044ee27d5d1ea1e2bd196b462166b16152a9d0259",
	"da80862773358b466ffadfe0b3293ab3d9fd53c5ea6c955358f568322daf6a57",
	"e882b131016b52c1d3337080187cf768423efccbb517bb495ab812c4160ff44e",
	"f64746d3c92b13050ed8d80236a7f0007c3b3f962f5ba793d19a601ebb1df403",
	"44f53520926ec81fbd5a387845beb7df85a96a24ece18738bdcfa6a7822a176d",
	"903293d8f2287ebe10e2374dc1a53e0bc887e592699f02d077d5263cdd55601c",
	"02622ace8f7303a31cafc63f8fc48fdc16e1c8c8d234b2f0d6685282a9076031",
	"20706fd788b2720a1ed2a5dad4952b01f413bcf0e7564de8cdc816689e2db95f",
	"bce83f8ba5dd2fa572864c24ba1810f9522bc6004afe95877ac73241cafdab42",
	"e4549ee16b9aa03099ca208c67adafcafa4c3f3e4e5303de6026e3ca8ff84460",
	"aa52e000df2e16f55fb1032fc33bc42742dad6bd5a8fc0be0167436c5948501f",
	"46376b80f409b29dc2b5f6f0c52591990896e5716f41477cd30085ab7f10301e",
	"e0c418f7c8d9c4cdd7395b93ea124f3ad99021bb681dfc3302a9d99a2e53e64e",
}

// refused are encodings of RFC 9496 appendix A.2, one of each kind.
var refused = map[string]string{
	"not reduced":               "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"not reduced, zero":         "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"not reduced, one":          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"negative":                  "0100000000000000000000000000000000000000000000000000000000000000",
	"negative, all ones":        "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"not a square":              "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
	"not a square, another":     "4eac077a713c57b4f4397629a4145982c661f48044dd3f96427d40b147d9742f",
	"negative x times y":        "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
	"y of zero":                 "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"the highest bit of theirs": "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2df6",
}

func decodeHex(t testing.TB, s string) [32]byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 {
		t.Fatalf("%q: %v", s, err)
	}
	return [32]byte(b)
}

func TestMultiplesOfTheGeneratorAreRFC9496s(t *testing.T) {
	sum := Identity()
	for i, want := range multiples {
		s, err := DecodeScalar([32]byte{byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		for how, e := range map[string]*Element{
			"added up": sum, "MulGen": MulGen(s), "Mul": Mul(s, Generator()),
			"VarTimeSum":      VarTimeSum([]*Scalar{s}, []*Element{Generator()}),
			"VarTimeSmallSum": VarTimeSmallSum([]*big.Int{big.NewInt(int64(i))}, []*Element{Generator()}),
		} {
			if got := e.Bytes(); got != decodeHex(t, want) {
				t.Errorf("%d times the generator, %s: %x, want %s", i, how, got, want)
			}
			if e.IsIdentity() != (i == 0) {
				t.Errorf("%d times the generator, %s: identity: %v", i, how, e.IsIdentity())
			}
		}
		back, err := Decode(decodeHex(t, want))
		if err != nil || back.Bytes() != decodeHex(t, want) {
			t.Errorf("%s: decoded: %v", want, err)
		}
		sum.p.Add(&sum.p, &Generator().p)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, in := range refused {
		if e, err := Decode(decodeHex(t, in)); !errors.Is(err, ErrEncoding) || e != nil {
			t.Errorf("%s: got %v, want %v", name, err, ErrEncoding)
		}
	}
}

// The group library is the second opinion, on values nobody chose.
func TestEverythingAgreesWithTheGroupLibrary(t *testing.T) {
	g := group.Ristretto255
	var scalars []*Scalar
	var elements []*Element
	theirSum := g.Identity()
	for i := range 100 {
		msg, dst := fmt.Appendf(nil, "message %d", i), []byte("some tag")
		theirs, e := g.HashToElement(msg, dst), HashToElement(msg, dst)
		theirScalar, s := g.HashToScalar(msg, dst), HashToScalar(msg, dst)
		mustEqual(t, "HashToElement", e, theirs)
		if b, err := theirScalar.MarshalBinary(); err != nil || !bytes.Equal(b, s.Bytes()) {
			t.Fatalf("HashToScalar: %x, want %x", s.Bytes(), b)
		}
		decoded, err := Decode(e.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		product := g.NewElement().Mul(theirs, theirScalar)
		mustEqual(t, "Mul", Mul(s, decoded), product)
		mustEqual(t, "MulGen", MulGen(s), g.NewElement().MulGen(theirScalar))
		theirSum.Add(theirSum, product)
		scalars, elements = append(scalars, s), append(elements, e)
	}
	mustEqual(t, "VarTimeSum", VarTimeSum(scalars, elements), theirSum)
	inverses := Inverses(scalars)
	for i := range scalars {
		one := g.NewScalar()
		if err := one.UnmarshalBinary(new(Scalar).Multiply(inverses[i], scalars[i]).Bytes()); err != nil || !one.IsEqual(g.NewScalar().SetUint64(1)) {
			t.Errorf("scalar %d times its inverse is not 1", i)
		}
	}
}

func mustEqual(t *testing.T, what string, e *Element, theirs group.Element) {
	t.Helper()
	want, err := theirs.MarshalBinaryCompress()
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Bytes(); !bytes.Equal(got[:], want) {
		t.Fatalf("%s: %x, want %x", what, got, want)
	}
}

func TestSmallSumTakesSignsAndExtremes(t *testing.T) {
	a, b := HashToElement([]byte("a"), nil), HashToElement([]byte("b"), nil)
	huge := new(big.Int).Lsh(big.NewInt(3), 100)
	for _, values := range [][2]*big.Int{
		{big.NewInt(0), big.NewInt(0)}, {big.NewInt(1), big.NewInt(-1)}, {big.NewInt(-3), big.NewInt(7)},
		{huge, big.NewInt(-5)}, {big.NewInt(1), new(big.Int).Neg(huge)},
	} {
		factors := values[:]
		var scalars []*Scalar
		for _, f := range factors {
			s := ScalarOf(new(big.Int).Abs(f))
			if f.Sign() < 0 {
				s.Negate(s)
			}
			scalars = append(scalars, s)
		}
		want := VarTimeSum(scalars, []*Element{a, b}).Bytes()
		if got := VarTimeSmallSum(factors, []*Element{a, b}).Bytes(); got != want {
			t.Errorf("%v: %x, want %x", factors, got, want)
		}
	}
}

func TestScalarsAreStrict(t *testing.T) {
	order := decodeHex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
	if _, err := DecodeScalar(order); !errors.Is(err, errScalar) {
		t.Errorf("the order: got %v, want %v", err, errScalar)
	}
	order[0]--
	if _, err := DecodeScalar(order); err != nil {
		t.Errorf("the order minus one: %v", err)
	}
	if a, b := RandomScalar(), RandomScalar(); IsZero(a) || a.Equal(b) == 1 {
		t.Error("random scalars are zero or equal")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range multiples[:4] {
		b := decodeHex(f, s)
		f.Add(b[:])
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) != ElementBytes {
			return
		}
		e, err := Decode([32]byte(in))
		theirs := group.Ristretto255.NewElement().UnmarshalBinary(in)
		if (err == nil) != (theirs == nil) {
			t.Fatalf("%x: %v, the group library: %v", in, err, theirs)
		}
		if err == nil && e.Bytes() != [32]byte(in) {
			t.Errorf("%x encodes back to %x", in, e.Bytes())
		}
	})
}

func BenchmarkMul(b *testing.B) {
	s, e := RandomScalar(), HashToElement([]byte("x"), nil)
	for b.Loop() {
		Mul(s, e)
	}
}

func BenchmarkDecode(b *testing.B) {
	in := HashToElement([]byte("x"), nil).Bytes()
	for b.Loop() {
		if _, err := Decode(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	e := HashToElement([]byte("x"), nil)
	for b.Loop() {
		e.Bytes()
	}
}

func BenchmarkHashToElement(b *testing.B) {
	for b.Loop() {
		HashToElement([]byte("x"), []byte("tag"))
	}
}

func BenchmarkHashToScalar(b *testing.B) {
	msg := make([]byte, 150)
	for b.Loop() {
		HashToScalar(msg, []byte("tag"))
	}
}

func BenchmarkVarTimeSum256(b *testing.B) {
	var scalars []*Scalar
	var elements []*Element
	for i := range 256 {
		scalars, elements = append(scalars, RandomScalar()), append(elements, HashToElement([]byte{byte(i)}, nil))
	}
	for b.Loop() {
		VarTimeSum(scalars, elements)
	}
}

func BenchmarkLibraryMul(b *testing.B) {
	g := group.Ristretto255
	e, s := g.HashToElement([]byte("x"), nil), g.HashToScalar([]byte("y"), nil)
	for b.Loop() {
		g.NewElement().Mul(e, s)
	}
}
