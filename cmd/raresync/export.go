package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/outbound"
)

// exportTimeout bounds the reading of a hospital's own entries.
const exportTimeout = 10 * time.Minute

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:        "export",
		Usage:       "write what this hospital has registered for other systems; hand out datasets as a reader",
		Subcommands: []*cli.Command{exportUploadCommand(), exportProfileCommand(), exportDatasetCommand(), exportAnswerCommand()},
	}
}

func exportUploadCommand() *cli.Command {
	return &cli.Command{
		Name:      "upload",
		Usage:     "write accepted registrations as the table that a person uploads to another reporting system",
		ArgsUsage: "FILE",
		Description: "FILE ends in .xlsx or .csv, as the profile says; nothing is overwritten. The registrations are this\n" +
			"hospital's own, as corrected, without those whose use is stopped. They identify nobody: record numbers\n" +
			"come from the hospital's link file with --with-records, document numbers from its own tables with\n" +
			"--documents-from, which finds patients by their record number. Each export leaves a line in the trail.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "profile", Value: "cases", Usage: "the shipped `PROFILE` or a file: see raresync export profile"},
			&cli.StringFlag{Name: "since", Usage: "only what came into the log on this `DAY`, as 2026-11-01, or later"},
			&cli.BoolFlag{Name: "with-records", Usage: "fill in record numbers from the link file"},
			&cli.StringSliceFlag{Name: "documents-from", Usage: "fill in document numbers from a `TABLE` of the hospital's own; implies --with-records"},
			mappingFlag,
		},
		Action: exportUpload,
	}
}

func exportProfileCommand() *cli.Command {
	return &cli.Command{
		Name:      "profile",
		Usage:     "print the shipped profile of export upload, to be copied and changed",
		ArgsUsage: "[NAME]",
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 0, 1)
			if err != nil {
				return err
			}
			name := "cases"
			if len(args) > 0 {
				name = args[0]
			}
			text, ok := outbound.ShippedText(name)
			if !ok {
				return coded{exitNotFound, fmt.Errorf("no profile %s is shipped: there is cases", name)}
			}
			_, err = fmt.Fprint(c.App.Writer, text)
			return err
		},
	}
}

func exportUpload(c *cli.Context) error {
	path, err := fileArgument(c)
	if err != nil {
		return err
	}
	profile, err := outboundProfile(c.String("profile"))
	if err != nil {
		return err
	}
	if !strings.EqualFold(filepath.Ext(path), "."+profile.Format) {
		return usagef("%s: profile %s makes a file whose name ends in .%s", path, profile.Name, profile.Format)
	}
	since, err := sinceFlag(c)
	if err != nil {
		return err
	}
	documents, err := documentsFrom(c)
	if err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, exportTimeout)
	defer cancel()
	withRecords := c.Bool("with-records") || documents != nil
	rows, unknown, err := uploadRows(ctx, daemon, withRecords, since, documents)
	if err != nil {
		return fmt.Errorf("read registrations: %w", err)
	}
	made, err := profile.Write(rows)
	if err != nil {
		return err
	}
	if err := createFile(path, made.Data, 0o600); err != nil {
		return err
	}
	screen, v := term.NewScreen(c.App.ErrWriter), voiceOf(c)
	screen.Done(v.say("%d registrations are in %s", "%d 条登记已写入 %s", len(rows), path))
	if len(made.Uncoded) > 0 {
		screen.Note(v.say("words without a code were written as they are: %s", "以下用词没有对应代码，已按原样写入：%s", made.Uncoded))
	}
	switch identifying := profile.Wants(outbound.Identifying()); {
	case identifying && withRecords:
		screen.Note(v.say("the file names patients: keep it in the hospital, and destroy it when it is uploaded", "该文件含患者标识：请只在院内保存，上传后销毁"))
	case identifying:
		screen.Note(v.say("record and document numbers are left out: --with-records and --documents-from fill them in", "未填病案号和证件号码：可用 --with-records 和 --documents-from 补入"))
	}
	if documents != nil && unknown > 0 {
		screen.Note(v.say("%d registrations have no document in the tables given", "%d 条登记在所给表格中没有证件", unknown))
	}
	return nil
}

// outboundProfile returns the shipped profile of a name, or reads one from a file.
func outboundProfile(name string) (*outbound.Profile, error) {
	if p, ok := outbound.ShippedProfile(name); ok {
		return p, nil
	}
	raw, err := readPublic(name)
	if err != nil {
		return nil, fmt.Errorf("--profile: %w", err)
	}
	p, err := outbound.Parse(name, string(raw))
	if err != nil {
		return nil, coded{exitInvalid, fmt.Errorf("--profile %s: %w", name, err)}
	}
	return p, nil
}

func sinceFlag(c *cli.Context) (entry.Date, error) {
	d, ok := entry.ParseDate(c.String("since"))
	if !ok || d.Known() && d.Precision() != entry.PrecisionDay {
		return d, usagef("--since %s: want a day, as 2026-11-01", c.String("since"))
	}
	return d, nil
}

// documentsFrom reads the documents in the hospital's own tables by record number;
// nil without the flag.
func documentsFrom(c *cli.Context) (map[string]identity.Document, error) {
	paths := c.StringSlice("documents-from")
	if len(paths) == 0 {
		return nil, nil
	}
	t, err := newTables(c, voiceOf(c).lang)
	if err != nil {
		return nil, err
	}
	found := map[string]identity.Document{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if delivery.KindOf(path, raw) != delivery.Rows {
			return nil, coded{exitInvalid, fmt.Errorf("--documents-from %s: not a table", path)}
		}
		opened, err := t.open(path, raw)
		if err != nil {
			return nil, coded{exitInvalid, fmt.Errorf("--documents-from: %w", err)}
		}
		reader := opened.Profile.Reader(path, opened.Book)
		for p := range reader.All() {
			if p.Document.Value != "" {
				found[p.Subject] = p.Document
			}
		}
		if err := reader.Err(); err != nil {
			return nil, coded{exitInvalid, fmt.Errorf("--documents-from: %w", err)}
		}
	}
	return found, nil
}

// uploadRows asks for the registrations, and adds what of a patient is asked for.
// unknown counts those without a document.
func uploadRows(ctx context.Context, daemon *admin.Client, records bool, since entry.Date, documents map[string]identity.Document) (rows []map[string]string, unknown int, err error) {
	for r, err := range daemon.Registrations(ctx, records) {
		if err != nil {
			return nil, 0, err
		}
		at, err := time.Parse(time.RFC3339, r.LogTime)
		if err != nil {
			return nil, 0, errors.New("the daemon gave a log time that is none")
		}
		day := entry.DateOf(at.In(china)).String()
		if since.Known() && day < since.String() {
			continue
		}
		row := r.Cells
		row["case_number"], row["index"], row["log_time"], row["name_of_hospital"] = r.CaseNumber, fmt.Sprint(r.Index), day, r.Hospital
		row["record"] = strings.Join(r.Records, "；")
		has := false
		for _, record := range r.Records {
			if d, ok := documents[record]; ok && !has {
				row["id_type"], row["id_number"], row["id_country"], has = string(d.Type), d.Value, d.Issuer, true
			}
		}
		if !has {
			unknown++
		}
		rows = append(rows, row)
	}
	return rows, unknown, nil
}
