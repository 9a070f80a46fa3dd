package pseudonym

import (
	"crypto/sha512"
	"encoding/binary"
	"math/bits"

	"github.com/cloudflare/circl/group"
)

// toyOrder is a prime small enough that a forgery which takes hours on
// ristretto255 takes milliseconds, and far too large to hit by chance.
const toyOrder = 1<<39 - 7

// toyGroup is the integers modulo toyOrder under addition: discrete
// logarithms are plain to see, but the library's proof code does not look.
// Elements and scalars have the methods which that code calls; any other one
// panics on the nil interface.
type toyGroup struct{ group.Group }

type toyElement struct {
	group.Element
	v uint64
}

type toyScalar struct {
	group.Scalar
	v uint64
}

func (toyGroup) NewElement() group.Element { return &toyElement{} }
func (toyGroup) NewScalar() group.Scalar   { return &toyScalar{} }
func (toyGroup) Identity() group.Element   { return &toyElement{} }
func (toyGroup) Generator() group.Element  { return &toyElement{v: 1} }

func (toyGroup) HashToScalar(msg, dst []byte) group.Scalar {
	h := sha512.New()
	h.Write(dst)
	h.Write(msg)
	return &toyScalar{v: binary.BigEndian.Uint64(h.Sum(nil)) % toyOrder}
}

func (e *toyElement) Add(x, y group.Element) group.Element {
	e.v = (x.(*toyElement).v + y.(*toyElement).v) % toyOrder
	return e
}

func (e *toyElement) Mul(x group.Element, s group.Scalar) group.Element {
	e.v = toyMul(x.(*toyElement).v, s.(*toyScalar).v)
	return e
}

func (e *toyElement) MarshalBinaryCompress() ([]byte, error) {
	b := e.bytes()
	return b[:], nil
}

func (e *toyElement) bytes() (b [32]byte) {
	binary.LittleEndian.PutUint64(b[:], e.v)
	return b
}

func (s *toyScalar) Mul(x, y group.Scalar) group.Scalar {
	s.v = toyMul(x.(*toyScalar).v, y.(*toyScalar).v)
	return s
}

func (s *toyScalar) Sub(x, y group.Scalar) group.Scalar {
	s.v = (x.(*toyScalar).v + toyOrder - y.(*toyScalar).v) % toyOrder
	return s
}

func (s *toyScalar) IsEqual(x group.Scalar) bool { return s.v == x.(*toyScalar).v }

func toyMul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return bits.Rem64(hi, lo, toyOrder)
}
