package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/survivor"
)

func recoverDraftCommand() *cli.Command {
	return &cli.Command{
		Name:      "draft",
		Usage:     "compare the surveys and draft how the network goes on, at the node with the longest copy",
		ArgsUsage: "SURVEY...",
		Description: "Every other copy has to be the beginning of this one; if two contradict each other nothing is drafted.\n" +
			"Voters that are left vote on, and mirrors named with --promote vote too; voters that nobody surveyed are\n" +
			"shut out. Says what is lost, and with --receipt what becomes of receipts, as log prove writes them.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "promote", Usage: "a surveyed mirror `NODE` that becomes a voter"},
			&cli.StringSliceFlag{Name: "fence", Usage: "a further `NODE` that is lost, and is shut out"},
			&cli.StringSliceFlag{Name: "receipt", Usage: "receipt `FILE` to look up in this copy"},
			&cli.IntFlag{Name: "days", Value: 30, Usage: "the approvals hold for `DAYS`, at most 90"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Value: "recovery-draft.pem", Usage: "write the draft to `FILE`"},
		},
		Action: recoverDraft,
	}
}

func recoverDraft(c *cli.Context) (err error) {
	paths, err := arguments(c, 1, survivor.MaxSurveys)
	if err != nil {
		return err
	}
	if days := c.Int("days"); days < 1 || days > 90 {
		return usagef("--days %d: want 1 to 90", days)
	}
	surveys, err := readSurveys(paths)
	if err != nil {
		return err
	}
	n, err := openStopped(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	plan, err := n.Plan(surveys, c.StringSlice("promote"), c.StringSlice("fence"))
	if err != nil {
		return planned(err)
	}
	view := n.View()
	a := &act.Act{
		Version: act.Version, Type: act.TypeRecovery, RosterVersion: view.RosterVersion, Payload: plan.Recovery.Marshal(),
		Expiry: max(view.LogTime, uint64(time.Now().UnixMilli())) + uint64(c.Int("days"))*24*60*60*1000,
	}
	tellRecovery(c, plan.Recovery)
	tellLoss(c, plan)
	if err := tellReceipts(c, n, c.StringSlice("receipt")); err != nil {
		return err
	}
	d := survivor.Draft{Act: a, Recovery: plan.Recovery, Base: n.id, Surveys: surveys}
	if err := create(c, c.String("file"), d.Marshal()); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("drafted: %d lead hospitals approve %s with: raresync raft recover approve", "已起草：须有 %d 家牵头医院赞同 %s：raresync raft recover approve",
		view.Quorum, c.String("file")))
	return nil
}

// planned gives the errors of a plan their exit codes.
func planned(err error) error {
	switch {
	case errors.Is(err, consensus.ErrContradiction):
		return coded{exitUnproven, err}
	case errors.Is(err, consensus.ErrNotLongest), errors.Is(err, consensus.ErrMajorityLeft), errors.Is(err, consensus.ErrBeyondCut):
		return coded{exitForbidden, err}
	}
	return coded{exitInvalid, err}
}

// tellLoss says what is known to be lost.
func tellLoss(c *cli.Context, p *consensus.Plan) {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	switch size := p.Recovery.Size; {
	case p.Known > size:
		screen.Failed(v.say("LOST for certain: a survivor knows a checkpoint of %d entries; %d of them are in no copy", "确定丢失：某幸存节点知道含 %d 个条目的检查点，其中 %d 个不在任何副本中",
			p.Known, p.Known-size))
	default:
		screen.Note(v.say("no survivor knows a checkpoint beyond the cut; the lost voters may have signed one", "没有幸存节点知道切点之后的检查点；丢失的投票节点可能签署过"))
	}
	if len(p.Behind) > 0 {
		screen.Note(v.say("these copies end earlier, and get the rest with the recovery file: %s", "以下副本较短，缺少的部分随恢复文件补齐：%s", strings.Join(p.Behind, ", ")))
	}
}

// tellReceipts says of each receipt whether its entry is kept or lost.
func tellReceipts(c *cli.Context, n *stoppedNode, paths []string) error {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	for _, path := range paths {
		raw, err := readPublic(path)
		if err != nil {
			return err
		}
		f, err := n.FateOf(raw)
		if errors.Is(err, consensus.ErrContradiction) {
			return planned(err)
		}
		if err != nil {
			return coded{exitUnproven, fmt.Errorf("%s: %w", path, err)}
		}
		if f.Kept {
			screen.Done(v.say("%s: entry %d is kept", "%s：条目 %d 保留", path, f.Index))
			continue
		}
		screen.Failed(v.say("%s: entry %d, under a checkpoint of %d entries, is lost at the recovery: its hospital sends it again",
			"%s：条目 %d（检查点含 %d 个条目）在恢复时丢失：须由医院重新发送", path, f.Index, f.Checkpoint))
	}
	return nil
}
