package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/registry/catalog"
)

// disease is a row of the national lists as the catalog commands print it.
type disease struct {
	Ref        string   `json:"ref"`
	NameZH     string   `json:"name_zh"`
	NameEN     string   `json:"name_en"`
	SynonymsZH []string `json:"synonyms_zh"`
	SynonymsEN []string `json:"synonyms_en"`
	ORPHA      []string `json:"orpha"`
	OMIM       []string `json:"omim"`
	ICD10      []string `json:"icd10"`
	ICD10From  string   `json:"icd10_edition"`
}

func diseaseOf(d *catalog.Disease) disease {
	row := disease{
		Ref: d.Ref(), OMIM: append([]string{}, d.OMIM...), ICD10: append([]string{}, d.ICD10...),
		ICD10From: d.ICD10Edition, ORPHA: []string{},
	}
	row.NameZH, row.SynonymsZH = headAndRest(d.ZH)
	row.NameEN, row.SynonymsEN = headAndRest(d.EN)
	for _, code := range d.ORPHA {
		row.ORPHA = append(row.ORPHA, fmt.Sprintf("%s (%s)", code.ID, code.Relation))
	}
	return row
}

func headAndRest(names []string) (string, []string) {
	if len(names) == 0 {
		return "", []string{}
	}
	return names[0], append([]string{}, names[1:]...)
}

var diseaseColumns = []string{"ref", "name_zh", "name_en", "icd10", "omim"}

func catalogCommand() *cli.Command {
	return &cli.Command{
		Name:        "catalog",
		Usage:       "look things up in the national lists of rare diseases",
		Description: "The lists are those that this program carries, or with --edition those of an edition that the network has.",
		Subcommands: []*cli.Command{catalogListCommand(), catalogSearchCommand(), catalogShowCommand(), catalogEditionsCommand(), catalogTableCommand()},
	}
}

func catalogListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list every row of all lists",
		Flags: []cli.Flag{editionFlag()},
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			lists, err := listsOf(c)
			if err != nil {
				return err
			}
			var rows []disease
			for _, d := range lists.All() {
				rows = append(rows, diseaseOf(&d))
			}
			return printDiseases(c, rows)
		},
	}
}

func catalogSearchCommand() *cli.Command {
	return &cli.Command{
		Name:      "search",
		Usage:     "find rows by number, code or part of a name in either language",
		ArgsUsage: "TEXT...",
		Flags:     []cli.Flag{editionFlag()},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, -1)
			if err != nil {
				return err
			}
			lists, err := listsOf(c)
			if err != nil {
				return err
			}
			text := strings.Join(args, " ")
			var rows []disease
			for _, d := range lists.Search(text) {
				rows = append(rows, diseaseOf(d))
			}
			if len(rows) == 0 && isTable(c) {
				return coded{exitNotFound, fmt.Errorf("search catalogue: nothing fits %q", text)}
			}
			return printDiseases(c, rows)
		},
	}
}

func printDiseases(c *cli.Context, rows []disease) error {
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	return term.Print(out, rows, diseaseColumns...)
}

func catalogShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show one row with its synonyms and codes",
		ArgsUsage: "LIST.NUMBER",
		Flags:     []cli.Flag{editionFlag()},
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			list, number, ok := strings.Cut(args[0], ".")
			l, err1 := strconv.Atoi(list)
			n, err2 := strconv.Atoi(number)
			if !ok || err1 != nil || err2 != nil {
				return usagef("%q: want list and number, as 1.68", args[0])
			}
			lists, err := listsOf(c)
			if err != nil {
				return err
			}
			d, ok := lists.ByNumber(l, n)
			if !ok {
				return coded{exitNotFound, fmt.Errorf("the catalogue %s has no row %s", lists.Edition(), args[0])}
			}
			out, err := outputOf(c)
			if err != nil {
				return err
			}
			return term.PrintOne(out, diseaseOf(d))
		},
	}
}
