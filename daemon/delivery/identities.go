package delivery

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/raresync/raresync/daemon/admin"
)

// Identities are the documents of patients by file and subject id. They come from a
// file and never from arguments, which other users of the machine see.
type Identities map[string]map[string]admin.Document

var identityColumns = []string{"file", "subject", "type", "issuer", "value"}

// Bounds of a file of identities.
const (
	MaxIdentityBytes = 64 << 20
	maxIdentityRows  = 1_000_000
)

// ParseIdentities reads a CSV with the heading file,subject,type,issuer,value.
// Errors name lines and never values.
func ParseIdentities(raw []byte) (Identities, error) {
	if len(raw) > MaxIdentityBytes {
		return nil, fmt.Errorf("larger than %d bytes", MaxIdentityBytes)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	r.FieldsPerRecord = len(identityColumns)
	r.ReuseRecord = true
	ids := Identities{}
	for row := 0; ; row++ {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return ids, nil
		}
		if err != nil {
			var at *csv.ParseError
			if errors.As(err, &at) {
				return nil, fmt.Errorf("line %d: %w", at.Line, at.Err)
			}
			return nil, err
		}
		at, _ := r.FieldPos(0)
		switch {
		case row == 0 && !slices.Equal(fields, identityColumns):
			return nil, fmt.Errorf("line 1: want the heading file,subject,type,issuer,value")
		case row == 0:
			continue
		case row > maxIdentityRows:
			return nil, fmt.Errorf("more than %d rows", maxIdentityRows)
		}
		if err := ids.add(fields); err != nil {
			return nil, fmt.Errorf("line %d: %w", at, err)
		}
	}
}

func (ids Identities) add(fields []string) error {
	file, subject := filepath.Clean(fields[0]), fields[1]
	if fields[0] == "" || subject == "" || fields[4] == "" {
		return errors.New("file, subject and value are needed")
	}
	if ids[file] == nil {
		ids[file] = map[string]admin.Document{}
	}
	if _, twice := ids[file][subject]; twice {
		return errors.New("this subject of this file has a document already")
	}
	ids[file][subject] = admin.Document{Type: fields[2], Issuer: fields[3], Value: fields[4]}
	return nil
}

// Of returns the documents for a file, which the rows name by the path given or by
// the file's name alone.
func (ids Identities) Of(path string) map[string]admin.Document {
	if docs := ids[path]; docs != nil {
		return docs
	}
	return ids[filepath.Base(path)]
}

// Stray returns the name of a file that a row names and that is not among some, or
// "": a slip in a name would submit the patients under weak identities.
func (ids Identities) Stray(files []string) string {
	known := map[string]bool{}
	for _, f := range files {
		known[f], known[filepath.Base(f)] = true, true
	}
	for name := range ids {
		if !known[name] {
			return name
		}
	}
	return ""
}
