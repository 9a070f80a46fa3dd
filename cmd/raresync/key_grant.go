package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func keyGrantCommand() *cli.Command {
	return &cli.Command{
		Name:      "grant",
		Usage:     "give a new reader the keys of envelopes from before it was a reader",
		ArgsUsage: "INSTITUTION",
		Description: "On a national reader it gives whatever INSTITUTION has a right to, on a hospital the hospital's\n" +
			"own entries. The keys go wrapped to INSTITUTION's sealing key, as acts of at most 150 envelopes,\n" +
			"and are checked against what the log commits to. Envelopes are granted whole. What was granted\n" +
			"cannot be taken back; what was granted already is left out, so a grant that was cut short is\n" +
			"ended by the same command.",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "from", Usage: "begin with the envelope of `ENTRY` (default: the first)"},
			&cli.Uint64Flag{Name: "to", Usage: "end with the envelope of `ENTRY` (default: the newest)"}, yesFlag(),
		},
		Action: keyGrant,
	}
}

func keyGrant(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	number, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil {
		return usagef("institution %q: give its number, as raresync member list shows it", args[0])
	}
	out, daemon, err := askingOf(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, grantTimeout)
	defer cancel()
	members, err := daemon.Members(ctx)
	if err != nil {
		return fmt.Errorf("grant: %w", err)
	}
	name := "unknown"
	for _, m := range members {
		if uint64(m.Number) == number {
			name = strings.TrimSpace(m.NameEN+" "+m.NameZH) + ", rights " + m.Rights
		}
	}
	if err := confirm(c, fmt.Sprintf("Let institution %d (%s) open these old entries for ever?", number, term.Clean(name))); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	var last admin.KeyGranting
	var shown *term.Progress
	err = daemon.Grant(ctx, admin.KeyGrant{Institution: uint32(number), From: c.Uint64("from"), To: c.Uint64("to")}, func(p admin.KeyGranting) {
		if shown == nil {
			shown = screen.Progress("looking at envelopes", int64(p.Of))
		}
		shown.Add(int64(p.Looked - last.Looked))
		last = p
	})
	if shown != nil {
		shown.Close()
	}
	if err != nil {
		return err
	}
	if !last.Done {
		return hinted{fmt.Errorf("the grant was cut short after %d envelopes", last.Envelopes), "run the same command again: it goes on from there"}
	}
	if last.Closed > 0 {
		screen.Note(fmt.Sprintf("%d envelopes do not open on this node and were left out", last.Closed))
	}
	return term.PrintOne(out, last, "envelopes", "had", "closed")
}
