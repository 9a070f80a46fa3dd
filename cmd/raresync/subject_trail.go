package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/trail"
)

func subjectTrailCommand() *cli.Command {
	return &cli.Command{
		Name:      "trail",
		Usage:     "check the record of what was done on this node with patients' data",
		ArgsUsage: "[FILE]",
		Description: "Reads audit/trail.jsonl in the data directory, or FILE, and checks that no line was changed or taken\n" +
			"out. Keep number of lines and hash where those who can write the file cannot, and compare next\n" +
			"time: a trail that was written anew has another hash. Exit code 5: it is broken.",
		Action: subjectTrail,
	}
}

// trailRow is what a trail comes to.
type trailRow struct {
	File  string `json:"file"`
	Lines uint64 `json:"lines"`
	Hash  string `json:"hash"` // of the last line
}

func subjectTrail(c *cli.Context) error {
	args, err := arguments(c, 0, 1)
	if err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	row := trailRow{}
	if len(args) == 1 {
		row.File = args[0]
	} else {
		cfg, err := loadConfig(c)
		if err != nil {
			return err
		}
		row.File = filepath.Join(cfg.Node.DataDir, "audit", "trail.jsonl")
	}
	f, err := os.Open(row.File)
	if err != nil {
		return err
	}
	defer f.Close()
	lines, last, err := trail.Check(f)
	if errors.Is(err, trail.ErrBroken) {
		return coded{exitUnproven, fmt.Errorf("%s: %w", row.File, err)}
	}
	if err != nil {
		return err
	}
	row.Lines, row.Hash = lines, hex.EncodeToString(last[:])
	return term.PrintOne(out, row)
}
