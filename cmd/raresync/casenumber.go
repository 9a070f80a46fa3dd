package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/admin"
)

// What may be wrong with a case number.
var (
	errWrongDigit    = errors.New("a character that no case number has")
	errTooFewDigits  = errors.New("too few digits")
	errTooManyDigits = errors.New("too many digits")
	errSwappedDigits = errors.New("two neighbouring digits are probably swapped")
	errWrongCheck    = errors.New("the check digits do not fit")
)

func caseNumberCommand() *cli.Command {
	return &cli.Command{
		Name:        "case-number",
		Usage:       "check a printed case number, or find the patient's papers behind it",
		Subcommands: []*cli.Command{caseNumberCheckCommand(), caseNumberLinkCommand()},
	}
}

func caseNumberCheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "check the check digits of a case number and, if the daemon runs, whether it is this hospital's",
		ArgsUsage: "NUMBER",
		Description: "Reads lower case, I and L for 1, O for 0, and spaces and dashes anywhere. Says what is wrong with\n" +
			"a number. Exit code 7: no case number, 8: not one of this hospital's.",
		Action: checkCaseNumber,
	}
}

// caseNumberRow is what is known of a case number.
type caseNumberRow struct {
	admin.Handle
	Checked bool `json:"check_digits"` // they fit
	Asked   bool `json:"asked"`        // the daemon answered for this hospital
}

func checkCaseNumber(c *cli.Context) error {
	args, err := arguments(c, 1, -1) // typed with spaces it is several
	if err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	number, err := readCaseNumber(strings.Join(args, " "))
	if err != nil {
		return err
	}
	row := caseNumberRow{Handle: admin.Handle{CaseNumber: number.String()}, Checked: true}
	found, err := askCaseNumber(c, number)
	switch {
	case unasked(err):
		term.NewScreen(c.App.ErrWriter).Note("the check digits fit; no daemon was asked whether this hospital has the number")
		return term.PrintOne(out, row, "case_number", "check_digits", "asked")
	case err != nil:
		return fmt.Errorf("the check digits fit, but: %w", err)
	}
	row.Handle, row.Asked = found, true
	return term.PrintOne(out, row, "case_number", "check_digits", "asked", "entries", "cases", "linked")
}

func askCaseNumber(c *cli.Context, number pseudonym.CaseNumber) (admin.Handle, error) {
	daemon, err := client(c)
	if err != nil {
		return admin.Handle{}, err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	return daemon.CaseNumber(ctx, number.String())
}

// unasked reports that there was no daemon to ask.
func unasked(err error) bool {
	return errors.Is(err, admin.ErrUnreachable) || errors.Is(err, errNoConfig)
}

// readCaseNumber reads a number as typed, or says which fault it has.
func readCaseNumber(typed string) (pseudonym.CaseNumber, error) {
	found := pseudonym.CheckCaseNumber(typed)
	var what error
	switch found.Fault {
	case pseudonym.NoFault:
		return found.Number, nil
	case pseudonym.WrongDigit:
		what = fmt.Errorf("%w, digit %d", errWrongDigit, found.At)
	case pseudonym.TooFewDigits:
		what = fmt.Errorf("%w: %d of 14", errTooFewDigits, found.Digits)
	case pseudonym.TooManyDigits: // a document's number perhaps, which the list of processes then shows
		what = fmt.Errorf("%w: %d instead of 14", errTooManyDigits, found.Digits)
		if found.Digits%14 == 0 {
			what = fmt.Errorf("%w; check one number at a time", what)
		}
	case pseudonym.SwappedDigits:
		what = fmt.Errorf("%w, digits %d and %d", errSwappedDigits, found.At, found.At+1)
	default:
		what = errWrongCheck
	}
	return 0, coded{exitInvalid, fmt.Errorf("%w: %w", pseudonym.ErrCaseNumber, what)}
}
