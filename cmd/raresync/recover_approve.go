package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/survivor"
)

func recoverApproveCommand() *cli.Command {
	return &cli.Command{
		Name:      "approve",
		Usage:     "read a draft, compare it with the own copy, and sign it as a lead hospital",
		ArgsUsage: "DRAFT",
		Description: "Shows what is approved and asks. A copy that holds more than the draft keeps is refused: its survey\n" +
			"belongs into another draft. Ask the others by telephone that the lost voters are lost for good. A founder\n" +
			"that has its keys and genesis left, and no copy, signs without comparing anything, and is told so.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, DefaultText: "recovery-approval-N.pem, N = the own number", Usage: "write the approval to `FILE`"},
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "approve without being asked"},
		},
		Action: recoverApprove,
	}
}

func readRecoveryDraft(path string) (*survivor.Draft, error) {
	raw, err := readUpTo(path, survivor.MaxDraftBytes)
	if err != nil {
		return nil, err
	}
	d, err := survivor.ParseDraft(raw)
	if err != nil {
		return nil, invalid(path, err)
	}
	return d, nil
}

func recoverApprove(c *cli.Context) (err error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	d, err := readRecoveryDraft(args[0])
	if err != nil {
		return err
	}
	n, err := openStopped(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	number, err := n.institution()
	if err != nil {
		return err
	}
	if m, _ := n.View().Member(number); !m.Lead {
		return coded{exitForbidden, fmt.Errorf("institution %d is no lead hospital: its approval does not count", number)}
	}
	if err := n.Compare(d); err != nil {
		return planned(err)
	}
	tellRecovery(c, d.Recovery)
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if n.Blank() {
		screen.Failed(v.say("this node holds no copy of the log: nothing of the draft was compared", "本节点没有日志副本：未能核对草案"))
	}
	for _, s := range d.Surveys {
		screen.Note(v.say("surveyed: %s, %d envelopes, %s", "已勘查：%s，%d 个信封，%s", s.Node, s.Envelopes, time.UnixMilli(int64(s.At)).UTC().Format(time.RFC3339)))
	}
	if !c.Bool("yes") && !agrees(c, v.say("\nThis cannot be undone. Approve it as institution %d? Type yes: ", "\n此操作无法撤销。以第 %d 号机构的身份赞同？输入 yes 确认：", number)) {
		return coded{exitForbidden, hinted{errNotApprovedDraft, "answer yes, or give --yes"}}
	}
	p, err := d.Act.Approve(n.View().Network, number, n.keys.Envelope)
	if err != nil {
		return err
	}
	path := c.String("file")
	if path == "" {
		path = fmt.Sprintf("recovery-approval-%d.pem", number)
	}
	if err := create(c, path, d.MarshalApproval(p)); err != nil {
		return err
	}
	screen.Done(v.say("approved: send %s to the operator of %s", "已赞同：请将 %s 发给 %s 的运维人员", path, d.Base))
	return nil
}

func recoverFinishCommand() *cli.Command {
	return &cli.Command{
		Name:      "finish",
		Usage:     "put the approvals into the recovery, at the node that drafted it",
		ArgsUsage: "DRAFT APPROVAL...",
		Description: "The file holds entries that a copy lacks, sealed as in the log, with their salts: destroy it once\n" +
			"every survivor has applied it.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Value: "recovery.pem", Usage: "write the recovery to `FILE`"},
		},
		Action: recoverFinish,
	}
}

func recoverFinish(c *cli.Context) (err error) {
	args, err := arguments(c, 2, -1)
	if err != nil {
		return err
	}
	d, err := readRecoveryDraft(args[0])
	if err != nil {
		return err
	}
	approvals, err := recoveryApprovals(d, args[1:])
	if err != nil {
		return err
	}
	n, err := openStopped(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	if n.id != d.Base {
		return coded{exitForbidden, fmt.Errorf("%s made the draft and finishes it: its copy is the longest", d.Base)}
	}
	if err := n.Compare(d); err != nil {
		return planned(err)
	}
	r, err := finishRecovery(n, d, approvals)
	if err != nil {
		return err
	}
	if err := create(c, c.String("file"), r.Marshal()); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("every survivor begins log epoch %d with: raresync raft recover apply %s", "各幸存节点开始日志第 %d 纪元：raresync raft recover apply %s", d.Recovery.Epoch, c.String("file")))
	return nil
}

func recoveryApprovals(d *survivor.Draft, paths []string) (list []act.Approval, err error) {
	for _, path := range paths {
		raw, err := readPublic(path)
		if err != nil {
			return nil, err
		}
		p, err := d.ParseApproval(raw)
		if err != nil {
			return nil, invalid(path, err)
		}
		if slices.ContainsFunc(list, func(other act.Approval) bool { return other.Hospital == p.Hospital }) {
			return nil, invalid(path, fmt.Errorf("the approval of institution %d is given twice", p.Hospital))
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b act.Approval) int { return int(a.Hospital) - int(b.Hospital) })
	return list, nil
}

// finishRecovery signs the recovery act as the next of this node's institution, and
// checks on its own copy what every survivor will check.
func finishRecovery(n *stoppedNode, d *survivor.Draft, approvals []act.Approval) (*survivor.Recovery, error) {
	number, err := n.institution()
	if err != nil {
		return nil, err
	}
	view, now := n.View(), time.Now()
	m, _ := view.Member(number)
	complete := *d.Act
	complete.Approvals = approvals
	e, err := envelope.BuildAct(envelope.Link{
		Network: view.Network, Hospital: number, Sequence: m.Chain.Sequence + 1, Previous: m.Chain.ID, SignedAt: uint64(now.UnixMilli()),
		Attempt: uint32(now.Unix()), // the outbox may have signed this sequence as attempt 1 already
	}, complete.Marshal(), n.keys.Envelope)
	if err != nil {
		return nil, err
	}
	from := view.Envelopes
	for _, s := range d.Surveys {
		from = min(from, s.Envelopes)
	}
	tail, err := n.Envelopes(from)
	if err != nil {
		return nil, err
	}
	r := &survivor.Recovery{Envelope: e, Act: d.Recovery, From: from}
	bytes := 0
	for _, p := range tail {
		bytes += len(p.Envelope)
		r.Tail = append(r.Tail, survivor.Held(p))
	}
	if bytes > survivor.MaxTailBytes {
		return nil, coded{exitForbidden, fmt.Errorf("the shortest copy, of %d envelopes, lacks %d MiB, and a recovery file brings at most %d: leave its survey out",
			from, bytes>>20, survivor.MaxTailBytes>>20)}
	}
	if _, err := n.Check(consensus.Beginning{Recovery: e, From: from, Tail: tail}); err != nil {
		return nil, coded{exitInvalid, err}
	}
	return r, nil
}
