package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/offline"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
)

func backupSaveCommand() *cli.Command {
	return &cli.Command{
		Name:      "save",
		Usage:     "copy this node's log into a file, and verify the file",
		ArgsUsage: "FILE",
		Description: "The node may be running and goes on meanwhile. The copy ends where the newest checkpoint\n" +
			"does, is derived again from the genesis, and has its name only when that succeeded. It holds\n" +
			"no keys and no salts: nothing in it opens, and what is erased later stays erased.\n\n" +
			"With --with-salts the salts are in it, sealed to a key that raresync backup key made. The\n" +
			"network is told first, by an act, when the file will have been destroyed. Only such a backup\n" +
			"can bring back entries that no other node has any more.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "with-salts", Usage: "take the salts along; needs --to and the running daemon"},
			&cli.BoolFlag{Name: "with-links", Usage: "take this hospital's link file along, sealed to the hospital's own key"},
			&cli.StringFlag{Name: "to", Usage: "`RECIPIENT` of the salts, age1pq1..., or a file with it"},
			&cli.IntFlag{Name: "expires", Value: 90, Usage: "destroy the file within `DAYS`, at most 399"},
			&cli.Float64Flag{Name: "limit", DefaultText: "no limit", Usage: "read at most `MIB` each second"},
		},
		Action: backupSave,
	}
}

func backupSave(c *cli.Context) (err error) {
	path, err := fileArgument(c)
	if err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	if limit := c.Float64("limit"); !(limit >= 0) || math.IsInf(limit, 0) {
		return usagef("--limit %g: want a number of MiB, or 0 for no limit", limit)
	}
	to, err := saltsRecipient(c)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	if err != nil {
		return err
	}
	o, release, err := saveOptions(c, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if c.Bool("with-links") {
		o.Links = filepath.Join(cfg.Node.DataDir, home.LinksName)
		if _, err := os.Stat(o.Links); err != nil {
			return fmt.Errorf("--with-links: %w", err)
		}
	}
	screen := term.NewScreen(c.App.ErrWriter)
	if to != nil {
		if o.Salts, err = declaredSalts(c, screen, *to, o.Note); err != nil {
			return err
		}
	}
	shown := progressOf(screen)
	defer shown.close()
	o.Copying, o.Verifying = shown.bytes("copying bytes"), shown.envelopes
	report, err := backup.Save(c.Context, path, o)
	shown.close()
	if err != nil {
		return unsaved(cfg, err)
	}
	screen.Done(fmt.Sprintf("%s is whole and verified: keep it away from this machine", report.File))
	return printReport(out, report)
}

// saltsRecipient returns to whom salts are sealed; nil without --with-salts.
func saltsRecipient(c *cli.Context) (*offline.Recipient, error) {
	text := c.String("to")
	switch {
	case !c.Bool("with-salts") && c.IsSet("expires"):
		return nil, usagef("--expires is for --with-salts: what holds no salts need not be destroyed")
	case !c.Bool("with-salts") && text == "":
		return nil, nil
	case !c.Bool("with-salts"):
		return nil, usagef("--to is for --with-salts")
	case text == "":
		return nil, usagef("--with-salts needs --to: make a key with raresync backup key")
	case c.Int("expires") < 1 || c.Int("expires") > 399:
		return nil, usagef("--expires %d: want 1 to 399 days", c.Int("expires"))
	}
	if !strings.HasPrefix(text, "age1") {
		raw, err := readPublic(text)
		if err != nil {
			return nil, fmt.Errorf("recipient: %w", err)
		}
		text = string(raw)
	}
	to, err := offline.ParseRecipient(text)
	if err != nil {
		return nil, coded{exitInvalid, fmt.Errorf("--to: %w", err)}
	}
	return &to, nil
}

// saveOptions finds out where the backup ends: a running daemon is asked, a
// stopped node's directory is locked and read. release ends the lock.
func saveOptions(c *cli.Context, cfg config.Config) (o backup.SaveOptions, release func() error, err error) {
	release = func() error { return nil }
	node := filepath.Join(cfg.Node.DataDir, "node")
	o = backup.SaveOptions{
		Ledger: filepath.Join(node, "ledger"), Node: cfg.Node.ID, Version: version, Now: time.Now(),
		BytesPerSecond: uint64(c.Float64("limit") * (1 << 20)),
	}
	if o.Genesis, err = home.ReadGenesis(cfg); err != nil {
		return o, release, err
	}
	if err := audit.CheckSalts(node); err != nil {
		return o, release, unsaved(cfg, fmt.Errorf("save backup: %w", err))
	}
	release, err = home.Lock(cfg.Node.DataDir)
	switch {
	case errors.Is(err, home.ErrInUse):
		release = func() error { return nil }
		o.Note, err = headNote(c)
	case err == nil:
		if o.Note, err = audit.ReadNote(filepath.Join(node, "checkpoint")); err != nil {
			err = errors.Join(fmt.Errorf("checkpoint of the stopped node: %w", err), release())
		}
	}
	return o, release, err
}

func headNote(c *cli.Context) ([]byte, error) {
	daemon, err := client(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	head, err := daemon.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("where to end the backup: %w", err)
	}
	return []byte(head.Note), nil
}

// errUndeclared reports that the network could not be told of a backup with
// salts, so that none was made.
var errUndeclared = errors.New("no backup was made")

// errNeedsRepair reports a ledger that cannot be read, and that the node mends
// when it starts.
var errNeedsRepair = errors.New("this node's copy needs a repair")

// unsaved adds to an error of [backup.Save] what the person can do.
func unsaved(cfg config.Config, err error) error {
	switch {
	case errors.Is(err, audit.ErrUnverified):
		return hinted{err, "this node's copy is damaged: raresync status says what the node makes of it"}
	case errors.Is(err, ledger.ErrDamaged):
		if why := quarantined(cfg); why != nil { // it repairs nothing any more
			return fmt.Errorf("%w: %w", why, err)
		}
		return fmt.Errorf("%w: %w", errNeedsRepair, err)
	case errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errUndeclared): // the daemon's socket may be what is missing
		return hinted{err, "make the folder of FILE first, or mount its disk"}
	}
	return err
}

