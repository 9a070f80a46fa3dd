package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/custody"
	"github.com/raresync/raresync/daemon/home"
)

const (
	minPassphrase      = 16 // characters; six words of a word list are far above it
	maxPassphraseBytes = 4096
)

func keyProtectCommand() *cli.Command {
	return &cli.Command{
		Name:      "protect",
		Usage:     "seal the key file anew, copy it for the safe, or keep former sealing keys offline",
		ArgsUsage: "[FILE...]",
		Description: "The daemon is stopped meanwhile. Without a choice the key file is sealed under a new file key and\n" +
			"the old file key is destroyed; cut short, it is run again.\n\n" +
			"  --copy FILE      a copy of the key file, sealed with a passphrase, for the safe\n" +
			"  --put-back FILE  make the key file from such a copy, where it was lost\n" +
			"  --custody A B C  take a reader's former sealing keys offline: three files or folders, one for\n" +
			"                   each keeper, of which any two bring them back\n" +
			"  --restore A B    bring them back, to open what was sealed to them; take them offline again after\n\n" +
			"Passphrases are typed, twice where they seal, or come from --passphrase-file, once for each FILE in\n" +
			"its order.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "copy", Usage: "write a copy to FILE"},
			&cli.BoolFlag{Name: "put-back", Usage: "make the lost key file from the copy FILE"},
			&cli.BoolFlag{Name: "custody", Usage: "split former sealing keys among three files"},
			&cli.BoolFlag{Name: "restore", Usage: "bring keys back from two of the files"},
			&cli.StringSliceFlag{Name: "passphrase-file", Usage: "read a passphrase from the first line of `FILE` (/dev/fd/3 for a descriptor)"},
			yesFlag(),
		},
		Action: keyProtect,
	}
}

func keyProtect(c *cli.Context) (err error) {
	chosen, files := 0, 0
	for name, wants := range map[string]int{"copy": 1, "put-back": 1, "custody": custody.Parts, "restore": custody.Needed} {
		if c.Bool(name) {
			chosen, files = chosen+1, wants
		}
	}
	if chosen > 1 {
		return usagef("choose one of --copy, --put-back, --custody and --restore")
	}
	paths, err := arguments(c, files, files)
	if err != nil {
		return err
	}
	if c.Bool("put-back") {
		return keyPutBack(c, paths)
	}
	cfg, keys, release, err := openHome(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	screen := term.NewScreen(c.App.ErrWriter)
	if chosen == 0 {
		if err := confirm(c, "Seal the key file under a new file key, and destroy the old one?"); err != nil {
			return err
		}
		if err := home.Reseal(cfg); err != nil {
			return err
		}
		screen.Done("the key file is sealed under a new file key; older copies of both open only with each other: destroy them")
		return nil
	}
	if c.Bool("custody") {
		if err := confirm(c, fmt.Sprintf("Take %d former sealing keys off this machine?", len(keys.Former))); err != nil {
			return err
		}
	}
	keepers, err := keepersOf(c, paths)
	if err != nil {
		return err
	}
	switch {
	case c.Bool("copy"):
		if err := home.CopyKeys(cfg, keepers[0].Path, keepers[0].Passphrase); err != nil {
			return err
		}
		screen.Done(keepers[0].Path + " is this node for whoever has it and the passphrase: lock it away, and the passphrase elsewhere")
	case c.Bool("custody"):
		n, err := home.TakeOffline(cfg, [custody.Parts]home.Keeper(keepers))
		if err != nil {
			return err
		}
		screen.Done(fmt.Sprintf("%d keys are offline: give each file to its keeper, and remove it here", n))
	default:
		n, err := home.BringBack(cfg, [custody.Needed]home.Keeper(keepers))
		if err != nil {
			return err
		}
		screen.Done(fmt.Sprintf("%d keys are back: take them offline again when the old entries were read", n))
	}
	return nil
}

// keyPutBack makes a lost key file from its copy.
func keyPutBack(c *cli.Context, paths []string) (err error) {
	cfg, release, err := lockHome(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	keepers, err := keepersOf(c, paths)
	if err != nil {
		return err
	}
	if err := home.PutBack(cfg, keepers[0].Path, keepers[0].Passphrase); err != nil {
		return err
	}
	term.NewScreen(c.App.ErrWriter).Done(cfg.Keys.File + " is back")
	return nil
}

// keepersOf gives each path its passphrase.
func keepersOf(c *cli.Context, paths []string) ([]home.Keeper, error) {
	from := c.StringSlice("passphrase-file")
	if len(from) > 0 && len(from) != len(paths) {
		return nil, usagef("%d --passphrase-file for %d files: give one for each, in their order", len(from), len(paths))
	}
	var out []home.Keeper
	for i, path := range paths {
		var passphrase string
		var err error
		if len(from) > 0 {
			passphrase, err = passphraseFile(from[i])
		} else {
			passphrase, err = typed(c, path, c.Bool("copy") || c.Bool("custody"))
		}
		if err != nil {
			return nil, fmt.Errorf("passphrase of %s: %w", path, err)
		}
		out = append(out, home.Keeper{Path: path, Passphrase: passphrase})
	}
	return out, nil
}

// readSecret reads a secret from a file that nobody else may read, or from a
// descriptor.
func readSecret(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = private(path)
	}
	if err != nil {
		return nil, coded{exitKeys, err}
	}
	return io.ReadAll(io.LimitReader(f, maxPassphraseBytes))
}

func passphraseFile(path string) (string, error) {
	raw, err := readSecret(path)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return checkPassphrase(strings.TrimSuffix(line, "\r"))
}

// typed asks for a passphrase at the terminal, twice if it will seal something.
func typed(c *cli.Context, path string, twice bool) (string, error) {
	first, err := term.ReadPassphrase(c.App.Reader, c.App.ErrWriter, "Passphrase of "+path+": ")
	if err == nil && twice {
		var second string
		second, err = term.ReadPassphrase(c.App.Reader, c.App.ErrWriter, "The same again: ")
		if err == nil && first != second {
			err = coded{exitInvalid, errors.New("the two differ")}
		}
	}
	if err != nil {
		return "", err
	}
	return checkPassphrase(first)
}

func checkPassphrase(p string) (string, error) {
	if n := len([]rune(p)); n < minPassphrase {
		return "", coded{exitInvalid, fmt.Errorf("%d characters are too few, want %d: six random words will do", n, minPassphrase)}
	}
	return p, nil
}
