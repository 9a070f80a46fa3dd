package phenopacket

import (
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of one document beyond its size, so that memory stays within a small
// multiple of the file's size.
const (
	maxDepth       = 64
	wrapDepth      = 2 // levels that keepWrapper adds
	maxValues      = 400_000
	maxMembers     = 4096 // of one object
	maxTextBytes   = 65_536
	maxNumberBytes = 64
)

// errJSON reports input that is not one JSON document within the bounds. Its
// message names a byte and a reason, never a value.
var errJSON = errors.New("not JSON within the limits")

// parse reads one JSON document. It accepts what RFC 8259 does, except
// repeated names, lone surrogates, invalid UTF-8 and what exceeds the bounds.
func parse(in []byte) (*value, error) { return parseTo(maxDepth, in) }

// parseTo reads one JSON document of at most so many levels.
func parseTo(depth int, in []byte) (*value, error) {
	p := parser{in: in, depth: depth}
	if !utf8.Valid(in) {
		return nil, fmt.Errorf("%w: not UTF-8", errJSON)
	}
	p.space()
	v := p.value(0)
	p.space()
	if p.err == nil && p.pos != len(in) {
		p.fail("more follows the document")
	}
	if p.err != nil {
		return nil, p.err
	}
	return v, nil
}

// A parser reads a document from front to back. The first error sticks.
type parser struct {
	in     []byte
	pos    int
	depth  int // levels allowed
	values int
	err    error
}

func (p *parser) fail(why string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: byte %d: %s", errJSON, p.pos, why)
	}
}

func (p *parser) space() {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t', '\r', '\n':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, or 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

// accept steps over c if it comes next.
func (p *parser) accept(c byte) bool {
	if p.peek() != c || p.pos == len(p.in) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) value(depth int) *value {
	p.values++
	switch {
	case p.err != nil:
		return nil
	case depth > p.depth:
		p.fail(fmt.Sprintf("deeper than %d levels", p.depth))
		return nil
	case p.values > maxValues:
		p.fail(fmt.Sprintf("more than %d values", maxValues))
		return nil
	case p.pos == len(p.in):
		p.fail("the document ends early")
		return nil
	}
	switch c := p.in[p.pos]; {
	case c == '{':
		return p.object(depth)
	case c == '[':
		return p.array(depth)
	case c == '"':
		return &value{kind: text, text: p.string()}
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	return p.literal()
}

func (p *parser) object(depth int) *value {
	v := newObject()
	seen := map[string]bool{}
	p.pos++
	p.space()
	if p.accept('}') {
		return v
	}
	for p.err == nil {
		p.space()
		if p.peek() != '"' {
			p.fail("a name is missing")
			break
		}
		name := p.string()
		if seen[name] {
			p.fail("a name occurs twice in one object")
		}
		seen[name] = true
		p.space()
		if !p.accept(':') {
			p.fail("a colon is missing")
		}
		p.space()
		v.names = append(v.names, name)
		v.items = append(v.items, p.value(depth+1))
		if len(v.names) > maxMembers {
			p.fail(fmt.Sprintf("more than %d members", maxMembers))
		}
		p.space()
		if p.accept('}') {
			return v
		}
		p.comma()
	}
	return v
}

func (p *parser) array(depth int) *value {
	v := &value{kind: array}
	p.pos++
	p.space()
	if p.accept(']') {
		return v
	}
	for p.err == nil {
		p.space()
		v.items = append(v.items, p.value(depth+1))
		p.space()
		if p.accept(']') {
			return v
		}
		p.comma()
	}
	return v
}

func (p *parser) comma() {
	if p.err == nil && !p.accept(',') {
		p.fail("a comma or the end of an object or array is missing")
	}
}

func (p *parser) number() *value {
	start := p.pos
	for p.pos < len(p.in) && isNumberByte(p.in[p.pos]) && p.pos-start <= maxNumberBytes {
		p.pos++
	}
	s := string(p.in[start:p.pos])
	if !validNumber(s) {
		p.fail("a malformed or overlong number")
	}
	return &value{kind: number, text: s}
}

func isNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func (p *parser) literal() *value {
	for _, word := range []string{"true", "false", "null"} {
		if end := p.pos + len(word); end <= len(p.in) && string(p.in[p.pos:end]) == word {
			p.pos = end
			return &value{kind: literal, text: word}
		}
	}
	p.fail("no value")
	return nil
}

// string reads a string from its opening quote on.
func (p *parser) string() string {
	p.pos++
	var b []byte
	for p.err == nil {
		if p.pos == len(p.in) {
			p.fail("a string does not end")
			break
		}
		c := p.in[p.pos]
		p.pos++
		switch {
		case c == '"':
			return string(b)
		case c == '\\':
			b = p.escape(b)
		case c < 0x20:
			p.fail("a control character in a string")
		default:
			b = append(b, c)
		}
		if len(b) > maxTextBytes {
			p.fail(fmt.Sprintf("a string of more than %d bytes", maxTextBytes))
		}
	}
	return ""
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape(b []byte) []byte {
	c := p.peek()
	p.pos = min(p.pos+1, len(p.in))
	if plain, ok := escapes[c]; ok {
		return append(b, plain)
	}
	if c != 'u' {
		p.fail("an unknown escape")
		return b
	}
	r := p.hex4()
	if utf16.IsSurrogate(r) {
		var low rune
		if p.accept('\\') && p.accept('u') {
			low = p.hex4()
		}
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			p.fail("half of a surrogate pair")
		}
	}
	return utf8.AppendRune(b, r)
}

func (p *parser) hex4() rune {
	var r rune
	for range 4 {
		c := p.peek()
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			p.fail("a malformed \\u escape")
			return 0
		}
		p.pos++
	}
	return r
}