// declaredSalts says how the salts are taken along, and tells the network
// before there is anything to tell of.
func declaredSalts(c *cli.Context, screen *term.Screen, to offline.Recipient, note []byte) (*backup.Salts, error) {
	size, err := backup.SizeOf(note)
	if err != nil {
		return nil, err
	}
	daemon, err := client(c)
	if err != nil {
		return nil, err
	}
	expire := time.Now().AddDate(0, 0, c.Int("expires")).Truncate(time.Second)
	tell := func() error {
		err := screen.Step("telling the network that this backup holds salts until "+expire.UTC().Format(time.RFC3339), func() error {
			return declare(c, daemon, admin.SaltsBackup{Size: size, Expiry: uint64(expire.UnixMilli())})
		})
		if err != nil {
			return fmt.Errorf("%w: %w", errUndeclared, err)
		}
		return nil
	}
	return &backup.Salts{To: to, Expire: expire, Declare: tell}, nil
}

func declare(c *cli.Context, daemon *admin.Client, b admin.SaltsBackup) error {
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	_, err := daemon.DeclareSaltsBackup(ctx, b)
	if errors.Is(err, context.Canceled) {
		return c.Context.Err()
	}
	return err
}

func backupKeyCommand() *cli.Command {
	return &cli.Command{
		Name:      "key",
		Usage:     "make the offline key that salts in backups are sealed to",
		ArgsUsage: "FILE",
		Description: "Run it on a machine without a network. FILE is the secret: print it, or put it on a token, and\n" +
			"lock it away. What is printed is the recipient, which the nodes may know.",
		Action: backupKey,
	}
}

func backupKey(c *cli.Context) error {
	path, err := fileArgument(c)
	if err != nil {
		return err
	}
	key, err := offline.NewKey()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write key: %w", err)
	}
	_, err = fmt.Fprintf(f, "# opens the salts in raresync backups; keep it offline\n%s\n", key.Text())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write key: %w", errors.Join(err, os.Remove(path)))
	}
	_, err = fmt.Fprintln(c.App.Writer, key.Recipient())
	return err
}
