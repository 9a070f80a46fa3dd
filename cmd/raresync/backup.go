package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
)

func backupCommand() *cli.Command {
	return &cli.Command{
		Name:        "backup",
		Usage:       "save this node's log to a file, verify such a file, restore a mirror from it, list those with salts",
		Subcommands: []*cli.Command{backupSaveCommand(), backupVerifyCommand(), backupRestoreCommand(), backupListCommand(), backupKeyCommand()},
	}
}

func backupListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the backups with salts that the network's nodes have declared, and when they expire",
		Description: "What is erased can be read from such a file until it is destroyed. The list has for each node the\n" +
			"most entries and the latest day that were declared. Files without salts are declared to nobody.",
		Action: func(c *cli.Context) error {
			out, declared, err := ask(c, "list backups", (*admin.Client).Backups)
			if err != nil {
				return err
			}
			return term.Print(out, declared)
		},
	}
}

func backupVerifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "verify a backup on any machine, offline",
		ArgsUsage: "FILE",
		Description: "Every byte is compared with the file's sums, everything is derived again from the genesis and\n" +
			"compared with manifest and checkpoint. Without --policy the checkpoint must be valid for the\n" +
			"founders that the file itself names: compare the network id that is printed with your own.\n" +
			"Exit code 5: something does not verify.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "policy", Usage: "tlog-policy `FILE`, as raresync log policy prints it"},
			identityFlag(),
		},
		Action: backupVerify,
	}
}

func identityFlag() cli.Flag {
	return &cli.StringFlag{Name: "identity", Usage: "key `FILE` that opens the salts, as raresync backup key made it"}
}

// fileArgument returns the one argument, which names a file.
func fileArgument(c *cli.Context) (string, error) {
	args, err := arguments(c, 1, 1)
	if err == nil && args[0] == "" {
		err = usagef("%s: the name of the FILE is empty", commandName(c))
	}
	if err != nil {
		return "", err
	}
	return args[0], nil
}

func backupVerify(c *cli.Context) error {
	path, err := fileArgument(c)
	if err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	o := backup.VerifyOptions{Now: time.Now()}
	if policy := c.String("policy"); policy != "" {
		if o.Policy, err = readPolicy(policy); err != nil {
			return err
		}
	}
	if o.Key, err = offlineKey(c); err != nil {
		return err
	}
	return withBackup(c, path, func(b *backup.Backup, shown *progress) error {
		o.Verifying = shown.envelopes
		report, err := b.Verify(o)
		shown.close()
		if err != nil {
			return wrongKey(err)
		}
		shown.screen.Done(fmt.Sprintf("%s is whole and verified", report.File))
		if o.Policy == nil {
			shown.screen.Note("verified against its own founders: compare the network id, or give a --policy")
		}
		if report.Expired {
			shown.screen.Note("the salts in this backup have expired: destroy the file")
		}
		return printReport(out, report)
	})
}

// offlineKey reads the key that --identity names; nil if it names none.
func offlineKey(c *cli.Context) (*offline.Key, error) {
	path := c.String("identity")
	if path == "" {
		return nil, nil
	}
	raw, err := readPublic(path)
	if err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	if err := private(path); err != nil {
		return nil, coded{exitKeys, fmt.Errorf("identity: %w", err)}
	}
	key, err := offline.ParseKey(string(raw))
	if err != nil {
		return nil, coded{exitKeys, fmt.Errorf("identity %s: %w", path, err)}
	}
	return &key, nil
}

// errShared reports a secret that other accounts of the machine may read.
var errShared = errors.New("others on this machine may read or write it; set it to 0600")

// private wants of the offline key what the node wants of its own.
func private(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s has mode %#o: %w", path, info.Mode().Perm(), errShared)
	}
	return err
}

func wrongKey(err error) error {
	if errors.Is(err, offline.ErrWrongKey) {
		return coded{exitKeys, err}
	}
	return err
}

