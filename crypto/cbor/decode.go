package cbor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// ErrEncoding reports bytes that are not the one deterministic encoding of
// what was expected: a wrong type or length, a non-minimal form, invalid
// UTF-8, an unlisted form, bytes missing or left over. Its code is ENC001.
var ErrEncoding = errors.New("ENC001: not the deterministic encoding")

// A Decoder reads values from a byte slice in order. The first error sticks;
// after it every read returns a zero value. A Decoder is not safe for
// concurrent use.
type Decoder struct {
	in  []byte
	pos int
	err error
}

// NewDecoder returns a Decoder over b. Byte strings it returns are views of b.
func NewDecoder(b []byte) *Decoder { return &Decoder{in: b} }

// Err returns the first error, or nil.
func (d *Decoder) Err() error { return d.err }

// Done returns the first error, or ErrEncoding if bytes are left over.
func (d *Decoder) Done() error {
	if d.err == nil && d.pos != len(d.in) {
		d.Fail("%d bytes left over", len(d.in)-d.pos)
	}
	return d.err
}

// More reports whether unread bytes are left and no error has occurred, for
// reading a sequence of values.
func (d *Decoder) More() bool { return d.err == nil && d.pos < len(d.in) }

// Pos returns the number of bytes read so far.
func (d *Decoder) Pos() int { return d.pos }

// Fail makes the decoder report ErrEncoding with the given detail, unless an
// earlier error sticks. Callers use it for rules of their own, such as an
// order or a range.
func (d *Decoder) Fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: byte %d: %s", ErrEncoding, d.pos, fmt.Sprintf(format, args...))
	}
}

// Uint reads an unsigned integer.
func (d *Decoder) Uint() uint64 { return d.UintMax(math.MaxUint64) }

// UintMax reads an unsigned integer of at most limit.
func (d *Decoder) UintMax(limit uint64) uint64 {
	v := d.head(majorUint)
	if v > limit {
		d.Fail("integer above %d", limit)
		return 0
	}
	return v
}

// Uint8 reads an unsigned integer that fits 8 bits.
func (d *Decoder) Uint8() uint8 { return uint8(d.UintMax(math.MaxUint8)) }

// Uint16 reads an unsigned integer that fits 16 bits.
func (d *Decoder) Uint16() uint16 { return uint16(d.UintMax(math.MaxUint16)) }

// Uint32 reads an unsigned integer that fits 32 bits.
func (d *Decoder) Uint32() uint32 { return uint32(d.UintMax(math.MaxUint32)) }

// Bool reads the integer 0 or 1.
func (d *Decoder) Bool() bool { return d.UintMax(1) == 1 }

// Bytes reads a byte string of at most limit bytes. The result is a view of
// the input.
func (d *Decoder) Bytes(limit int) []byte { return d.span(majorBytes, limit) }

// BytesFixed reads a byte string of exactly n bytes, or returns nil with the
// error set. The result is a view of the input.
func (d *Decoder) BytesFixed(n int) []byte {
	v := d.span(majorBytes, n)
	if d.err == nil && len(v) != n {
		d.Fail("byte string of %d bytes, want %d", len(v), n)
		return nil
	}
	return v
}

// BytesInto fills dst from a byte string of exactly len(dst) bytes.
func (d *Decoder) BytesInto(dst []byte) { copy(dst, d.BytesFixed(len(dst))) }

// Text reads a text string of at most limit bytes of valid UTF-8.
func (d *Decoder) Text(limit int) string {
	v := d.span(majorText, limit)
	if !utf8.Valid(v) {
		d.Fail("text is not UTF-8")
		return ""
	}
	return string(v)
}

// Array reads the head of an array of exactly n items.
func (d *Decoder) Array(n int) {
	if v := d.head(majorArray); d.err == nil && v != uint64(n) {
		d.Fail("array of %d, want %d", v, n)
	}
}

// ArrayMax reads the head of an array of at most limit items and returns
// their number.
func (d *Decoder) ArrayMax(limit int) int {
	v := d.head(majorArray)
	if v > uint64(limit) {
		d.Fail("array of %d, at most %d", v, limit)
		return 0
	}
	return int(v)
}

func (d *Decoder) span(major byte, limit int) []byte {
	n := d.head(major)
	if d.err != nil {
		return nil
	}
	if n > uint64(limit) {
		d.Fail("string of %d bytes, at most %d", n, limit)
		return nil
	}
	if n > uint64(len(d.in)-d.pos) {
		d.Fail("string of %d bytes, %d left", n, len(d.in)-d.pos)
		return nil
	}
	v := d.in[d.pos : d.pos+int(n) : d.pos+int(n)]
	d.pos += int(n)
	return v
}

// head reads an initial byte of the given major type with its argument, and
// refuses arguments not in shortest form.
func (d *Decoder) head(major byte) uint64 {
	if d.err != nil {
		return 0
	}
	if d.pos == len(d.in) {
		d.Fail("input ends")
		return 0
	}
	first := d.in[d.pos]
	if first&0xe0 != major {
		d.Fail("initial byte 0x%02x, want major type %d", first, major>>5)
		return 0
	}
	info := first & 0x1f
	if info < 24 {
		d.pos++
		return uint64(info)
	}
	if info > 27 {
		d.Fail("additional information %d", info)
		return 0
	}
	return d.argument(1 << (info - 24))
}

// argument reads an argument of size bytes after the initial byte.
func (d *Decoder) argument(size int) uint64 {
	if len(d.in)-d.pos-1 < size {
		d.Fail("input ends in a length")
		return 0
	}
	var full [8]byte
	copy(full[8-size:], d.in[d.pos+1:d.pos+1+size])
	v := binary.BigEndian.Uint64(full[:])
	if v < shortest(size) {
		d.Fail("%d in %d bytes is not the shortest form", v, size)
		return 0
	}
	d.pos += 1 + size
	return v
}

// shortest returns the smallest value whose shortest argument has size bytes.
func shortest(size int) uint64 {
	switch size {
	case 1:
		return 24
	case 2:
		return 1 << 8
	case 4:
		return 1 << 16
	}
	return 1 << 32
}
