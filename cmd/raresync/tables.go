package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

var mappingFlag = &cli.StringFlag{
	Name:  "mapping",
	Usage: "how tables are read: `PROFILE` template, frontpage, rarelink, or a file of your own (default: the one that knows the headings)",
}

var rejectsFlag = &cli.StringFlag{
	Name:  "rejects",
	Usage: "write the refused rows of tables into `DIR`, to be mended and submitted again",
}

var withIDsFlag = &cli.BoolFlag{
	Name:  "with-ids",
	Usage: "with --rejects: leave document numbers, names and telephones in the rows",
}

// tableFlags are those of commands that read tables.
var tableFlags = []cli.Flag{mappingFlag, rejectsFlag, withIDsFlag}

// tables reads tables as the flags say.
type tables struct {
	profile *mapping.Profile // nil: the one that knows the headings
	rejects string           // folder; "" for none
	withIDs bool
	lang    string
}

func newTables(c *cli.Context, lang string) (*tables, error) {
	t := &tables{rejects: c.String(rejectsFlag.Name), withIDs: c.Bool(withIDsFlag.Name), lang: lang}
	if t.withIDs && t.rejects == "" {
		return nil, usagef("--with-ids is for --rejects")
	}
	var err error
	if name := c.String(mappingFlag.Name); name != "" {
		t.profile, err = readProfile(name)
	}
	return t, err
}

// readProfile returns a shipped profile, or reads one from a file.
func readProfile(name string) (*mapping.Profile, error) {
	if p, ok := mapping.ShippedProfile(name); ok {
		return p, nil
	}
	raw, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./\\"):
		return nil, usagef("--mapping %q: want template, frontpage, rarelink, or a file", name)
	case err != nil:
		return nil, fmt.Errorf("mapping: %w", err)
	}
	p, err := mapping.Parse(name, string(raw))
	if err != nil {
		return nil, coded{exitInvalid, fmt.Errorf("mapping %s: %w", name, err)}
	}
	return p, nil
}

// open opens a table as the flags say.
func (t *tables) open(path string, raw []byte) (*delivery.Table, error) {
	return delivery.Open(path, raw, t.profile)
}

// table returns what the rules find in a table, in words, and counts its
// patients.
func (v *validator) table(path string, raw []byte) ([]delivery.Finding, error) {
	opened, err := v.tables.open(path, raw)
	if findings, ok := delivery.RefusalsOf(err); ok {
		v.count(true)
		return delivery.Explain(path, findings, v.lang), nil
	}
	var rows []delivery.Finding
	reader := opened.Profile.Reader(path, opened.Book)
	rejects := delivery.NewRejects(opened)
	before, refused := v.accepted, v.refused
	var people []validate.Patient
	var whose []mapping.Patient
	for p := range reader.All() {
		v.people = nil
		findings, err := v.patient(p)
		if err != nil {
			return nil, err
		}
		bad := mapping.Refuses(findings)
		v.count(bad)
		if bad {
			rejects.Add(p, findings)
		}
		rows = append(rows, delivery.ExplainCells(path, findings, v.lang)...)
		if p.Packet = nil; len(v.people) == 1 {
			people, whose = append(people, v.people[0]), append(whose, p)
		}
	}
	for _, i := range validate.Alike(people) {
		found := delivery.Placed(whose[i], "", []rule.Finding{{Code: alike.Code, Severity: alike.Severity, Where: "$.subject.dateOfBirth"}})
		rows = append(rows, delivery.ExplainCells(path, found, v.lang)...)
	}
	rows = append(rows, delivery.ExplainCells(path, reader.Findings, v.lang)...)
	if findings, ok := delivery.RefusalsOf(reader.Err()); ok || mapping.Refuses(reader.Findings) {
		v.count(true)
		rows = append(rows, delivery.Explain(path, findings, v.lang)...)
	}
	v.screen.Note(opened.About(v.lang, reader.Counts, v.accepted-before, v.refused-refused, true))
	return rows, v.tables.writeRejects(path, rejects, v.screen)
}

// patient returns what the rules find in the rows of one patient.
func (v *validator) patient(p mapping.Patient) ([]mapping.Finding, error) {
	packets, err := readPacket(p)
	findings, ok := delivery.RefusalsOf(err)
	switch {
	case ok || err != nil:
	case p.Document.Value == "":
		findings, err = v.packet(packets[0], documentOf(nil, p.Subject))
	default:
		findings, err = v.packet(packets[0], p.Document)
	}
	if err != nil && !ok {
		return nil, err
	}
	return delivery.Merged(append(p.Findings, delivery.Placed(p, "", findings)...)), nil
}
