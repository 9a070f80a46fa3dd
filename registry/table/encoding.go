package table

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"github.com/raresync/raresync/registry/rule"
)

// The encodings by the names that findings and profiles use.
const (
	UTF8    = "UTF-8"
	UTF16LE = "UTF-16LE"
	UTF16BE = "UTF-16BE"
	GB18030 = "GB18030"
)

// An encoded text is bytes without their byte order mark, and what they are.
type encoded struct {
	raw      []byte
	encoding string
	skipped  int // bytes of the mark
}

// detect says how a text is encoded. A byte order mark decides. Without one,
// zeros beside most characters are UTF-16; what is UTF-8 is UTF-8; and what
// is mostly UTF-8 is a damaged text of it, since GB 18030 would give it a wrong
// reading without complaint.
func detect(raw []byte) encoded {
	for _, mark := range []struct{ bytes, encoding string }{
		{"\xef\xbb\xbf", UTF8}, {"\xff\xfe", UTF16LE}, {"\xfe\xff", UTF16BE}, {"\x84\x31\x95\x33", GB18030},
	} {
		if rest, ok := bytes.CutPrefix(raw, []byte(mark.bytes)); ok {
			return encoded{rest, mark.encoding, len(mark.bytes)}
		}
	}
	if e := zeros(raw); e != "" {
		return encoded{raw, e, 0}
	}
	if utf8.Valid(raw) || mostlyUTF8(raw) {
		return encoded{raw, UTF8, 0}
	}
	return encoded{raw, GB18030, 0}
}

// zeros knows UTF-16 without a mark by the zero bytes of its ASCII characters:
// separators and line ends at least.
func zeros(raw []byte) string {
	head := raw[:min(len(raw), 1<<16)&^1]
	var at [2]int
	for i, c := range head {
		if c == 0 {
			at[i%2]++
		}
	}
	switch few := len(head) / 64; { // some Chinese characters have a low byte of zero
	case at[1] > few && at[1] > 4*at[0]:
		return UTF16LE
	case at[0] > few && at[0] > 4*at[1]:
		return UTF16BE
	}
	return ""
}

// mostlyUTF8 reports whether more than half of the bytes beyond ASCII are in
// characters of three or four bytes that are UTF-8. Of GB 18030 hardly any is:
// its characters of two bytes form those of UTF-8 with two now and then.
func mostlyUTF8(raw []byte) bool {
	good, all := 0, 0
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(raw[i:])
		if all += n; r != utf8.RuneError && n > 2 {
			good += n
		}
		i += n
	}
	return 2*good > all
}

// reader checks a text from front to back and returns it as UTF-8, decoded as
// it is read.
func (e encoded) reader(name string) (io.Reader, error) {
	if at := e.fault(); at >= 0 {
		return nil, rule.Refuse("FM001", name, fmt.Sprintf("byte %d, line %d: not %s", e.skipped+at, e.line(at), e.encoding))
	}
	switch e.encoding {
	case UTF16LE, UTF16BE:
		return &utf16Reader{raw: e.raw, high: e.high()}, nil
	case GB18030:
		return transform.NewReader(bytes.NewReader(e.raw), simplifiedchinese.GB18030.NewDecoder()), nil
	}
	return bytes.NewReader(e.raw), nil
}

// fault returns where the first byte is that the encoding does not have, or a
// zero byte, which no text has; -1 for none.
func (e encoded) fault() int {
	switch e.encoding {
	case UTF8:
		return faultUTF8(e.raw)
	case GB18030:
		return faultGB18030(e.raw)
	}
	return e.faultUTF16()
}

func faultUTF8(raw []byte) int {
	bad := bytes.IndexByte(raw, 0)
	if utf8.Valid(raw) {
		return bad
	}
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n < 2 || raw[i] == 0 {
			return i
		}
		i += n
	}
	return bad
}

// high is the place of a unit's high byte.
func (e encoded) high() int {
	if e.encoding == UTF16LE {
		return 1
	}
	return 0
}

func unit(raw []byte, i, high int) rune { return rune(raw[i+high])<<8 | rune(raw[i+1-high]) }

func (e encoded) faultUTF16() int {
	whole := len(e.raw) &^ 1
	for i := 0; i < whole; i += 2 {
		u := unit(e.raw, i, e.high())
		switch {
		case u == 0:
			return i
		case !utf16.IsSurrogate(u):
		case i+2 >= whole || utf16.DecodeRune(u, unit(e.raw, i+2, e.high())) == utf8.RuneError:
			return i
		default:
			i += 2
		}
	}
	if whole < len(e.raw) {
		return whole
	}
	return -1
}

// line counts the lines up to a byte, from 1.
func (e encoded) line(at int) int {
	end := []byte("\n")
	switch e.encoding {
	case UTF16LE:
		end = []byte("\n\x00")
	case UTF16BE:
		end = []byte("\x00\n")
	}
	return 1 + bytes.Count(e.raw[:at], end)
}

// utf16Reader decodes UTF-16 that was found to be without faults.
type utf16Reader struct {
	raw  []byte
	high int
	left []byte // of a character that did not fit
	some [utf8.UTFMax]byte
}

func (r *utf16Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(r.left) == 0 {
			if len(r.raw) < 2 {
				break
			}
			r.left = r.some[:utf8.EncodeRune(r.some[:], r.character())]
		}
		m := copy(p[n:], r.left)
		n, r.left = n+m, r.left[m:]
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *utf16Reader) character() rune {
	u := unit(r.raw, 0, r.high)
	r.raw = r.raw[2:]
	if utf16.IsSurrogate(u) {
		u = utf16.DecodeRune(u, unit(r.raw, 0, r.high))
		r.raw = r.raw[2:]
	}
	return u
}
