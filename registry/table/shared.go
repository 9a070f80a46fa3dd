package table

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/raresync/raresync/registry/rule"
)

// shared are the texts that the cells of a workbook refer to by number: one
// after the other, with the end of each.
type shared struct {
	texts string
	ends  []uint32
}

// text returns the text of a number.
func (t *shared) text(n int) (string, bool) {
	if n < 0 || n >= len(t.ends) {
		return "", false
	}
	from := uint32(0)
	if n > 0 {
		from = t.ends[n-1]
	}
	return t.texts[from:t.ends[n]], true
}

func (t *shared) read(a *archive, part string, most int) error {
	from, err := a.part(part)
	if err != nil {
		return err
	}
	defer from.Close()
	s := newScanner(from)
	var all []byte
	for {
		err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && s.kind == tokenStart && string(s.name) == "si" {
			begin := len(all)
			if all, err = richText(s, all, most); err == nil {
				all = unescapeCell(all, begin)
				t.ends = append(t.ends, uint32(len(all)))
			}
		}
		if err != nil {
			return a.damaged(part, err)
		}
		if len(all) > most || len(t.ends) > most/16 {
			return rule.Refuse("FM005", a.name, tooMany("bytes of texts", most))
		}
	}
	if !utf8.Valid(all) {
		return rule.Refuse("FM001", a.name, "texts that are not UTF-8")
	}
	t.texts = string(all)
	return nil
}

// richText adds the text within the element that was opened last: its own, and
// that of its runs, but not how it is read aloud. It ends beyond so many bytes.
func richText(s *scanner, out []byte, most int) ([]byte, error) {
	inText := false
	for depth := 1; depth > 0; {
		if err := s.next(); err != nil {
			return out, err
		}
		switch s.kind {
		case tokenStart:
			if string(s.name) == "rPh" {
				if err := s.skip(); err != nil {
					return out, err
				}
				continue
			}
			depth++
			inText = string(s.name) == "t"
		case tokenEnd:
			depth--
			inText = false
		case tokenText:
			if inText {
				var err error
				if out, err = s.appendText(out); err != nil {
					return out, err
				}
				if len(out) > most {
					return out, errLong
				}
			}
		}
	}
	return out, nil
}

// errLong reports a text beyond a limit.
var errLong = errors.New("text too long")

// unescapeCell replaces, from begin on, what a workbook writes for characters
// that XML does not allow: _x000D_ for a carriage return.
func unescapeCell(text []byte, begin int) []byte {
	if !bytes.Contains(text[begin:], []byte("_x")) {
		return text
	}
	rest := append([]byte(nil), text[begin:]...)
	text = text[:begin]
	for len(rest) > 0 {
		if len(rest) >= 7 && rest[0] == '_' && rest[1] == 'x' && rest[6] == '_' {
			if n, err := strconv.ParseUint(string(rest[2:6]), 16, 16); err == nil && utf8.ValidRune(rune(n)) {
				if n != 0 {
					text = utf8.AppendRune(text, rune(n))
				}
				rest = rest[7:]
				continue
			}
		}
		text, rest = append(text, rest[0]), rest[1:]
	}
	return text
}
