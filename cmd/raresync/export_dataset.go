package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/export"
)

func exportDatasetCommand() *cli.Command {
	return &cli.Command{
		Name:      "dataset",
		Usage:     "at a reader: hand out registrations, or a report, with a signed manifest",
		ArgsUsage: "NAME",
		Description: "NAME is registrations, a row for each, or that of a report, without small counts. The new folder --out\n" +
			"gets the data, manifest.json and what shows offline that both are this reader's and of which log:\n" +
			"raresync log verify --export DIR --policy FILE. Before anything is read the log gets an act with the purpose.\n\n" +
			"Persons have keys of the --project: the same in each of its exports, and others in another project's. With\n" +
			"--at the rows are those of an earlier tree size, or root: the same bytes as were handed out then, less what was\n" +
			"erased or stopped since, which the manifest lists. Patients who have stopped reuse are left out of exports for\n" +
			"research, those who have stopped drug programmes of exports for drug-access.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "csv", Usage: "`FORMAT` of the data: csv, ndjson, parquet, fhir or phenopackets; of a report csv or json"},
			&cli.StringFlag{Name: "purpose", Usage: "why, a `CODE`: " + strings.Join(act.Purposes(), ", ") + " (required)"},
			&cli.StringFlag{Name: "recipient", Usage: "`WHO` gets it (required)"},
			&cli.StringFlag{Name: "out", Usage: "new `DIR` for the export (required)"},
			&cli.StringFlag{Name: "project", Usage: "`NAME` of the project whose person keys the rows have"},
			&cli.BoolFlag{Name: "genetics", Usage: "with genetic data, if the reader has that right"},
			&cli.StringFlag{Name: "at", Usage: "as of a tree `SIZE`, or a root", DefaultText: "now"},
			&cli.StringFlag{Name: "disease", Usage: "of a `ROW` of the lists, as 1.27"},
			&cli.UintFlag{Name: "hospital", Usage: "of the hospital with this `NUMBER`"},
			&cli.StringFlag{Name: "province", Usage: "of hospitals of a province, by its two digits `CODE` of GB/T 2260"},
			&cli.StringFlag{Name: "from", Usage: "of what came into the log on this `DAY`, as 2026-11-01, or later"},
			&cli.StringFlag{Name: "to", Usage: "up to this `DAY`"},
		},
		Action: exportDataset,
	}
}

func exportDataset(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	if err := required(c, "purpose", "recipient", "out"); err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	in := admin.Export{
		Dataset: args[0], Form: c.String("format"), Purpose: c.String("purpose"), Recipient: c.String("recipient"), Project: c.String("project"),
		Genetics: c.Bool("genetics"), At: c.String("at"), Disease: c.String("disease"), Hospital: uint32(c.Uint("hospital")),
		Province: c.String("province"), From: c.String("from"), To: c.String("to"), Lang: voiceOf(c).lang,
	}
	ctx, cancel := within(c, 0) // opens every entry
	defer cancel()
	dir := c.String("out")
	m, err := writeExport(ctx, daemon, in, dir)
	if err != nil {
		return fmt.Errorf("export %s: %w", in.Dataset, err)
	}
	v := voiceOf(c)
	term.NewScreen(c.App.ErrWriter).Done(v.say("%[1]d rows of tree size %[2]d are in %[3]s, for %[4]s", "树大小 %[2]d 的 %[1]d 行已写入 %[3]s，提供给 %[4]s", m.Rows, m.Size, dir, m.Recipient))
	return nil
}

// errCut reports an export that ended before its manifest.
var errCut = errors.New("the daemon sent no manifest")

// writeExport has the daemon make an export, and writes its files into a new folder.
// A folder that is not whole is removed.
func writeExport(ctx context.Context, daemon *admin.Client, in admin.Export, dir string) (m *export.Manifest, err error) {
	made := false
	defer func() {
		if err != nil && made {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	err = daemon.Export(ctx, in, func(name string, content io.Reader) error {
		if !export.ValidName(name) {
			return fmt.Errorf("the daemon names a file %q", name)
		}
		if !made {
			if err := os.Mkdir(dir, 0o700); err != nil {
				return err
			}
			made = true
		}
		return writeStream(filepath.Join(dir, name), content)
	})
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(filepath.Join(dir, export.ManifestName))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCut, err)
	}
	return export.Parse(raw)
}

// writeStream writes a new file, mode 0600.
func writeStream(path string, content io.Reader) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = io.Copy(f, content); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// exported is what a verified export says.
type exported struct {
	Reader     uint32   `json:"reader"`
	Name       string   `json:"name"`
	Day        string   `json:"day"`
	Dataset    string   `json:"dataset"`
	Purpose    string   `json:"purpose"`
	Recipient  string   `json:"recipient"`
	Rows       uint64   `json:"rows"`
	Genetic    uint64   `json:"genetic_rows"`
	MinCell    int      `json:"min_cell"`
	Withheld   uint64   `json:"cells_withheld"`
	Erased     uint64   `json:"entries_erased"`
	Stopped    uint64   `json:"rows_stopped"`
	Size       uint64   `json:"tree_size"`
	Root       string   `json:"root"`
	Network    string   `json:"network"`
	Act        uint64   `json:"act"`
	Files      int      `json:"files"`
	Checkpoint uint64   `json:"checkpoint"`
	Cosigners  []string `json:"cosigners"`
}

func verifyExport(c *cli.Context, out *term.Output, policy *tlog.Policy) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	dir := c.String("export")
	if _, err := os.Stat(dir); err != nil {
		return err
	}
	v, err := export.Verify(os.DirFS(dir), policy)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", audit.ErrUnverified, dir, err)
	}
	said := exported{
		Reader: v.Reader, Name: v.Name, Day: v.Day, Dataset: v.Dataset, Purpose: v.Purpose, Recipient: v.Recipient, Rows: v.Rows, Genetic: v.Genetic,
		MinCell: v.MinCell, Withheld: v.Withheld, Erased: counted(v.Erased), Stopped: counted(v.Stopped), Size: v.Size, Root: v.Root, Network: v.Network, Act: v.Act, Files: len(v.Files), Checkpoint: v.Checkpoint.Size,
	}
	for _, by := range v.Cosigned {
		said.Cosigners = append(said.Cosigners, by.Name)
	}
	return term.PrintOne(out, said)
}

// counted is how many indexes spans have.
func counted(spans []act.Span) (n uint64) {
	for _, s := range spans {
		n += s.Count
	}
	return n
}
