package jsontree

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

func (p *parser) number() string {
	start := p.pos
	for p.pos < len(p.in) && isNumberByte(p.in[p.pos]) && p.pos-start <= maxNumberBytes {
		p.pos++
	}
	s := p.in[start:p.pos]
	if !ValidNumber(s) {
		p.fail("a malformed or overlong number")
	}
	return s
}

func isNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func (p *parser) literal() string {
	for _, word := range []string{"true", "false", "null"} {
		if end := p.pos + len(word); end <= len(p.in) && p.in[p.pos:end] == word {
			p.pos = end
			return word
		}
	}
	p.fail("no value")
	return ""
}

// string reads a string from its opening quote on.
func (p *parser) string() string {
	p.pos++
	start := p.pos
	for p.pos < len(p.in) && p.in[p.pos] != '"' && p.in[p.pos] != '\\' && p.in[p.pos] >= 0x20 {
		p.pos++
	}
	if p.accept('"') { // most texts have nothing to unescape
		if p.pos-1-start > p.limits.TextBytes {
			p.fail(fmt.Sprintf("a string of more than %d bytes", p.limits.TextBytes))
		}
		return p.in[start : p.pos-1]
	}
	b := []byte(p.in[start:p.pos])
	for p.err == nil {
		if p.pos == len(p.in) {
			p.fail("a string does not end")
			break
		}
		c := p.in[p.pos]
		p.pos++
		switch {
		case c == '"':
			if len(b) > p.limits.TextBytes {
				p.fail(fmt.Sprintf("a string of more than %d bytes", p.limits.TextBytes))
			}
			return string(b)
		case c == '\\':
			b = p.escape(b)
		case c < 0x20:
			p.fail("a control character in a string")
		default:
			b = append(b, c)
		}
		if len(b) > p.limits.TextBytes {
			p.fail(fmt.Sprintf("a string of more than %d bytes", p.limits.TextBytes))
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
