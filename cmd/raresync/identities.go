package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/identity"
)

// identities are the documents of patients by file and subject id. They come
// from a file and never from arguments, which other users of the machine see.
type identities map[string]map[string]admin.Document

var identitiesFlag = &cli.StringFlag{
	Name:  "identities",
	Usage: "`CSV` with the patients' documents: file,subject,type,issuer,value",
}

var identityColumns = []string{"file", "subject", "type", "issuer", "value"}

const (
	maxIdentityBytes = 64 << 20
	maxIdentityRows  = 1_000_000
)

// readIdentities reads the file named by --identities, if any. Errors name
// lines and never values.
func readIdentities(c *cli.Context) (identities, error) {
	path := c.String(identitiesFlag.Name)
	if path == "" {
		return nil, nil
	}
	ids, err := parseIdentityFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("identities: %w", err)
	}
	if err != nil {
		return nil, coded{exitInvalid, fmt.Errorf("identities %s: %w", path, err)}
	}
	return ids, nil
}

func parseIdentityFile(path string) (identities, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxIdentityBytes+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxIdentityBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxIdentityBytes)
	}
	return parseIdentities(bytes.TrimPrefix(raw, []byte("\ufeff")))
}

func parseIdentities(raw []byte) (identities, error) {
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = len(identityColumns)
	r.ReuseRecord = true
	ids := identities{}
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

func (ids identities) add(fields []string) error {
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

// of returns the documents for a file, which the rows name by the path given
// to the command or by the file's name alone.
func (ids identities) of(path string) map[string]admin.Document {
	if docs := ids[path]; docs != nil {
		return docs
	}
	return ids[filepath.Base(path)]
}

// check reports rows for files that are not among those given, or in an archive
// of them: a slip in a name would submit the patients under weak identities.
func (ids identities) check(files []string, members func(string) []string) error {
	known := map[string]bool{}
	for _, f := range files {
		known[f], known[filepath.Base(f)] = true, true
		if len(ids) == 0 || !strings.EqualFold(filepath.Ext(f), ".zip") {
			continue
		}
		for _, member := range members(f) {
			known[member], known[filepath.Base(member)] = true, true
		}
	}
	for name := range ids {
		if !known[name] {
			return coded{exitInvalid, fmt.Errorf("identities: a row is for %s, which is not among the files", name)}
		}
	}
	return nil
}

// documentOf returns a patient's document, or the subject id as a record
// number that only this hospital understands: as the daemon will do it.
func documentOf(docs map[string]admin.Document, subject string) identity.Document {
	if d, ok := docs[subject]; ok {
		return identity.Document{Type: identity.Type(d.Type), Issuer: d.Issuer, Value: d.Value}
	}
	return identity.Document{Type: identity.LOCAL, Value: subject}
}
