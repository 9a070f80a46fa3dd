package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// Bounds of an archive beyond its size.
const (
	maxParts = 10_000
	// maxSmallBytes bounds the parts that are read before any row: the list of
	// sheets, where the parts are, formats.
	maxSmallBytes = 8 << 20
)

// An archive is an XLSX file as a list of parts.
type archive struct {
	name  string
	parts map[string]*zip.File
	ratio uint64
	left  int64 // bytes that may still be unpacked
}

// openArchive looks at the list of an archive before it is taken into memory:
// the reader of the standard library takes any number of entries.
func openArchive(name string, raw []byte, limits Limits) (*archive, error) {
	if bytes.Count(raw, []byte("PK\x01\x02")) > maxParts {
		return nil, rule.Refuse("FM005", name, tooMany("parts in the archive", maxParts))
	}
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, rule.Refuse("FM007", name, "a damaged archive: was it copied completely?")
	}
	a := &archive{name: name, parts: map[string]*zip.File{}, ratio: uint64(limits.Ratio), left: limits.UnpackedBytes}
	for _, f := range r.File {
		if _, twice := a.parts[f.Name]; twice {
			return nil, rule.Refuse("FM007", name, "an archive with two parts of one name")
		}
		if f.Flags&1 != 0 {
			return nil, rule.Refuse("FM007", name, "a workbook with a password: save it without one")
		}
		a.parts[f.Name] = f
	}
	if a.parts["[Content_Types].xml"] == nil {
		return nil, rule.Refuse("FM007", name, "an archive that is no .xlsx workbook: unpack it first")
	}
	return a, nil
}

// part opens a part to be read as a stream.
func (a *archive) part(name string) (io.ReadCloser, error) {
	f := a.parts[name]
	if f == nil {
		return nil, rule.Refuse("FM007", a.name, "a workbook without its part "+printable(name))
	}
	if f.UncompressedSize64 > 1<<20 && f.UncompressedSize64/a.ratio > f.CompressedSize64 {
		return nil, rule.Refuse("FM005", a.name, fmt.Sprintf("a part that unpacks to more than %d times its size", a.ratio))
	}
	if a.left >= 0 && f.UncompressedSize64 > uint64(a.left) {
		return nil, rule.Refuse("FM005", a.name, "a workbook that unpacks to more than the limit")
	}
	r, err := f.Open()
	if err != nil {
		return nil, rule.Refuse("FM007", a.name, "a part that is packed in an unknown way")
	}
	return &counted{r, a}, nil
}

// counted takes what it reads off what may be unpacked.
type counted struct {
	io.ReadCloser
	of *archive
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.of.left -= int64(n); c.of.left < 0 {
		return n, rule.Refuse("FM005", c.of.name, "a workbook that unpacks to more than the limit")
	}
	return n, err
}

// scan reads a part, calling see at the beginning of each element.
func (a *archive) scan(name string, see func(*scanner) error) error {
	from, err := a.part(name)
	if err != nil {
		return err
	}
	s := newScanner(io.LimitReader(from, maxSmallBytes))
	for err == nil {
		if err = s.next(); err == nil && s.kind == tokenStart {
			err = see(s)
		}
	}
	if closing := from.Close(); errors.Is(err, io.EOF) {
		err = closing
	}
	if err != nil {
		return a.damaged(name, err)
	}
	return nil
}

// damaged turns what went wrong in a part into a refusal.
func (a *archive) damaged(part string, err error) error {
	var refused *rule.Refusal
	if errors.As(err, &refused) {
		return refused
	}
	if errors.Is(err, errLong) {
		return rule.Refuse("FM005", a.name, printable(part)+": a text beyond the limit")
	}
	detail := "damaged"
	if errors.Is(err, errXML) {
		detail = err.Error()
	}
	return rule.Refuse("FM007", a.name, printable(part)+": "+detail)
}

// related reads which parts a part refers to: by id, and by the last word of
// their type.
func (a *archive) related(part string) (byID, byType map[string]string, err error) {
	byID, byType = map[string]string{}, map[string]string{}
	dir := path.Dir(part)
	list := path.Join(dir, "_rels", path.Base(part)+".rels")
	if part == "" {
		dir, list = "", "_rels/.rels"
	}
	err = a.scan(list, func(s *scanner) error {
		if string(s.name) != "Relationship" || s.value("TargetMode") == "External" {
			return nil // what lies outside is never looked for
		}
		target := s.value("Target")
		if rooted, ok := strings.CutPrefix(target, "/"); ok {
			target = rooted
		} else {
			target = path.Join(dir, target)
		}
		byID[s.value("Id")] = target
		byType[path.Base(s.value("Type"))] = target
		return nil
	})
	return byID, byType, err
}

// printable keeps a name from the file to what may be shown.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(name, "?"))
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "..."
	}
	return name
}
