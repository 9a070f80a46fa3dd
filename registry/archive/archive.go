package archive

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"path"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// MaxBytes is the largest archive that Open takes with the default limits.
const MaxBytes = 64 << 20

// Limits bound what an archive may hold. A field of zero is its default.
type Limits struct {
	Bytes     int // of the archive; default MaxBytes
	Files     int // in it, folders included; default 20,000
	FileBytes int // of one file, unpacked; default 64 MiB
	Unpacked  int // bytes of all files together; default 512 MiB
	Ratio     int // how much larger than packed a file of over a MiB may be; default 400
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Bytes, MaxBytes}, {&l.Files, 20_000}, {&l.FileBytes, 64 << 20}, {&l.Unpacked, 512 << 20}, {&l.Ratio, 400}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// magic begins an archive, and each file in it.
const magic = "PK\x03\x04"

// Is reports whether raw begins as an archive does.
func Is(raw []byte) bool { return bytes.HasPrefix(raw, []byte(magic)) }

// An Archive is an opened archive. It keeps the bytes it was opened with.
type Archive struct {
	name   string
	limits Limits
	files  []*zip.File
	err    error
}

// A File is one file of an archive.
type File struct {
	Name string // with its folders in the archive
	Data []byte
}

// Open reads the list of an archive. name is the archive's name as it may appear
// in findings. The error is a *rule.Refusal: FM005 above a limit, FM009 for an
// archive that is damaged or holds what is not taken in.
func Open(name string, raw []byte, limits Limits) (*Archive, error) {
	a := &Archive{name: name, limits: limits.orDefault()}
	if len(raw) > a.limits.Bytes {
		return nil, rule.Refuse("FM005", name, fmt.Sprintf("file larger than %d bytes", a.limits.Bytes))
	}
	if bytes.Count(raw, []byte("PK\x01\x02")) > a.limits.Files { // the standard library's reader takes any number
		return nil, rule.Refuse("FM005", name, fmt.Sprintf("more than %d files in the archive", a.limits.Files))
	}
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, rule.Refuse("FM009", name, "a damaged archive: was it copied completely?")
	}
	seen := map[string]bool{}
	for i, f := range r.File {
		if bad := unwelcome(f); bad != "" {
			return nil, rule.Refuse("FM009", fmt.Sprintf("%s file %d", name, i+1), bad)
		}
		if seen[f.Name] {
			return nil, rule.Refuse("FM009", fmt.Sprintf("%s file %d", name, i+1), "a second file of this name")
		}
		seen[f.Name] = true
		if !f.FileInfo().IsDir() && !leftOver(f.Name) {
			a.files = append(a.files, f)
		}
	}
	return a, nil
}

// unwelcome says why an archive with this file is not taken.
func unwelcome(f *zip.File) string {
	mode := f.Mode()
	switch {
	case f.Flags&1 != 0:
		return "a password"
	case mode&fs.ModeType != 0 && !mode.IsDir():
		return "a link or a device"
	case !fs.ValidPath(strings.TrimSuffix(f.Name, "/")) || strings.ContainsAny(f.Name, "\\:\x00"):
		return "a name that leads out of the archive"
	}
	return ""
}

// leftOver reports whether a file is what desktops put into archives by
// themselves.
func leftOver(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.HasPrefix(name, "__MACOSX/") || base == ".ds_store" || base == "thumbs.db" || base == "desktop.ini"
}

// Names are the names of the files, in their order.
func (a *Archive) Names() (names []string) {
	for _, f := range a.files {
		names = append(names, f.Name)
	}
	return names
}

// Files gives the files in their order. What ended it early is in Err.
func (a *Archive) Files() iter.Seq[File] {
	return func(yield func(File) bool) {
		left := a.limits.Unpacked
		for i, f := range a.files {
			data, err := a.unpack(f, &left)
			var refused *rule.Refusal
			switch {
			case errors.As(err, &refused):
				a.err = err
			case err != nil:
				a.err = rule.Refuse("FM009", fmt.Sprintf("%s file %d", a.name, i+1), "damaged, or packed in an unknown way")
			}
			if a.err != nil || !yield(File{f.Name, data}) {
				return
			}
		}
	}
}

// Err returns what ended Files early: a *rule.Refusal.
func (a *Archive) Err() error { return a.err }

// unpack reads a file, no further than the limits.
func (a *Archive) unpack(f *zip.File, left *int) ([]byte, error) {
	size := f.UncompressedSize64
	if size > 1<<20 && size/uint64(a.limits.Ratio) > f.CompressedSize64 {
		return nil, rule.Refuse("FM005", a.name, fmt.Sprintf("a file that unpacks to more than %d times its size", a.limits.Ratio))
	}
	most := min(a.limits.FileBytes, *left)
	if size > uint64(most) {
		return nil, rule.Refuse("FM005", a.name, "a file that unpacks to more than the limit")
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > most:
		return nil, rule.Refuse("FM005", a.name, "a file that unpacks to more than the limit")
	case Is(data):
		return nil, rule.Refuse("FM009", a.name, "an archive within the archive")
	}
	*left -= len(data)
	return data, nil
}
