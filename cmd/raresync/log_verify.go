package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/staticcopy"
	"github.com/raresync/raresync/registry/certificate"
)

func logVerifyCommand() *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "verify a copy of the log, a receipt or an erasure certificate, offline and trusting nobody",
		ArgsUsage: "[DIR|URL]",
		Description: "DIR is a copy of a node's data directory or of its ledger, or a static copy as log export writes it; URL\n" +
			"is a static copy on a web server (https://, or http:// at this machine). Everything is derived again from\n" +
			"the envelopes: the founders' approvals, every signature, sequence, leaf and hash; the root\n" +
			"is then compared with the checkpoint's, and the policy asked whether the checkpoint is\n" +
			"valid. The checkpoint may be smaller than a node's copy. Exit code 5: something does not verify.\n\n" +
			"With --proof a receipt is verified instead, and given DIR, whether that copy's log holds the entry: what was\n" +
			"lost at a recovery is named so. With --certificate what erasure show wrote: that the\n" +
			"withdrawal and the nodes' declarations lie in the log. Which nodes there ever were is its maker's word.\n\n" +
			"With --export a dataset that a reader handed out: every file, the reader's signature and act, the tree size and root.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "policy", Usage: "tlog-policy `FILE` (required)"},
			&cli.StringFlag{Name: "checkpoint", Usage: "signed checkpoint `FILE` (default: the one beside the ledger)"},
			&cli.StringFlag{Name: "proof", Usage: "receipt `FILE`, as log prove writes it"},
			&cli.StringFlag{Name: "certificate", Usage: "erasure certificate `FILE`, as erasure show --copy writes it"},
			&cli.StringFlag{Name: "export", Usage: "`DIR` that export dataset wrote"},
			&cli.StringFlag{Name: "leaf", Usage: "the receipt's leaf in `HEX` (default: the one in the receipt)"},
		},
		Action: logVerify,
	}
}

func logVerify(c *cli.Context) error {
	if err := required(c, "policy"); err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	policy, err := readPolicy(c.String("policy"))
	if err != nil {
		return err
	}
	if c.String("proof") != "" {
		return verifyReceipt(c, out, policy)
	}
	if c.String("certificate") != "" {
		return verifyCertificate(c, out, policy)
	}
	if c.String("export") != "" {
		return verifyExport(c, out, policy)
	}
	return verifyCopy(c, out, policy)
}

func verifyCertificate(c *cli.Context, out *term.Output, policy *tlog.Policy) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	file, err := readUpTo(c.String("certificate"), certificate.MaxBytes)
	if err != nil {
		return err
	}
	file = bytes.ReplaceAll(file, []byte("\r\n"), []byte("\n")) // as mail and editors of some systems write lines
	erased, err := audit.Certificate(file, policy)
	if err != nil {
		return err
	}
	return term.PrintOne(out, erased)
}

func readPolicy(path string) (*tlog.Policy, error) {
	raw, err := readPublic(path)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	policy, err := tlog.ParsePolicy(raw)
	if err != nil {
		return nil, invalid(path, err)
	}
	return policy, nil
}

func verifyReceipt(c *cli.Context, out *term.Output, policy *tlog.Policy) error {
	args, err := arguments(c, 0, 1)
	if err != nil {
		return err
	}
	var leaf []byte
	if text := c.String("leaf"); text != "" {
		var err error
		if leaf, err = hex.DecodeString(text); err != nil {
			return usagef("--leaf is not hexadecimal")
		}
	}
	receipt, err := readPublic(c.String("proof"))
	if err != nil {
		return err
	}
	proven, err := audit.Receipt(leaf, receipt, policy)
	if err == nil && len(args) == 1 {
		shown := progressOf(term.NewScreen(c.App.ErrWriter))
		err = audit.ReceiptIn(args[0], leaf, receipt, shown.envelopes)
		shown.close()
	}
	if err != nil {
		return err
	}
	return term.PrintOne(out, proven)
}

var errNoDirectory = errors.New("it is a file, and a copy of a log is a directory")

func verifyCopy(c *cli.Context, out *term.Output, policy *tlog.Policy) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	static, err := staticAddress(args[0])
	if err != nil {
		return err
	}
	o := audit.Options{Policy: policy}
	if path := c.String("checkpoint"); path != "" {
		if o.Note, err = audit.ReadNote(path); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	screen := term.NewScreen(c.App.ErrWriter)
	shown := progressOf(screen)
	var result *audit.Result
	if static == "" {
		o.Progress = shown.envelopes
		result, err = audit.Copy(args[0], o)
	} else {
		o.Progress = shown.counted("verifying entries")
		result, err = verifyStatic(c, static, o)
	}
	shown.close()
	if err != nil {
		return err
	}
	if !result.OwnPolicy {
		screen.Note("the policy given is not the one that the log's own founders make: compare it with other hospitals'")
	}
	if rest := result.Entries - result.Checkpoint; rest > 0 {
		screen.Note(fmt.Sprintf("%d entries lie beyond the checkpoint: well formed, not yet vouched for", rest))
	}
	if static != "" {
		screen.Note("a static copy has no salts: whether the sealed bodies, if it has any, are those committed to shows at a node's copy alone")
	}
	return term.PrintOne(out, result)
}

// staticAddress returns the address of a static copy, or "" for what is to be a
// node's own.
func staticAddress(arg string) (string, error) {
	if strings.Contains(arg, "://") {
		if _, err := config.ParseCopy(arg); err != nil {
			return "", usagef("%s", err)
		}
		return arg, nil
	}
	info, err := os.Stat(arg)
	if err == nil && !info.IsDir() {
		return "", hinted{invalid(arg, errNoDirectory), "name a copy of a data directory or of its ledger; a backup is verified with: raresync backup verify FILE"}
	}
	if _, err := os.Stat(filepath.Join(arg, staticcopy.DescriptionFile)); err != nil {
		return "", nil // whatever it is, the ledger's reader says it
	}
	whole, err := filepath.Abs(arg)
	return (&url.URL{Scheme: "file", Path: whole}).String(), err
}

func verifyStatic(c *cli.Context, address string, o audit.Options) (*audit.Result, error) {
	source, err := staticcopy.Open(address, nil)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	result, err := audit.Static(c.Context, source, o)
	if err != nil && !errors.Is(err, audit.ErrUnverified) && !errors.Is(err, staticcopy.ErrAbsent) && !strings.HasPrefix(address, "file:") {
		err = coded{exitRetry, err}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return result, nil
}
