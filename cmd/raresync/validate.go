package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

var profileFlag = &cli.StringFlag{
	Name:  "profile",
	Usage: "what files must fill in: `PROFILE` report, cohort or published (default: the configuration's, else by content)",
}

func validateCommand() *cli.Command {
	return &cli.Command{
		Name:      "validate",
		Usage:     "check files without sending anything",
		ArgsUsage: "FILE|DIR...",
		Description: "Reads phenopackets, FHIR R4 (JSON, NDJSON), tables (CSV, TSV, XLSX) and archives (ZIP) as submit\n" +
			"would and lists what the rules find in them. E refuses the file, the row of a table or the patient\n" +
			"of FHIR, W flags it, Q opens a query, I informs. Needs no daemon; with --preview the daemon of this\n" +
			"node is asked, and nothing leaves the hospital. Exit code 3: some would be refused, 7: all of them.",
		Flags: append([]cli.Flag{profileFlag, identitiesFlag, editionFlag(),
			&cli.BoolFlag{Name: "preview", Usage: "say as well what would be new, changed, linked to a known patient, or known"},
		}, tableFlags...),
		Action: validateFiles,
	}
}

func validateFiles(c *cli.Context) error {
	args, err := arguments(c, 1, -1)
	if err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	v, err := newValidator(c)
	if err != nil {
		return err
	}
	files, err := collect(args, c.String(identitiesFlag.Name), c.String(mappingFlag.Name))
	if err != nil {
		return err
	}
	if err := v.documents.check(files, members); err != nil {
		return err
	}
	var rows []delivery.Finding
	for _, path := range files {
		if err := c.Context.Err(); err != nil {
			return fmt.Errorf("validate: %w", err)
		}
		found, err := v.file(c.Context, path)
		if err != nil {
			return fmt.Errorf("validate %s: %w", path, err)
		}
		rows = append(rows, found...)
	}
	if len(rows) > 0 || !isTable(c) {
		if err := term.Print(out, rows, "file", "path", "rule", "severity", "what", "detail", "todo"); err != nil {
			return err
		}
	}
	v.screen.Note(voice{v.lang}.say("checked %d: %d would be accepted, %d refused", "已检查 %d：将接受 %d，拒绝 %d", v.accepted+v.refused, v.accepted, v.refused))
	if f := v.foreseen; f != nil {
		v.screen.Note(voice{v.lang}.say("of the patients: %d new here, %d sent before with other content, %d known here with something new, %d with nothing new",
			"其中患者：本院首次 %d，此前以不同内容上报 %d，已知患者的新内容 %d，无新内容 %d", f.Added, f.Changed, f.Linked, f.Known))
	}
	return verdict(v.accepted, v.refused)
}

// validator checks files as the daemon would, short of what it keeps secret.
type validator struct {
	profile    entry.Profile
	asProfile  string // likewise, for the daemon
	documents  identities
	production bool
	form       entry.Date // of consent
	lang       string
	today      entry.Date
	tables     *tables
	lists      *catalog.Catalog
	screen     *term.Screen

	node              *admin.Client   // asked for a preview; nil: nobody is
	foreseen          *admin.Foreseen // by it, in all
	accepted, refused int             // files, and patients of tables

	people []validate.Patient // of the file at hand
}

func newValidator(c *cli.Context) (*validator, error) {
	cfg, err := optionalConfig(c)
	if err != nil {
		return nil, err
	}
	v := &validator{production: cfg.Submit.Production, form: cfg.Submit.Form(), today: entry.DateOf(time.Now().In(china)), screen: term.NewScreen(c.App.ErrWriter)}
	if v.lang, err = languageOf(c, cfg); err != nil {
		return nil, err
	}
	if v.lists, err = listsOf(c); err != nil {
		return nil, err
	}
	if v.tables, err = newTables(c, v.lang); err != nil {
		return nil, err
	}
	name, err := profileOf(c, cfg)
	if err != nil {
		return nil, err
	}
	v.profile, _ = entry.ParseProfile(name)
	if c.Bool("preview") {
		if c.IsSet("edition") {
			return nil, usagef("--edition is without --preview: the daemon checks by the edition in force")
		}
		if v.node, err = client(c); err != nil {
			return nil, err
		}
		v.asProfile, v.foreseen = name, &admin.Foreseen{}
	}
	v.documents, err = readIdentities(c)
	return v, err
}

