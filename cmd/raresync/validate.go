package main

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/config"
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
		Description: "Reads phenopackets as submit would and lists what the rules find in them. E refuses the file,\n" +
			"W flags it, Q opens a query, I informs. Needs no daemon. Exit code 3: some files would be\n" +
			"refused, 7: all of them.",
		Flags:  []cli.Flag{profileFlag, identitiesFlag},
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
	files, err := collect(args)
	if err != nil {
		return err
	}
	if err := v.documents.check(files); err != nil {
		return err
	}
	refused := 0
	var rows []finding
	for _, path := range files {
		if err := c.Context.Err(); err != nil {
			return fmt.Errorf("validate: %w", err)
		}
		findings, err := v.file(path)
		if err != nil {
			return fmt.Errorf("validate %s: %w", path, err)
		}
		if rule.Refusals(findings) != nil {
			refused++
		}
		rows = append(rows, explain(path, findings, v.lang)...)
	}
	if len(rows) > 0 || !isTable(c) {
		if err := term.Print(out, rows, "file", "path", "rule", "severity", "what", "detail", "todo"); err != nil {
			return err
		}
	}
	term.NewScreen(c.App.ErrWriter).Note(fmt.Sprintf("checked %d: %d would be accepted, %d refused", len(files), len(files)-refused, refused))
	return verdict(len(files)-refused, refused)
}

// validator checks files as the daemon would, short of what it keeps secret.
type validator struct {
	profile    entry.Profile
	documents  identities
	production bool
	lang       string
	today      entry.Date
}

func newValidator(c *cli.Context) (*validator, error) {
	cfg, err := optionalConfig(c)
	if err != nil {
		return nil, err
	}
	v := &validator{production: cfg.Submit.Production, today: entry.DateOf(time.Now().In(china))}
	if v.lang, err = languageOf(c, cfg); err != nil {
		return nil, err
	}
	name, err := profileOf(c, cfg)
	if err != nil {
		return nil, err
	}
	v.profile, _ = entry.ParseProfile(name)
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

// file returns what the rules find in one file. An error is the system's.
func (v *validator) file(path string) ([]rule.Finding, error) {
	var packets []phenopacket.Packet
	raw, err := readSource(path)
	if err == nil {
		packets, err = phenopacket.Read(path, bytes.NewReader(raw), phenopacket.Limits{})
	}
	if findings, ok := refusalsOf(err); ok {
		return findings, nil
	}
	if err != nil {
		return nil, err
	}
	all := phenopacket.Strangers(path, packets, v.documents.of(path))
	for _, p := range packets {
		findings, err := v.packet(path, p)
		if err != nil {
			return nil, err
		}
		all = append(all, findings...)
	}
	return all, nil
}

func (v *validator) packet(path string, p phenopacket.Packet) ([]rule.Finding, error) {
	today := identity.Date{Year: int(v.today.Year), Month: int(v.today.Month), Day: int(v.today.Day)}
	id, findings, err := identity.Normalize(documentOf(v.documents.of(path), p.SubjectID),
		identity.Options{Today: today, Production: v.production})
	findings = p.Locate(findings)
	if refused, ok := refusalsOf(err); ok {
		return append(findings, p.Locate(refused)...), nil
	}
	if err != nil {
		return nil, err
	}
	_, more, err := p.Accept(
		phenopacket.Options{Catalog: catalog.Current(), Profile: v.profile, Basis: entry.BasisStatutory},
		validate.Context{Today: v.today, Identity: id})
	findings = append(findings, more...)
	var refused *rule.Refusal
	if errors.As(err, &refused) && more == nil {
		return append(findings, refused.Findings...), nil
	}
	if refused == nil && err != nil {
		return nil, err
	}
	return findings, nil
}
