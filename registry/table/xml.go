package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Bounds of one XML part beyond its size.
const (
	maxTokenBytes = 1 << 20 // of one tag, or of one stretch of text
	maxXMLDepth   = 64
)

// errXML reports a part that is not XML as this package reads it.
var errXML = errors.New("damaged XML")

// A token is what stands between two others in an XML part.
type token uint8

const (
	tokenText  token = iota
	tokenStart       // a tag that opens an element, or stands for an empty one
	tokenEnd         // one that closes it, also after a tag for an empty one
)

// A scanner reads the elements of an XML part: UTF-8, without a document type.
// What it gives is valid until the next call. It does not hold what closes an
// element against what opened it beyond their number, since a reader of tables
// looks for few elements and passes over the others.
type scanner struct {
	from     io.Reader
	buf      []byte
	pos, end int
	last     error // of from

	kind  token
	name  []byte // of an element, without its prefix
	attrs []byte
	text  []byte // of a tokenText, with entities as they stand
	plain bool   // the text stood in a CDATA section: it has no entities
	empty bool   // a tokenEnd is due for an empty element
	depth int
}

func newScanner(from io.Reader) *scanner {
	return &scanner{from: from, buf: make([]byte, 0, 64<<10)}
}

// more reads on, and gives the bytes from pos on a new place.
func (s *scanner) more() error {
	if s.last != nil {
		return s.last
	}
	if s.pos > 0 {
		s.end = copy(s.buf[:cap(s.buf)], s.buf[s.pos:s.end])
		s.pos = 0
	}
	if s.end == cap(s.buf) {
		if s.end > maxTokenBytes {
			return fmt.Errorf("%w: an element or text of more than %d bytes", errXML, maxTokenBytes)
		}
		s.buf = append(s.buf[:s.end], make([]byte, s.end)...)
	}
	s.buf = s.buf[:cap(s.buf)]
	n, err := s.from.Read(s.buf[s.end:])
	s.end += n
	if err != nil {
		s.last = err
	}
	if n > 0 || err == nil {
		return nil
	}
	return err
}

// until returns how far it is to a byte from pos+skip, reading on as needed; at
// the end of the part the error is io.EOF.
func (s *scanner) until(c byte, skip int) (int, error) {
	for {
		if s.pos+skip < s.end {
			if i := bytes.IndexByte(s.buf[s.pos+skip:s.end], c); i >= 0 {
				return skip + i, nil
			}
			skip = s.end - s.pos
		}
		if err := s.more(); err != nil {
			return 0, err
		}
	}
}

// next reads one token. io.EOF ends a part that is whole.
func (s *scanner) next() error {
	if s.empty {
		s.empty, s.kind = false, tokenEnd
		s.depth--
		return nil
	}
	for {
		n, err := s.until('<', 0)
		switch {
		case errors.Is(err, io.EOF):
			if s.depth != 0 || strings.TrimSpace(string(s.buf[s.pos:s.end])) != "" {
				return fmt.Errorf("%w: it ends early", errXML)
			}
			return io.EOF
		case err != nil:
			return err
		case n > 0:
			s.kind, s.text, s.plain = tokenText, s.buf[s.pos:s.pos+n], false
			s.pos += n
			if s.depth > 0 {
				return nil
			}
			continue
		}
		if found, err := s.markup(); err != nil || found {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("%w: it ends early", errXML)
			}
			return err
		}
	}
}

// markup reads what begins with '<'. found is false for what says nothing.
func (s *scanner) markup() (found bool, err error) {
	for s.end-s.pos < 2 {
		if err := s.more(); err != nil {
			return false, err
		}
	}
	switch s.buf[s.pos+1] {
	case '?':
		return false, s.instruction()
	case '!':
		return s.declaration()
	}
	n, err := s.tag()
	if err != nil {
		return false, err
	}
	inside := s.buf[s.pos+1 : s.pos+n]
	s.pos += n + 1
	return true, s.element(inside)
}

// tag returns how far it is to the '>' that ends a tag: not one within an
// attribute.
func (s *scanner) tag() (int, error) {
	from := 1
	for {
		n, err := s.until('>', from)
		if err != nil {
			return 0, err
		}
		inside := s.buf[s.pos+1 : s.pos+n]
		if bytes.IndexByte(inside, '\'') < 0 && bytes.Count(inside, []byte{'"'})%2 == 0 {
			return n, nil
		}
		if !quoted(inside) {
			return n, nil
		}
		from = n + 1
	}
}

// quoted reports whether a tag so far ends within an attribute's value.
func quoted(inside []byte) bool {
	var mark byte
	for _, c := range inside {
		switch {
		case mark == 0 && (c == '"' || c == '\''):
			mark = c
		case c == mark:
			mark = 0
		}
	}
	return mark != 0
}

