package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/inbox"
	"github.com/raresync/raresync/daemon/receipt"
)

func logProveCommand() *cli.Command {
	return &cli.Command{
		Name:      "prove",
		Usage:     "write the receipt of an entry to a file, or those of a dropped file to a folder",
		ArgsUsage: "[INDEX]",
		Description: "The receipt is a C2SP tlog-proof with the leaf as its extra data. Anybody verifies it with\n" +
			"the network's policy alone: raresync log verify --policy POLICY --proof FILE. It shows which\n" +
			"hospital, when and a hash, never a body. With --report it writes the receipts of all entries\n" +
			"that the inbox reports of a file, with the policy and a page to print.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "write to `FILE`; - is standard output (default: receipt-INDEX.txt)"},
			&cli.StringFlag{Name: "report", Usage: "the inbox's `NAME.report.json` of a file"},
			&cli.StringFlag{Name: "receipts", Usage: "with --report: write into the new folder `DIR`"},
		},
		Action: logProve,
	}
}

func logProve(c *cli.Context) error {
	if report, dir := c.String("report"), c.String("receipts"); report != "" || dir != "" {
		return proveReported(c, report, dir)
	}
	index, err := indexArgument(c)
	if err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	p, err := daemon.Prove(ctx, index)
	if err != nil {
		return named(index, err)
	}
	leaf, err := hex.DecodeString(p.Leaf)
	if err != nil {
		return fmt.Errorf("prove entry %d: leaf: %w", index, err)
	}
	receipt, err := audit.WithLeaf(leaf, []byte(p.Proof))
	if err != nil {
		return fmt.Errorf("prove entry %d: %w", index, err)
	}
	path := c.String("file")
	if path == "" {
		path = fmt.Sprintf("receipt-%d.txt", index)
	}
	if err := create(c, path, receipt); err != nil {
		return err
	}
	if path != "-" {
		term.NewScreen(c.App.ErrWriter).Done(fmt.Sprintf("receipt of entry %d in %s", index, path))
	}
	return nil
}

// maxReportBytes bounds a report: an entry of it has a quarter of a kilobyte.
const maxReportBytes = 256 << 20

// proveReported writes the receipts of what the inbox reports of a file.
func proveReported(c *cli.Context, path, dir string) error {
	if path == "" || dir == "" || c.String("file") != "" {
		return usagef("--report FILE and --receipts DIR belong together, without --file")
	}
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	entries, err := reported(path)
	if err != nil {
		return fmt.Errorf("report %s: %w", path, err)
	}
	cfg, err := optionalConfig(c)
	if err != nil {
		return err
	}
	lang, err := languageOf(c, cfg)
	if err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	if err := newReceipts(dir); err != nil {
		return err
	}
	ctx, cancel := within(c, submitTimeout)
	defer cancel()
	return writeReceipts(ctx, daemon, lang, dir, entries, term.NewScreen(c.App.ErrWriter))
}

// reported reads the entries with a receipt from a report of the inbox.
func reported(path string) ([]receipt.Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxReportBytes+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxReportBytes {
		return nil, fmt.Errorf("larger than %d bytes", maxReportBytes)
	}
	var r inbox.Report
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, fmt.Errorf("it is no report of the inbox: %w", err)
	}
	return r.Receipted(), nil
}
