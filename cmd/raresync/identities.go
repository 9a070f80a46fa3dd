package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/identity"
)

// identities are those of --identities.
type identities struct{ delivery.Identities }

var identitiesFlag = &cli.StringFlag{
	Name:  "identities",
	Usage: "`CSV` with the patients' documents: file,subject,type,issuer,value",
}

// readIdentities reads the file named by --identities, if any. Errors name
// lines and never values.
func readIdentities(c *cli.Context) (identities, error) {
	path := c.String(identitiesFlag.Name)
	if path == "" {
		return identities{}, nil
	}
	ids, err := parseIdentityFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return identities{}, fmt.Errorf("identities: %w", err)
	}
	if err != nil {
		return identities{}, coded{exitInvalid, fmt.Errorf("identities %s: %w", path, err)}
	}
	return identities{ids}, nil
}

func parseIdentityFile(path string) (delivery.Identities, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, delivery.MaxIdentityBytes+1))
	if err != nil {
		return nil, err
	}
	return delivery.ParseIdentities(raw)
}

// check reports rows for files that are not among those given, or in an archive
// of them.
func (ids identities) check(files []string, members func(string) []string) error {
	known := files
	for _, f := range files {
		if len(ids.Identities) > 0 && strings.EqualFold(filepath.Ext(f), ".zip") {
			known = append(known[:len(known):len(known)], members(f)...)
		}
	}
	if name := ids.Stray(known); name != "" {
		return coded{exitInvalid, fmt.Errorf("identities: a row is for %s, which is not among the files", name)}
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
