package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

func mappingCommand() *cli.Command {
	return &cli.Command{
		Name:  "mapping",
		Usage: "say which column of a hospital's tables holds what",
		Subcommands: []*cli.Command{
			mappingListCommand(), mappingShowCommand(), mappingInitCommand(), mappingTestCommand(),
		},
	}
}

// shippedMapping is a shipped profile as mapping list prints it.
type shippedMapping struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	KnownBy []string `json:"known_by"`
}

func mappingListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the profiles that are part of the program",
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			out, err := outputOf(c)
			if err != nil {
				return err
			}
			var rows []shippedMapping
			for _, p := range mapping.Shipped() {
				rows = append(rows, shippedMapping{p.Name, p.Title.In(voiceOf(c).lang), p.KnownBy})
			}
			return term.Print(out, rows, "name", "title", "known_by")
		},
	}
}

func mappingShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "print a profile, to be copied and changed",
		ArgsUsage: "NAME",
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			text, ok := mapping.ShippedText(args[0])
			if !ok {
				return coded{exitNotFound, fmt.Errorf("there is no profile %q: raresync mapping list", args[0])}
			}
			_, err = fmt.Fprint(c.App.Writer, text)
			return err
		},
	}
}

func mappingInitCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "draft a profile for a table",
		ArgsUsage: "FILE",
		Description: "Looks at the headings of a CSV, TSV or XLSX file and writes a profile that gives those it knows to\n" +
			"their fields and lists the others. The draft is to be read and completed; try it with mapping test.",
		Flags: []cli.Flag{&cli.StringFlag{Name: "out", Value: "-", Usage: "write the draft to `FILE`, which must be new"}},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			book, err := openBook(args[0], voiceOf(c).lang)
			if err != nil {
				return err
			}
			text, err := mapping.Draft(args[0], book)
			if err != nil {
				return asInvalid(err, args[0], voiceOf(c).lang)
			}
			return create(c, c.String("out"), []byte(text))
		},
	}
}

// openBook reads a table named on the command line.
func openBook(path, lang string) (*table.Book, error) {
	raw, err := readSource(path)
	if err != nil {
		return nil, asInvalid(err, path, lang)
	}
	book, err := table.Open(path, raw, table.Limits{})
	return book, asInvalid(err, path, lang)
}

// asInvalid puts a refusal into words.
func asInvalid(err error, path, lang string) error {
	findings, ok := delivery.RefusalsOf(err)
	if !ok {
		return err
	}
	var lines []string
	for _, f := range delivery.Explain(path, findings, lang) {
		lines = append(lines, f.String())
	}
	return coded{exitInvalid, fmt.Errorf("%s", strings.Join(lines, "\n"))}
}

// effect is what becomes of a column, as mapping test prints it.
type effect struct {
	Column  string   `json:"column"`
	Field   string   `json:"field"`
	Filled  int      `json:"filled"`
	Unknown int      `json:"unknown"`
	At      []string `json:"at"` // the first cells that are not understood
}

func mappingTestCommand() *cli.Command {
	return &cli.Command{
		Name:      "test",
		Usage:     "show what a profile makes of a table",
		ArgsUsage: "FILE",
		Description: "Lists each column with the field it goes to, in how many rows it is filled, and the first cells that\n" +
			"are not understood. Of diseases that the national lists do not have it names rows with a like name:\n" +
			"give the right one under [diseases]. What is in the cells is not shown.",
		Flags:  []cli.Flag{mappingFlag},
		Action: testMapping,
	}
}

func testMapping(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	v := voiceOf(c)
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	t := &tables{lang: v.lang}
	if name := c.String(mappingFlag.Name); name != "" {
		if t.profile, err = readProfile(name); err != nil {
			return err
		}
	}
	raw, err := readSource(args[0])
	if err != nil {
		return asInvalid(err, args[0], v.lang)
	}
	opened, err := t.open(args[0], raw)
	if err != nil {
		return asInvalid(err, args[0], v.lang)
	}
	effects, nears, err := opened.Profile.Examine(args[0], opened.Book)
	if err != nil {
		return asInvalid(err, args[0], v.lang)
	}
	if len(effects) == 0 {
		return asInvalid(withoutHeadings(opened), args[0], v.lang)
	}
	var rows []effect
	for _, e := range effects {
		row := effect{Column: e.Heading, Field: e.Field, Filled: e.Filled, Unknown: e.UnknownCount()}
		for _, at := range e.Unknown {
			row.At = append(row.At, table.Place{Sheet: at.Sheet, Row: at.Row, Column: at.Column}.Within())
		}
		rows = append(rows, row)
	}
	if err := term.Print(out, rows, "column", "field", "filled", "unknown", "at"); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	for _, n := range nears {
		screen.Note(v.say("%s: not in the lists; like it are %s", "%s：目录中没有；名称相近的有 %s", n.Place.Within(), strings.Join(n.Refs, "; ")))
	}
	return nil
}

// withoutHeadings is the refusal of a table without the profile's headings.
func withoutHeadings(t *delivery.Table) error {
	reader := t.Profile.Reader(t.Name, t.Book)
	for range reader.All() {
	}
	if reader.Err() != nil {
		return reader.Err()
	}
	var all []rule.Finding
	for _, f := range reader.Findings {
		all = append(all, f.Finding)
	}
	return rule.Refusals(all)
}
