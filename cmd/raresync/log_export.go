package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/staticcopy"
	"github.com/raresync/raresync/registry/act"
)

func logExportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write a static copy of the log into a folder, as files for a web server",
		ArgsUsage: "DIR",
		Description: "DIR gets a checkpoint, tiles and bundles of leaves (C2SP tlog-tiles), and every envelope's header and\n" +
			"signatures. With --bodies it gets the sealed bodies too: nodes take them from there with copies under\n" +
			"[network]. Serve such a copy to members alone. No copy holds a salt, so nobody opens a body with it alone.\n\n" +
			"Run it again, as each hour, to bring DIR up to the newest checkpoint: it writes what is new, and takes\n" +
			"what was withdrawn out of the bodies. It may be killed at any time. The node may be running or stopped.",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "bodies", Usage: "take the sealed bodies along, for members alone"}},
		Action: logExport,
	}
}

func logExport(c *cli.Context) (err error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	node := home.LogDir(cfg)
	if err := audit.CheckSalts(node); err != nil {
		return unsaved(cfg, fmt.Errorf("export log: %w", err))
	}
	if err := consensus.CheckRestored(node); err != nil {
		return coded{exitRetry, fmt.Errorf("export log: %w", err)}
	}
	shown := progressOf(term.NewScreen(c.App.ErrWriter))
	defer shown.close()
	o, release, err := exportOptions(c, cfg)
	if err != nil {
		return unsaved(cfg, err)
	}
	defer func() { err = errors.Join(err, release()) }()
	// Only now: a ledger ends for its reader where it ended when it was opened, and
	// the copy reaches the checkpoint.
	if o.Ledger, err = ledger.OpenReadOnly(filepath.Join(node, "ledger")); err != nil {
		return unsaved(cfg, fmt.Errorf("export log: %w", err))
	}
	defer func() { err = errors.Join(err, o.Ledger.Close()) }()
	if o.Claims == nil {
		_, derived, err := audit.Ledger(o.Ledger, audit.Options{Note: o.Note, Progress: shown.counted("verifying envelopes")})
		if err != nil {
			return unsaved(cfg, fmt.Errorf("export log: %w", err))
		}
		o.Claims = func(context.Context) ([]state.Claim, error) { return derived.Claims, nil }
	}
	o.Bodies, o.Progress = c.Bool("bodies"), shown.counted("writing envelopes")
	report, err := staticcopy.Write(c.Context, args[0], o)
	shown.close()
	if err != nil {
		return unsaved(cfg, err)
	}
	return tellExport(c, out, report)
}

// exportOptions asks a running daemon where the copy ends and what is withdrawn. Of
// a stopped node, which cannot start until release, the file says where it ends, and
// what is withdrawn is left to be derived.
func exportOptions(c *cli.Context, cfg config.Config) (o staticcopy.Options, release func() error, err error) {
	genesis, err := home.ReadGenesis(cfg)
	if err != nil {
		return o, nil, err
	}
	founded, _, err := state.Found(genesis)
	if err != nil {
		return o, nil, err
	}
	o.Network, o.Name = founded.Network, founded.Name
	release, err = home.Lock(cfg.Node.DataDir)
	switch {
	case errors.Is(err, home.ErrInUse):
		o.Claims = func(ctx context.Context) ([]state.Claim, error) { return askClaims(c) }
		o.Note, err = headNote(c)
		return o, func() error { return nil }, err
	case err != nil:
		return o, nil, err
	}
	if o.Note, err = audit.ReadNote(filepath.Join(home.LogDir(cfg), "checkpoint")); err != nil {
		return o, nil, errors.Join(fmt.Errorf("checkpoint of the stopped node: %w", err), release())
	}
	return o, release, nil
}

func askClaims(c *cli.Context) (out []state.Claim, err error) {
	daemon, err := client(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	claims, err := daemon.Withdrawn(ctx)
	if err != nil {
		return nil, fmt.Errorf("what is withdrawn: %w", err)
	}
	for _, claim := range claims {
		out = append(out, claimOf(claim))
	}
	return out, nil
}

func claimOf(c admin.Claim) state.Claim {
	out := state.Claim{Hospital: c.Hospital}
	for _, run := range c.Entries {
		out.Entries = append(out.Entries, act.Span{First: run[0], Count: run[1]})
	}
	return out
}

func tellExport(c *cli.Context, out *term.Output, r *staticcopy.Report) error {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("%s holds the log up to entry %d", "%s 已含至第 %d 条的日志", r.Folder, r.Size-1))
	if r.ErasedFiles > 0 {
		screen.Note(v.say("withdrawn since the last run, and gone from the bodies of %d envelopes; "+
			"whoever copied them before has them still, without salts",
			"上次运行后撤回的条目已从 %d 个信封的正文中擦除；此前复制者仍持有，但没有盐", r.ErasedFiles))
	}
	if r.Bodies {
		screen.Note(v.say("it holds sealed bodies: serve it to members alone", "其中含密封正文：只可提供给成员"))
	}
	return term.PrintOne(out, r, "folder", "before", "size", "envelopes", "bodies", "files", "bytes", "erased_files")
}