func (s *scanner) element(inside []byte) error {
	s.kind = tokenStart
	switch {
	case len(inside) > 0 && inside[0] == '/':
		s.kind, inside = tokenEnd, inside[1:]
		s.depth--
	default:
		if s.depth++; s.depth > maxXMLDepth {
			return fmt.Errorf("%w: more than %d levels", errXML, maxXMLDepth)
		}
		if len(inside) > 0 && inside[len(inside)-1] == '/' {
			s.empty, inside = true, inside[:len(inside)-1]
		}
	}
	if s.depth < 0 {
		return fmt.Errorf("%w: an end without a beginning", errXML)
	}
	end := bytes.IndexAny(inside, " \t\r\n")
	if end < 0 {
		end = len(inside)
	}
	s.name, s.attrs = inside[:end], inside[end:]
	if len(s.name) == 0 {
		return fmt.Errorf("%w: an element without a name", errXML)
	}
	if i := bytes.IndexByte(s.name, ':'); i >= 0 {
		s.name = s.name[i+1:]
	}
	return nil
}

// instruction passes over "<?...?>", but for one that names another encoding.
func (s *scanner) instruction() error {
	for from := 2; ; {
		n, err := s.until('>', from)
		if err != nil {
			return err
		}
		if s.buf[s.pos+n-1] != '?' {
			from = n + 1
			continue
		}
		said := strings.ToLower(string(s.buf[s.pos : s.pos+n]))
		s.pos += n + 1
		if strings.HasPrefix(said, "<?xml ") && strings.Contains(said, "encoding") &&
			!strings.Contains(said, "utf-8") && !strings.Contains(said, "ascii") {
			return fmt.Errorf("%w: not UTF-8", errXML)
		}
		return nil
	}
}

// declaration passes over a comment and gives a CDATA section as text. A
// document type is refused: no table has one, and attacks do.
func (s *scanner) declaration() (found bool, err error) {
	for s.end-s.pos < 9 {
		if err := s.more(); err != nil {
			return false, err
		}
	}
	opening, closing := "<!--", "-->"
	if bytes.HasPrefix(s.buf[s.pos:], []byte("<![CDATA[")) {
		opening, closing, found = "<![CDATA[", "]]>", true
	}
	if !bytes.HasPrefix(s.buf[s.pos:], []byte(opening)) {
		return false, fmt.Errorf("%w: it declares a document type or entities", errXML)
	}
	for from := len(opening); ; {
		n, err := s.until('>', from)
		if err != nil {
			return false, err
		}
		if n+1 >= len(opening)+len(closing) && bytes.HasSuffix(s.buf[s.pos:s.pos+n+1], []byte(closing)) {
			s.kind, s.plain = tokenText, true
			s.text = s.buf[s.pos+len(opening) : s.pos+n+1-len(closing)]
			s.pos += n + 1
			return found && s.depth > 0, nil
		}
		from = n + 1
	}
}

// attr returns an attribute's value as it stands, by its name with its prefix;
// nil if there is none.
func (s *scanner) attr(name string) []byte {
	rest := s.attrs
	for {
		eq := bytes.IndexByte(rest, '=')
		if eq < 0 {
			return nil
		}
		key, value := bytes.TrimSpace(rest[:eq]), bytes.TrimLeft(rest[eq+1:], " \t\r\n")
		if len(value) == 0 || value[0] != '"' && value[0] != '\'' {
			return nil
		}
		end := bytes.IndexByte(value[1:], value[0])
		if end < 0 {
			return nil
		}
		if string(key) == name {
			return value[1 : 1+end]
		}
		rest = value[end+2:]
	}
}

// value returns an attribute as text, with its entities replaced.
func (s *scanner) value(name string) string {
	out, err := unescape(nil, s.attr(name))
	if err != nil || !utf8.Valid(out) {
		return ""
	}
	return string(out)
}

// appendText adds the text at hand, with its entities replaced.
func (s *scanner) appendText(out []byte) ([]byte, error) {
	if s.plain {
		return append(out, s.text...), nil
	}
	return unescape(out, s.text)
}

// skip passes over what is left of the element that was opened last.
func (s *scanner) skip() error {
	for depth := 1; depth > 0; {
		if err := s.next(); err != nil {
			return err
		}
		switch s.kind {
		case tokenStart:
			depth++
		case tokenEnd:
			depth--
		}
	}
	return nil
}

var entities = map[string]string{"amp": "&", "lt": "<", "gt": ">", "quot": `"`, "apos": "'"}

// unescape adds text to out with its entities replaced: the five that XML
// names, and numbers.
func unescape(out, text []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(text, '&')
		if i < 0 {
			return append(out, text...), nil
		}
		out = append(out, text[:i]...)
		end := bytes.IndexByte(text[i:min(len(text), i+12)], ';')
		if end < 0 {
			return nil, fmt.Errorf("%w: an entity without an end", errXML)
		}
		name := string(text[i+1 : i+end])
		text = text[i+end+1:]
		if known, ok := entities[name]; ok {
			out = append(out, known...)
			continue
		}
		r, ok := numbered(name)
		if !ok {
			return nil, fmt.Errorf("%w: an entity that XML does not name", errXML)
		}
		out = utf8.AppendRune(out, r)
	}
}

// numbered reads "#65" and "#x41".
func numbered(name string) (rune, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 21)
	r := rune(n)
	return r, ok && err == nil && r != 0 && utf8.ValidRune(r)
}
