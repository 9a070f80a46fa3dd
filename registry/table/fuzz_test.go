package table

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What opens gives rows whose numbers grow, whose cells are UTF-8 within the
// limits, and nothing makes it fall over.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("\xff\xfea\x00\t\x00b\x00\n\x00"))
	f.Add([]byte("\xd0\xd5\xc3\xfb,\xb2\xa1\n1,\x812\x814\n"))
	f.Add(workbookOf(sheetOf(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>44931</v></c></row>`)))
	f.Add(workbookOf(sheetOf(`<row><c t="inlineStr"><is><r><t>a</t></r><rPh><t>b</t></rPh></is></c><c t="e"/></row>`)))
	limits := Limits{Bytes: 1 << 20, UnpackedBytes: 1 << 20, Rows: 1000, Columns: 64, CellBytes: 1000, SharedBytes: 1 << 16}
	f.Fuzz(func(t *testing.T, raw []byte) {
		book, err := Open("f", raw, limits)
		if err != nil {
			if code := refusedBy(err); !slices.Contains([]string{"FM001", "FM005", "FM007"}, code) {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		for _, s := range book.Sheets() {
			rows, err := s.Rows()
			if err != nil {
				continue
			}
			last := 0
			for row := range rows.All() {
				if row.Number <= last || row.Number > 1000 || len(row.Cells) > 64 {
					t.Fatalf("row %d behind row %d, of %d cells", row.Number, last, len(row.Cells))
				}
				last = row.Number
				for _, c := range row.Cells {
					if !utf8.ValidString(c.Text) || len(c.Text) > 1000 {
						t.Fatalf("row %d: a cell that is no text", last)
					}
				}
			}
			if err := rows.Err(); err != nil && !slices.Contains([]string{"FM001", "FM005", "FM007"}, refusedBy(err)) {
				t.Fatalf("an error that is no refusal: %v", err)
			}
		}
	})
}

// What the standard library's parser reads whole, the scanner reads alike.
func FuzzScannerReadsAsTheStandardLibrary(f *testing.F) {
	for _, seed := range []string{
		`<a b="1>2" c='"'>x&amp;&#65;<!-- > --><d/><![CDATA[<&]]></a>`, `<?xml version="1.0" encoding="UTF-8"?><x:a xmlns:x="u"><x:b/></x:a>`,
		"<a>\r\n</a>", `<a b='&lt;'/>`, `<a><b></a></b>`, `<!DOCTYPE a><a/>`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, ok := standard(text)
		if !ok {
			return
		}
		got, err := scanned(text)
		if err != nil {
			t.Fatalf("%q: %v, where the library reads %q", text, err, want)
		}
		if got != want {
			t.Fatalf("%q:\n%q\nthe library reads\n%q", text, got, want)
		}
	})
}

// standard writes down what the library reads; ok is false for what it refuses
// and for what no workbook holds.
func standard(text string) (out string, ok bool) {
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\x00") {
		return "", false
	}
	d := xml.NewDecoder(strings.NewReader(text))
	depth := 0
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return out, depth == 0
		}
		if err != nil {
			return "", false
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxXMLDepth || strings.Contains(token.Name.Local, ":") {
				return "", false
			}
			out += "<" + token.Name.Local + ">"
		case xml.EndElement:
			if depth--; depth < 0 || strings.Contains(token.Name.Local, ":") {
				return "", false
			}
			out += "</" + token.Name.Local + ">"
		case xml.CharData:
			if depth > 0 {
				out += string(token)
			} else if strings.TrimSpace(string(token)) != "" {
				return "", false
			}
		case xml.Directive:
			return "", false
		case xml.ProcInst:
			if depth > 0 || strings.Contains(strings.ToLower(string(token.Inst)), "encoding") {
				return "", false
			}
		}
	}
}

func scanned(text string) (out string, err error) {
	s := newScanner(strings.NewReader(text))
	for {
		if err := s.next(); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return "", err
		}
		switch s.kind {
		case tokenStart:
			out += "<" + string(s.name) + ">"
		case tokenEnd:
			out += "</" + string(s.name) + ">"
		case tokenText:
			raw, err := s.appendText(nil)
			if err != nil {
				return "", err
			}
			out += string(raw)
		}
	}
}
