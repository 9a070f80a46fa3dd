package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	reports "github.com/raresync/raresync/daemon/report"
)

func reportCommand() *cli.Command {
	c := &cli.Command{
		Name:      "report",
		Usage:     "print reports over the entries that this node may open",
		ArgsUsage: "NAME",
		Description: "A coordinator reports over all hospitals, a hospital over its own entries. Each report names the tree\n" +
			"size and root that it is of. Counts of people below the network's smallest cell are withheld, and others\n" +
			"printed to steps of five; --exact, at a terminal, prints them as they are.",
		Subcommands: []*cli.Command{reportListCommand()},
	}
	for _, l := range reports.List() {
		c.Subcommands = append(c.Subcommands, reportNamed(l))
	}
	return c
}

func reportListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the reports there are",
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			out, err := outputOf(c)
			if err != nil {
				return err
			}
			lang := voiceOf(c).lang
			var rows []admin.Report
			for _, l := range reports.List() {
				rows = append(rows, admin.Report{Name: l.Name, Title: l.Title.In(lang), About: l.About.In(lang)})
			}
			return term.Print(out, rows, "name", "title", "about")
		},
	}
}

// reportNamed is the command of one report, with the flags that it knows.
func reportNamed(l reports.Listed) *cli.Command {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "format", Value: "text", Usage: "print as `FORMAT`: text, json, csv or html"},
		&cli.BoolFlag{Name: "exact", Usage: "print exact counts, at a terminal only: they are not to be passed on"},
		purposeFlag,
	}
	switch l.Name {
	case "disease":
		flags = append(flags, &cli.StringFlag{Name: "disease", Required: true, Usage: "a `ROW` of the lists, as 1.68: raresync catalog search"})
	case "quality", "queries", "checks":
		flags = append(flags,
			&cli.UintFlag{Name: "hospital", Usage: "of the hospital with this `NUMBER`"},
			&cli.StringFlag{Name: "province", Usage: "of the hospitals of a province, by its two digits `CODE` of GB/T 2260"},
			&cli.StringFlag{Name: "from", Usage: "of what came into the log from this `MONTH` or year on, as 2026-11 or 2026"},
			&cli.StringFlag{Name: "to", Usage: "up to this `MONTH` or year; without it only the first"})
	}
	return &cli.Command{
		Name: l.Name, Usage: l.About.EN, Flags: flags,
		Action: func(c *cli.Context) error { return printNamedReport(c, l.Name) },
	}
}

func printNamedReport(c *cli.Context, name string) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	options := url.Values{}
	for _, flag := range []string{"disease", "province", "from", "to"} {
		if v := c.String(flag); v != "" {
			options.Set(flag, v)
		}
	}
	if h := c.Uint("hospital"); h != 0 {
		options.Set("hospital", strconv.FormatUint(uint64(h), 10))
	}
	if c.Bool("exact") {
		if !term.IsTerminal(c.App.Writer) || c.String("format") != "text" {
			return usagef("--exact prints text at a terminal only: what goes into a file or on paper is without small counts")
		}
		options.Set("exact", "1")
	}
	return printMade(c, options, func(ctx context.Context, daemon *admin.Client, options url.Values) ([]byte, error) {
		return daemon.Report(ctx, name, options)
	})
}

// printMade prints what the daemon makes, in the format that the command asks for.
func printMade(c *cli.Context, options url.Values, fetch func(context.Context, *admin.Client, url.Values) ([]byte, error)) error {
	format := c.String("format")
	if o := c.String("output"); o == "json" && !c.IsSet("format") {
		format = o
	}
	options.Set("lang", voiceOf(c).lang)
	options.Set("format", format)
	switch format {
	case "text":
		options.Set("format", "json")
	case "json", "csv", "html":
	default:
		return usagef("--format %q: want text, json, csv or html", format)
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, 0) // walks every registration
	defer cancel()
	raw, err := fetch(ctx, daemon, options)
	if err != nil {
		return fmt.Errorf("%s: %w", commandName(c), err)
	}
	if format != "text" {
		_, err := c.App.Writer.Write(raw)
		return err
	}
	var made admin.MadeReport
	if err := json.Unmarshal(raw, &made); err != nil {
		return fmt.Errorf("%s: read the daemon's answer: %w", commandName(c), err)
	}
	return printTables(c, made)
}

// printTables prints a report for a person.
func printTables(c *cli.Context, r admin.MadeReport) error {
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s\n%s\n%s\n", term.Clean(r.Title), term.Clean(r.Label), term.Clean(r.Disclosure))
	for _, n := range r.Notes {
		fmt.Fprintln(c.App.Writer, term.Clean(n))
	}
	for _, t := range r.Tables {
		fmt.Fprintf(c.App.Writer, "\n%s\n", term.Clean(t.Title))
		var head []string
		var right []bool
		for _, column := range t.Columns {
			head, right = append(head, column.Title), append(right, column.Kind != string(reports.Word))
		}
		rows := t.Rows
		if t.Total != nil {
			rows = append(rows, t.Total)
		}
		lines := [][]string{head}
		for _, row := range rows {
			line := make([]string, len(row))
			for i, v := range row {
				line[i] = valueText(v)
			}
			lines = append(lines, line)
		}
		if err := out.Lines(lines, right); err != nil {
			return err
		}
	}
	return nil
}

func valueText(v any) string {
	switch v := v.(type) {
	case nil:
		return "-"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
