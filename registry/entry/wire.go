package entry

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/raresync/raresync/crypto/cbor"
)

// A wire carries values in one direction: into out, or out of in. Each layout
// is written down once, as a function of a wire, so that writing and reading
// cannot drift apart.
type wire struct {
	out []byte
	in  *cbor.Decoder // nil when writing
	err error         // of writing; reading keeps its own
}

var errValue = errors.New("value has no encoding")

// fail reports a value that has no place in the encoding.
func (w *wire) fail(what string) {
	if w.in != nil {
		w.in.Fail("%s", what)
	} else if w.err == nil {
		w.err = fmt.Errorf("%w: %s", errValue, what)
	}
}

func (w *wire) array(n int) {
	if w.in != nil {
		w.in.Array(n)
		return
	}
	w.out = cbor.AppendArray(w.out, n)
}

func (w *wire) text(s *string) {
	if w.in != nil {
		*s = w.in.Text(MaxBytes)
		return
	}
	if !utf8.ValidString(*s) {
		w.fail("text is not UTF-8")
	}
	w.out = cbor.AppendText(w.out, *s)
}

func (w *wire) texts(ss ...*string) {
	for _, s := range ss {
		w.text(s)
	}
}

// blob carries a byte string; what is read is a copy.
func (w *wire) blob(b *[]byte) {
	if w.in == nil {
		w.out = cbor.AppendBytes(w.out, *b)
		return
	}
	if v := w.in.Bytes(MaxBytes); len(v) > 0 {
		*b = append([]byte(nil), v...)
	}
}

func (w *wire) hash(h *[32]byte) {
	if w.in != nil {
		w.in.BytesInto(h[:])
		return
	}
	w.out = cbor.AppendBytes(w.out, h[:])
}

// optionalHash carries a hash as 32 bytes, or as none if it is not present.
func (w *wire) optionalHash(present *bool, h *[32]byte) {
	if w.in == nil {
		if !*present {
			w.out = cbor.AppendBytes(w.out, nil)
			return
		}
		w.hash(h)
		return
	}
	switch v := w.in.Bytes(len(h)); len(v) {
	case 0:
	case len(h):
		*present = true
		copy(h[:], v)
	default:
		w.fail("hash of another length")
	}
}

func (w *wire) flag(b *bool) {
	if w.in != nil {
		*b = w.in.Bool()
		return
	}
	w.out = cbor.AppendBool(w.out, *b)
}

// number carries an unsigned integer from min to max.
func number[T ~uint8 | ~uint16 | ~uint32](w *wire, v *T, min, max T) {
	if w.in != nil {
		*v = T(w.in.UintMax(uint64(max)))
		if w.in.Err() == nil && *v < min {
			w.fail("number too small")
		}
		return
	}
	if *v < min || *v > max {
		w.fail("number out of range")
	}
	w.out = cbor.AppendUint(w.out, uint64(*v))
}

// list carries an array of any length. Reading grows the slice item by item:
// a length that is only claimed costs nothing.
func list[T any](w *wire, items *[]T, item func(*wire, *T)) {
	if w.in == nil {
		w.out = cbor.AppendArray(w.out, len(*items))
		for i := range *items {
			item(w, &(*items)[i])
		}
		return
	}
	n := w.in.ArrayMax(MaxBytes)
	for range n {
		var v T
		item(w, &v)
		if w.in.Err() != nil {
			return
		}
		*items = append(*items, v)
	}
}

func (w *wire) date(d *Date) {
	w.array(3)
	number(w, &d.Year, 0, 9999)
	number(w, &d.Month, 0, 12)
	number(w, &d.Day, 0, 31)
	if !d.Valid() {
		w.fail("no date of the calendar")
	}
}

func (w *wire) term(t *Term) {
	w.array(2)
	w.texts(&t.ID, &t.Label)
}

// when carries a kind and as many texts as the kind has.
func (w *wire) when(v *When) {
	n := v.Kind.parts()
	if w.in != nil {
		n = w.in.ArrayMax(3) - 1
	} else {
		w.array(n + 1)
	}
	number(w, &v.Kind, 0, WhenAtBirth)
	if n < 0 || v.Kind.parts() != n {
		w.fail("point in life of another length")
		return
	}
	w.texts([]*string{&v.A, &v.B}[:n]...)
	if n < 1 && v.A != "" || n < 2 && v.B != "" {
		w.fail("point in life with a text too many")
	}
}
