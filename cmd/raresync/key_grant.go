package main

import (
	"context"
	"fmt"
	"strconv"

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
			"ended by the same command. It answers how many envelopes were granted, how many the reader had before,\n" +
			"and how many this node could not open itself.",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "from", Usage: "begin with the envelope of `ENTRY`", DefaultText: "the first"},
			&cli.Uint64Flag{Name: "to", Usage: "end with the envelope of `ENTRY`", DefaultText: "the newest"}, yesFlag(),
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
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	in := admin.KeyGrant{Institution: uint32(number), From: c.Uint64("from"), To: c.Uint64("to")}
	ctx, cancel := within(c, grantTimeout)
	defer cancel()
	question, err := grantQuestion(ctx, c, daemon, in)
	if err != nil {
		return err
	}
	if err := confirm(c, question); err != nil {
		return err
	}
	v := voiceOf(c)
	screen := term.NewScreen(c.App.ErrWriter)
	var last admin.KeyGranting
	var shown *term.Progress
	err = daemon.Grant(ctx, in, func(p admin.KeyGranting) {
		if shown == nil {
			shown = screen.Progress(v.say("looking at envelopes", "检查信封"), int64(p.Of))
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
		return hinted{fmt.Errorf("the grant was cut short after %d envelopes", last.Granted), "run the same command again: it goes on from there"}
	}
	if last.Unopened > 0 {
		screen.Note(v.say("%d envelopes do not open on this node and were left out", "有 %d 个信封在本节点无法启封，已略过", last.Unopened))
	}
	return term.PrintOne(out, last, "first", "last", "granted", "had_before", "unopened")
}

// grantQuestion has the daemon refuse what cannot be granted, and says what
// would be.
func grantQuestion(ctx context.Context, c *cli.Context, daemon *admin.Client, in admin.KeyGrant) (string, error) {
	var over admin.KeyGranting
	in.DryRun = true
	if err := daemon.Grant(ctx, in, func(p admin.KeyGranting) { over = p }); err != nil {
		return "", err
	}
	members, err := daemon.Members(ctx)
	if err != nil {
		return "", fmt.Errorf("grant: %w", err)
	}
	rights := "none"
	for _, m := range members {
		if m.Number == in.Institution {
			rights = m.Rights
		}
	}
	v := voiceOf(c)
	return v.say("Let %s, rights %s, open what envelopes %d to %d hold, for ever?", "允许%s（读取权 %s）永久启封第 %d 至 %d 号信封的内容？",
		namesOf(v, members).of(in.Institution), rights, over.First, over.Last), nil
}
