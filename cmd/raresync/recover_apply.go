package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/survivor"
)

func recoverApplyCommand() *cli.Command {
	return &cli.Command{
		Name:      "apply",
		Usage:     "begin the new log epoch on this stopped node",
		ArgsUsage: "RECOVERY",
		Description: "Checks the recovery with this node's own copy, shows what it does, and asks. Killed on the way, the same\n" +
			"command finishes it, and the node does not start before. Once every survivor has applied it, start them.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "apply without being asked"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only check it with this node's copy"},
		},
		Action: recoverApply,
	}
}

func recoverApply(c *cli.Context) (err error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	raw, err := readUpTo(args[0], survivor.MaxFileBytes)
	if err != nil {
		return err
	}
	r, err := survivor.Parse(raw)
	if err != nil {
		return invalid(args[0], err)
	}
	n, err := openStopped(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	b := consensus.Beginning{Recovery: r.Envelope, From: r.From}
	for _, h := range r.Tail {
		b.Tail = append(b.Tail, consensus.Pulled(h))
	}
	d, err := n.Check(b)
	if errors.Is(err, consensus.ErrBegun) {
		screen.Done(v.say("%s is in log epoch %d already", "%s 已处于日志第 %d 纪元", n.id, r.Act.Epoch))
		return nil
	}
	if err != nil {
		return unapplied(err)
	}
	tellRecovery(c, d)
	if c.Bool("dry-run") {
		screen.Done(v.say("it fits this node's copy; nothing was changed", "与本节点的副本相符；未作更改"))
		return nil
	}
	if !c.Bool("yes") && !agrees(c, v.say("\nThis cannot be undone on any node. Begin it on %s? Type yes: ", "\n此操作在任何节点上都无法撤销。在 %s 上开始？输入 yes 确认：", n.id)) {
		return coded{exitForbidden, hinted{errLeftAlone, "answer yes, or give --yes"}}
	}
	if err := n.Begin(b); err != nil {
		return err
	}
	tellPart(c, n.id, d)
	return nil
}

// unapplied gives the reasons why a recovery does not fit their exit codes.
func unapplied(err error) error {
	for _, other := range []error{consensus.ErrBeyondCut, consensus.ErrShortCopy, consensus.ErrHalfBegun} {
		if errors.Is(err, other) {
			return coded{exitForbidden, err}
		}
	}
	return coded{exitInvalid, err}
}

func tellPart(c *cli.Context, id string, d *act.Recovery) {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if d.Votes(id) {
		screen.Done(v.say("%s is a voter of log epoch %d: start it once every survivor has applied the file", "%s 是日志第 %d 纪元的投票节点：所有幸存节点都执行后再启动", id, d.Epoch))
		return
	}
	screen.Done(v.say("%s is a mirror in log epoch %d: start it", "%s 是日志第 %d 纪元的镜像节点：可以启动", id, d.Epoch))
}
