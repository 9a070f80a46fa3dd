package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/identity"
)

// documentsFlag names a file of documents. Numbers are never arguments or
// variables of the environment: other users of the machine see those.
var documentsFlag = &cli.StringFlag{
	Name:        "documents",
	DefaultText: "ask on the terminal",
	Usage:       "read the documents from `FILE`, a CSV with the heading type,issuer,value; - is standard input",
}

var (
	errNoRecord   = errors.New("nobody can be asked for a record number: standard input is no terminal")
	errNoTerminal = errors.New("nobody can be asked: standard input is no terminal")
	errTypedApart = errors.New("the two numbers typed differ")
)

// documentColumns are those of a file of documents.
var documentColumns = []string{"type", "issuer", "value"}

// maxDocumentFile bounds a file of a few documents.
const maxDocumentFile = 64 << 10

// documents returns as many documents as there are questions, from --documents
// or from the person at the terminal. Errors never contain a number.
func documents(c *cli.Context, lang string, which ...text) ([]admin.Document, error) {
	if path := c.String(documentsFlag.Name); path != "" {
		docs, err := documentFile(c, path, len(which))
		if err != nil {
			return nil, fmt.Errorf("documents: %w", err)
		}
		return docs, nil
	}
	asker, ok := term.NewAsker(c.App.Reader, c.App.ErrWriter)
	if !ok {
		return nil, coded{exitUsage, errNoTerminal}
	}
	docs := make([]admin.Document, len(which))
	for i, w := range which {
		var err error
		if docs[i], err = askDocument(c, asker, w.in(lang), lang); err != nil {
			return nil, err
		}
	}
	return docs, nil
}

// text is said in both languages.
type text struct{ en, zh string }

func (t text) in(lang string) string {
	if lang == "zh" {
		return t.zh
	}
	return t.en
}

var documentTypes = []identity.Type{
	identity.RIC, identity.HKM, identity.TWP, identity.FPR17, identity.PP, identity.BC, identity.LOCAL,
}

// askDocument asks for one document. A number that has no check digit is typed
// twice: mistyped, it would be somebody else's, or nobody's.
func askDocument(c *cli.Context, asker *term.Asker, which, lang string) (d admin.Document, err error) {
	names := make([]string, len(documentTypes))
	for i, t := range documentTypes {
		names[i] = string(t)
	}
	question := text{"%s: type (%s):", "%s：证件类型（%s）："}.in(lang)
	if d.Type, err = asker.Line(c.Context, fmt.Sprintf(question, which, strings.Join(names, ", "))); err != nil {
		return d, err
	}
	if d.Type = strings.ToUpper(d.Type); !slices.Contains(names, d.Type) {
		return d, usagef("the type is one of %s", strings.Join(names, ", "))
	}
	switch identity.Type(d.Type) {
	case identity.PP:
		d.Issuer, err = asker.Line(c.Context, text{"Country in three letters, as FRA:", "签发国（三个字母，如 FRA）："}.in(lang))
	case identity.LOCAL:
		d.Issuer, err = asker.Line(c.Context, text{"Number series, or nothing:", "号码系列（没有则留空）："}.in(lang))
	}
	if err != nil {
		return d, err
	}
	if d.Value, err = asker.Hidden(c.Context, text{"Number (not shown):", "号码（不显示）："}.in(lang)); err != nil {
		return d, err
	}
	if identity.Type(d.Type) == identity.RIC {
		return d, nil
	}
	again, err := asker.Hidden(c.Context, text{"The number once more:", "请再输入一次号码："}.in(lang))
	if err == nil && again != d.Value {
		err = coded{exitInvalid, errTypedApart}
	}
	return d, err
}

// documentFile reads a file of exactly n documents.
func documentFile(c *cli.Context, path string, n int) ([]admin.Document, error) {
	in := c.App.Reader
	if path != "-" {
		f, err := os.Open(path) // also a pipe, as /dev/fd/3
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxDocumentFile+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxDocumentFile {
		return nil, coded{exitInvalid, fmt.Errorf("larger than %d bytes", maxDocumentFile)}
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	r.FieldsPerRecord = len(documentColumns)
	rows, err := r.ReadAll()
	var at *csv.ParseError
	switch {
	case errors.As(err, &at):
		return nil, coded{exitInvalid, fmt.Errorf("line %d: %w", at.Line, at.Err)}
	case err != nil:
		return nil, err
	case len(rows) == 0 || !slices.Equal(rows[0], documentColumns):
		return nil, coded{exitInvalid, fmt.Errorf("line 1: want the heading %s", strings.Join(documentColumns, ","))}
	case len(rows) != n+1:
		return nil, coded{exitInvalid, fmt.Errorf("%d documents, want %d", len(rows)-1, n)}
	}
	docs := make([]admin.Document, n)
	for i, row := range rows[1:] {
		docs[i] = admin.Document{Type: row[0], Issuer: row[1], Value: row[2]}
	}
	return docs, nil
}
