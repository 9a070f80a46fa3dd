package main

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/survivor"
)

func recoverCommand() *cli.Command {
	return &cli.Command{
		Name:  "recover",
		Usage: "go on with a network that lost the majority of its voters for good; all nodes are stopped",
		Description: "Only if the lost voters will never come back. Every node that is left is stopped and surveyed; the\n" +
			"one with the longest copy drafts how to go on, and says what is lost; lead hospitals approve; the same\n" +
			"file then begins a new log epoch on each of them. docs/OPERATIONS.md leads through it.",
		Subcommands: []*cli.Command{
			recoverSurveyCommand(), recoverDraftCommand(), recoverApproveCommand(), recoverFinishCommand(), recoverApplyCommand(),
		},
	}
}

// errLeftAlone reports that the person was asked and did not say yes.
var errLeftAlone = errors.New("nothing was changed")

// stoppedNode is a node whose daemon does not run, with its copy of the log.
type stoppedNode struct {
	*consensus.Survivor
	id      string
	keys    *home.Keys
	release func() error
}

// openStopped locks the node's data directory and opens its copy.
func openStopped(c *cli.Context) (*stoppedNode, error) {
	cfg, keys, release, err := openHome(c)
	if err != nil {
		return nil, err
	}
	n := &stoppedNode{id: cfg.Node.ID, keys: keys, release: release}
	genesis, err := home.ReadGenesis(cfg)
	if err == nil {
		n.Survivor, err = consensus.OpenSurvivor(consensus.SurvivorConfig{
			Self: cfg.Node.ID, Dir: home.LogDir(cfg), Genesis: genesis, Logger: slog.New(slog.DiscardHandler),
		})
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	return n, nil
}

// close closes the copy and gives the data directory free.
func (n *stoppedNode) close() error { return errors.Join(n.Survivor.Close(), n.release()) }

// institution returns the number of the node's institution, whose envelope key, as
// the roster of its copy has it, must be here.
func (n *stoppedNode) institution() (uint32, error) {
	node, ok := n.View().Node(n.id)
	if !ok {
		return 0, coded{exitForbidden, fmt.Errorf("node %s is not in the roster of its own copy", n.id)}
	}
	m, _ := n.View().Member(node.Institution)
	if !n.Blank() && n.keys.Envelope.Public().ID() != m.Envelope.ID() {
		return 0, fmt.Errorf("%w: the envelope key is not that of institution %d at the end of this copy", home.ErrKeys, node.Institution)
	}
	return node.Institution, nil
}

func recoverSurveyCommand() *cli.Command {
	return &cli.Command{
		Name:  "survey",
		Usage: "say what this stopped node holds, in a signed file",
		Description: "Reads the whole copy and compares every byte, applies what Raft's log holds beyond it, and writes size,\n" +
			"root, and the newest checkpoint. Nothing in the data directory changes that a start would not change.\n" +
			"The file is public: it goes to whoever drafts.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, DefaultText: "survey-NODE.pem", Usage: "write the survey to `FILE`"},
		},
		Action: recoverSurvey,
	}
}

func recoverSurvey(c *cli.Context) (err error) {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	n, err := openStopped(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	if _, err := n.institution(); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	progress := screen.Progress(v.say("reading envelopes", "正在读取信封"), int64(n.View().Envelopes))
	err = n.Scan(func() { progress.Add(1) })
	progress.Close()
	if err != nil {
		return err
	}
	s, err := n.Survey(n.keys.Log)
	if err == nil {
		err = s.Sign(n.keys.Envelope)
	}
	if err != nil {
		return err
	}
	path := c.String("file")
	if path == "" {
		path = "survey-" + n.id + ".pem"
	}
	if err := create(c, path, s.Marshal()); err != nil {
		return err
	}
	screen.Done(v.say("%s, a %s, holds %d envelopes, %d entries, all of them sound", "%s（%s）持有 %d 个信封、%d 个条目，全部完好",
		n.id, v.cell("kind", s.Kind.String()), s.Envelopes, s.Size))
	screen.Note(v.say("do not start this node; send %s to whoever drafts the recovery", "请勿启动本节点；将 %s 发给起草恢复方案的一方", path))
	return nil
}

// readSurveys reads survey files.
func readSurveys(paths []string) (list []*survivor.Survey, err error) {
	for _, path := range paths {
		raw, err := readPublic(path)
		if err != nil {
			return nil, err
		}
		s, err := survivor.ParseSurvey(raw)
		if err != nil {
			return nil, invalid(path, err)
		}
		list = append(list, s)
	}
	return list, nil
}

// tellRecovery says what a recovery does, and what it leaves behind.
func tellRecovery(c *cli.Context, d *act.Recovery) {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	var voters []string
	for _, one := range d.Voters {
		voters = append(voters, one.Node)
	}
	screen.Note(v.say("log epoch %d begins behind %d envelopes, %d entries, root %x", "日志第 %d 纪元从 %d 个信封、%d 个条目之后开始，根哈希 %x",
		d.Epoch, d.Envelopes, d.Size, d.Root))
	screen.Note(v.say("voters from then on: %s", "此后的投票节点：%s", strings.Join(voters, ", ")))
	if len(d.Fenced) > 0 {
		screen.Note(v.say("shut out for good, even if they come back: %s", "永久排除，即使重新出现：%s", strings.Join(d.Fenced, ", ")))
	}
	screen.Note(v.say("a receipt under a checkpoint of at most %d entries stays valid; what lies beyond is lost, unless its hospital sends it again",
		"检查点不超过 %d 个条目的回执仍然有效；超出部分将丢失，除非医院重新发送", d.Size))
}