// china is the time zone of a hospital's day.
var china = time.FixedZone("UTC+8", 8*3600)

// profileOf returns --profile or the configuration's, checked.
func profileOf(c *cli.Context, cfg config.Config) (string, error) {
	name := c.String("profile")
	if name == "" {
		return cfg.Submit.Profile, nil
	}
	if _, ok := entry.ParseProfile(name); !ok {
		return "", usagef("--profile %q: want report, cohort or published", name)
	}
	return name, nil
}

// file returns what the rules find in one file, in words, and counts it. An
// error is the system's.
func (v *validator) file(ctx context.Context, path string) ([]delivery.Finding, error) {
	raw, err := readSource(path)
	if err == nil && v.node != nil {
		return v.preview(ctx, path, raw)
	}
	if kind := delivery.KindOf(path, raw); err == nil && kind == delivery.Rows {
		return v.table(path, raw)
	} else if err == nil && kind == delivery.Collections {
		return v.collection(path, raw)
	}
	findings, err := v.packets(path, raw, v.documents.Of(path), err)
	if err == nil {
		v.count(rule.Refusals(findings) != nil)
	}
	return delivery.Explain(path, findings, v.lang), err
}

func (v *validator) count(refused bool) {
	if refused {
		v.refused++
	} else {
		v.accepted++
	}
}

// packets returns what the rules find in a file of phenopackets. err is what
// kept it from being read.
func (v *validator) packets(path string, raw []byte, documents map[string]admin.Document, err error) ([]rule.Finding, error) {
	var packets []phenopacket.Packet
	if err == nil {
		packets, err = phenopacket.Read(path, bytes.NewReader(raw), phenopacket.Limits{})
	}
	if findings, ok := delivery.RefusalsOf(err); ok {
		return findings, nil
	}
	if err != nil {
		return nil, err
	}
	all := phenopacket.Strangers(path, packets, documents)
	v.people = nil
	for _, p := range packets {
		findings, err := v.packet(p, documentOf(documents, p.SubjectID))
		if err != nil {
			return nil, err
		}
		all = append(all, findings...)
	}
	if len(v.people) == len(packets) {
		for _, i := range validate.Alike(v.people) {
			all = append(all, packets[i].Locate([]rule.Finding{alike})...)
		}
	}
	return all, nil
}

// alike flags a patient who shares birth, sex and diagnosis with several others.
var alike = rule.Find("DU003", "birth", "")

func (v *validator) packet(p phenopacket.Packet, document identity.Document) ([]rule.Finding, error) {
	today := identity.Date{Year: int(v.today.Year), Month: int(v.today.Month), Day: int(v.today.Day)}
	id, findings, err := identity.Normalize(document, identity.Options{Today: today, Production: v.production})
	findings = p.Locate(findings)
	if refused, ok := delivery.RefusalsOf(err); ok { // the rest of the packet is looked at all the same
		findings = append(findings, p.Locate(refused)...)
	} else if err != nil {
		return nil, err
	}
	made, more, err := p.Accept(
		phenopacket.Options{Catalog: v.lists, Profile: v.profile, Basis: entry.BasisStatutory},
		validate.Context{Today: v.today, Identity: id, ConsentForm: v.form})
	findings = append(findings, more...)
	if c := made.Case; c.Case != nil {
		v.people = append(v.people, validate.Patient{Key: p.SubjectID, Birth: p.Birth(), Sex: c.Case.Sex, Diagnosis: c.EventDate})
	}
	var refused *rule.Refusal
	if errors.As(err, &refused) && more == nil {
		return append(findings, refused.Findings...), nil
	}
	if refused == nil && err != nil {
		return nil, err
	}
	return findings, nil
}
