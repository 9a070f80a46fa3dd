package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/custody"
	"github.com/raresync/raresync/daemon/config"
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
		ArgsUsage: "[FILE | A B C | A B]",
		Description: "The daemon is stopped meanwhile. Without a choice the key file is sealed under a new file key and\n" +
			"the old file key is destroyed; cut short, it is run again.\n\n" +
			"  --copy FILE      a copy of the key file, sealed with a passphrase, for the safe\n" +
			"  --put-back FILE  make the key file from such a copy, where it was lost\n" +
			"  --custody A B C  take a reader's former sealing keys offline: three files or folders, one for\n" +
			"                   each keeper, of which any two bring them back\n" +
			"  --restore A B    bring them back from two of the files, or the folders that hold one each, to open\n" +
			"                   what was sealed to them; take them offline again after\n\n" +
			"Passphrases are typed, twice where they seal, or come from --passphrase-file, once for each FILE in\n" +
			"its order. Each keeper has another one.",
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
	chosen, paths, err := protectArguments(c)
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
	if chosen == "" {
		return keyReseal(c, cfg)
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if chosen == "custody" && len(keys.Former) > 0 { // else there is nothing to ask about
		if err := confirm(c, v.say("Take %d former sealing keys off this machine?", "将 %d 个以前的密封密钥移出本机？", len(keys.Former))); err != nil {
			return err
		}
	}
	keepers, err := keepersOf(c, paths)
	if err != nil {
		return err
	}
	switch chosen {
	case "copy":
		if err := home.CopyKeys(cfg, keepers[0].Path, keepers[0].Passphrase); err != nil {
			return err
		}
		screen.Done(v.say("%s is this node for whoever has it and the passphrase: lock it away, and the passphrase elsewhere",
			"%s 连同口令等于本节点：请锁好该文件，口令另行存放", keepers[0].Path))
	case "custody":
		n, err := home.TakeOffline(cfg, [custody.Parts]home.Keeper(keepers))
		if err != nil {
			return err
		}
		screen.Done(v.say("%d keys are offline: give each file to its keeper, and remove it here", "%d 个密钥已离线：请将各文件交给保管人，并从本机删除", n))
	default:
		n, err := home.BringBack(cfg, [custody.Needed]home.Keeper(keepers))
		if err != nil {
			return err
		}
		if n == 0 {
			screen.Done(v.say("the keys were here already: take them offline again when the old entries were read", "密钥本来就在：读完旧条目后请再次离线保管"))
			return nil
		}
		screen.Done(v.say("%d keys are back: take them offline again when the old entries were read", "%d 个密钥已恢复：读完旧条目后请再次离线保管", n))
	}
	return nil
}

// protectArguments returns which of the choices is made, "" without one, and the
// files that it works with.
func protectArguments(c *cli.Context) (chosen string, paths []string, err error) {
	files := 0
	for _, one := range []struct {
		name  string
		wants int
	}{{"copy", 1}, {"put-back", 1}, {"custody", custody.Parts}, {"restore", custody.Needed}} {
		if !c.Bool(one.name) {
			continue
		}
		if chosen != "" {
			return "", nil, usagef("choose one of --copy, --put-back, --custody and --restore")
		}
		chosen, files = one.name, one.wants
	}
	paths = c.Args().Slice()
	switch {
	case chosen == "" && len(paths) > 0:
		return "", nil, usagef("key protect alone takes no file: choose one of --copy, --put-back, --custody and --restore")
	case len(paths) == files:
		return chosen, paths, eachOnce(paths)
	case files == 1:
		return "", nil, usagef("key protect --%s takes one file, and %d are named", chosen, len(paths))
	}
	return "", nil, usagef("key protect --%s takes %d files or folders, one for each keeper, and %d are named", chosen, files, len(paths))
}

// eachOnce refuses a file or folder that is named for two keepers: whoever has
// it would have two parts.
func eachOnce(paths []string) error {
	for i, path := range paths {
		for _, before := range paths[:i] {
			a, errA := os.Stat(before)
			b, errB := os.Stat(path)
			if filepath.Clean(before) == filepath.Clean(path) || errA == nil && errB == nil && os.SameFile(a, b) {
				return usagef("%s and %s are the same: each keeper has a file or folder of its own", before, path)
			}
		}
	}
	return nil
}

// keyReseal seals the key file under a new file key.
func keyReseal(c *cli.Context, cfg config.Config) error {
	v := voiceOf(c)
	if err := confirm(c, v.say("Seal the key file under a new file key, and destroy the old one?", "用新的文件密钥封存密钥文件，并销毁旧的文件密钥？")); err != nil {
		return err
	}
	if err := home.Reseal(cfg); err != nil {
		return err
	}
	term.NewScreen(c.App.ErrWriter).Done(v.say(
		"the key file is sealed under a new file key; older copies of both open only with each other: destroy them",
		"密钥文件已用新的文件密钥封存；两者的旧副本只能相互打开，请销毁"))
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
	term.NewScreen(c.App.ErrWriter).Done(voiceOf(c).say("%s is back", "%s 已恢复", cfg.Keys.File))
	return nil
}

// Why a passphrase is not taken.
var (
	errSamePassphrase = errors.New("two keepers have the same passphrase, so that one of them is enough")
	errTypedTwice     = errors.New("the two passphrases differ")
	errShort          = errors.New("the passphrase is too short")
)

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
		same := slices.IndexFunc(out, func(k home.Keeper) bool { return k.Passphrase == passphrase })
		if same >= 0 && c.Bool("custody") {
			return nil, coded{exitInvalid, fmt.Errorf("%w: those of %s and %s", errSamePassphrase, out[same].Path, path)}
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
	first, err := term.ReadPassphrase(c.App.Reader, c.App.ErrWriter, voiceOf(c).say("Passphrase of %s: ", "%s 的口令：", path))
	if err == nil && twice {
		var second string
		second, err = term.ReadPassphrase(c.App.Reader, c.App.ErrWriter, voiceOf(c).say("The same again: ", "请再输入一次："))
		if err == nil && first != second {
			err = coded{exitInvalid, errTypedTwice}
		}
	}
	if err != nil {
		return "", err
	}
	return checkPassphrase(first)
}

func checkPassphrase(p string) (string, error) {
	if n := len([]rune(p)); n < minPassphrase {
		return "", coded{exitInvalid, fmt.Errorf("%w: %d characters are too few, want %d", errShort, n, minPassphrase)}
	}
	return p, nil
}
