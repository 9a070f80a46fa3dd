package main

import (
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/registry/mapping"
)

func templateCommand() *cli.Command {
	return &cli.Command{
		Name:      "template",
		Usage:     "write an empty table to fill in",
		ArgsUsage: "FILE.xlsx|FILE.csv",
		Description: "The workbook has text cells, lists to choose from, an explanation of every column and the diseases of\n" +
			"the national lists, in Chinese or English after --lang. validate and submit know it by its headings.",
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			lang := voiceOf(c).lang
			switch strings.ToLower(filepath.Ext(args[0])) {
			case ".csv":
				return create(c, args[0], mapping.TemplateCSV(lang))
			case ".xlsx":
				raw, err := mapping.TemplateBook(lang)
				if err != nil {
					return err
				}
				return create(c, args[0], raw)
			}
			return usagef("template %s: want a name that ends in .xlsx or .csv", args[0])
		},
	}
}