// withBackup opens a backup for as long as do runs.
func withBackup(c *cli.Context, path string, do func(*backup.Backup, *progress) error) (err error) {
	shown := progressOf(term.NewScreen(c.App.ErrWriter))
	defer shown.close()
	b, err := backup.Open(path, shown.bytes("reading bytes"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return do(b, shown)
}

func backupRestoreCommand() *cli.Command {
	return &cli.Command{
		Name:      "restore",
		Usage:     "make this node's copy of the log from a backup, instead of pulling all of it",
		ArgsUsage: "FILE",
		Description: "For a mirror that has its keys and its network (raresync init, raresync found adopt) and has\n" +
			"never run, or whose log is gone. The file is verified first. Started again, the node fetches\n" +
			"what came later; without --identity also the salts, and until then it is not a copy.\n\n" +
			"A voter is never restored: it may have voted for what the file does not hold.",
		Flags:  []cli.Flag{identityFlag()},
		Action: backupRestore,
	}
}

func backupRestore(c *cli.Context) (err error) {
	path, err := fileArgument(c)
	if err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	key, err := offlineKey(c)
	if err != nil {
		return err
	}
	cfg, release, err := lockHome(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	o := backup.RestoreOptions{Node: cfg.Node.ID, Verify: backup.VerifyOptions{Key: key, Now: time.Now()}}
	if o.Genesis, err = home.ReadGenesis(cfg); err != nil {
		return err
	}
	if err := quarantined(cfg); err != nil {
		return fmt.Errorf("restore %s: %w", path, err)
	}
	if err := backup.Restorable(home.LogDir(cfg), o); err != nil {
		return unrestored(fmt.Errorf("restore %s: %w", path, err))
	}
	return withBackup(c, path, func(b *backup.Backup, shown *progress) error {
		o.Verify.Verifying = shown.envelopes
		report, err := b.Restore(home.LogDir(cfg), o)
		shown.close()
		if err != nil {
			return unrestored(err)
		}
		links, err := b.RestoreLinks(filepath.Join(cfg.Node.DataDir, home.LinksName))
		if err != nil {
			return err
		}
		if links {
			shown.screen.Done("the link file of the backup is in place; it opens with this hospital's own key")
		}
		shown.screen.Done(fmt.Sprintf("node %s holds the log up to entry %d; run it with: raresync serve", cfg.Node.ID, report.Entries))
		return printReport(out, report)
	})
}

// errNoRoom reports a disk without the room for what was begun. Nothing that a
// node has was touched.
var errNoRoom = errors.New("the disk has not the room")

// unrestored adds to an error of a restore what the person can do.
func unrestored(err error) error {
	switch {
	case errors.Is(err, backup.ErrVoter):
		return hinted{coded{exitForbidden, err}, "start the voter without a copy: it catches up from the others. If it ran before and its disk is gone, make a new node with: raresync init DIR"}
	case errors.Is(err, backup.ErrHasLog):
		return hinted{coded{exitForbidden, err}, "a node that has a log catches up by itself: start it with: raresync serve"}
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%w: %w", errNoRoom, err)
	}
	return wrongKey(err)
}

func printReport(out *term.Output, r *backup.Report) error {
	return term.PrintOne(out, r, "file", "network", "network_id", "node", "made", "envelopes", "entries", "root", "state_sha256",
		"cosigned", "cosigners", "salts", "salts_expire", "bytes")
}

// progress shows one thing after the other on a screen.
type progress struct {
	screen *term.Screen
	now    *term.Progress
}

func progressOf(screen *term.Screen) *progress { return &progress{screen: screen} }

func (p *progress) begin(label string, total uint64) *term.Progress {
	p.close()
	p.now = p.screen.Progress(label, int64(total))
	return p.now
}

// close ends what is being shown, if anything is.
func (p *progress) close() {
	if p.now != nil {
		p.now.Close()
		p.now = nil
	}
}

func (p *progress) bytes(label string) func(uint64) func(int) {
	return func(total uint64) func(int) {
		now := p.begin(label, total)
		return func(n int) { now.Add(int64(n)) }
	}
}

func (p *progress) envelopes(total uint64) func() { return p.counted("verifying envelopes")(total) }

func (p *progress) counted(label string) func(uint64) func() {
	return func(total uint64) func() {
		now := p.begin(label, total)
		return func() { now.Add(1) }
	}
}
