package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/founding"
)

func foundApproveCommand() *cli.Command {
	return &cli.Command{
		Name:      "approve",
		Usage:     "read a draft, compare the own entry with the own card, and sign it",
		ArgsUsage: "DRAFT",
		Description: "Shows what is approved and asks. The own entry in the draft must be the own card to the\n" +
			"byte. Compare the network id and the others' key ids with them by another way than the\n" +
			"draft came. Nothing in the data directory changes: the approval is a public file for hospital 1.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, DefaultText: "approval-N.pem, N = the own number", Usage: "write the approval to `FILE`"},
			&cli.BoolFlag{Name: "yes", Aliases: []string{"y"}, Usage: "approve without being asked"},
		},
		Action: foundApprove,
	}
}

func foundApprove(c *cli.Context) (err error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	cfg, keys, release, err := openHome(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	draft, err := readDraft(args[0])
	if err != nil {
		return err
	}
	number, err := ownNumber(cfg, keys, draft)
	if err != nil {
		return err
	}
	if err := printNetwork(c, c.App.ErrWriter, networkOf(voiceOf(c), draft.Act.NetworkID(), draft.Genesis)); err != nil {
		return err
	}
	if !c.Bool("yes") && !agrees(c, voiceOf(c).say("\nApprove this network as institution %d? Type yes: ", "\n以第 %d 号机构的身份赞同成立该网络？输入 yes 确认：", number)) {
		return coded{exitForbidden, hinted{errNotApprovedDraft, "answer yes, or give --yes"}}
	}
	return approve(c, keys, draft, number)
}

// errNotApprovedDraft reports that the person was asked and did not say yes.
var errNotApprovedDraft = errors.New("the draft was not approved")

// openHome opens the node's data directory for a command that works in it.
func openHome(c *cli.Context) (config.Config, *home.Keys, func() error, error) {
	cfg, release, err := lockHome(c)
	if err != nil {
		return cfg, nil, nil, err
	}
	keys, _, err := home.LoadKeys(cfg)
	if err != nil {
		return cfg, nil, nil, errors.Join(err, release())
	}
	return cfg, keys, release, nil
}

// lockHome is openHome without the keys.
func lockHome(c *cli.Context) (config.Config, func() error, error) {
	cfg, err := loadConfig(c)
	if err != nil {
		return cfg, nil, err
	}
	release, err := home.Lock(cfg.Node.DataDir)
	return cfg, release, err
}

// errNotOwn reports a draft that says something else of this node than its
// card.
var errNotOwn = errors.New("the draft does not hold this node's card")

// ownNumber finds the own institution in the draft and compares it, and its
// nodes, with the own card.
func ownNumber(cfg config.Config, keys *home.Keys, d *founding.Draft) (uint32, error) {
	number, ok := d.Number(keys.Envelope.Public().ID())
	if !ok {
		return 0, coded{exitInvalid, fmt.Errorf("%w: no institution has the key %s", errNotOwn, keys.Envelope.Public().ID())}
	}
	own, err := home.Card(cfg.Node.DataDir)
	if err != nil {
		return 0, err
	}
	card := founding.Card{Institution: d.Genesis.Institutions[number-1]}
	for _, n := range d.Genesis.Nodes {
		if n.Institution == number {
			n.Institution = 0
			card.Nodes = append(card.Nodes, n)
		}
	}
	if !bytes.Equal(card.Marshal(), own.Marshal()) {
		return 0, coded{exitInvalid, fmt.Errorf("%w: institution %d has the key but differs in the rest", errNotOwn, number)}
	}
	return number, nil
}

// agrees asks on the terminal. Silence is no.
func agrees(c *cli.Context, question string) bool {
	fmt.Fprint(c.App.ErrWriter, question)
	answer, _ := term.Answer(c.Context, c.App.ErrWriter, func() (string, error) {
		return bufio.NewReader(c.App.Reader).ReadString('\n')
	})
	answer = strings.TrimSpace(answer)
	return strings.EqualFold(answer, "yes") || answer == "是"
}

func approve(c *cli.Context, keys *home.Keys, d *founding.Draft, number uint32) error {
	screen := term.NewScreen(c.App.ErrWriter)
	if len(d.Shares) > 0 {
		return coded{exitInvalid, errors.New("this draft deals the pseudonymisation key: whoever drafted it knows every share; " +
			"draft again with raresync found draft")}
	}
	approval, err := d.Approve(number, keys.Envelope)
	if err != nil {
		return err
	}
	path := c.String("file")
	if path == "" {
		path = fmt.Sprintf("approval-%d.pem", number)
	}
	if err := create(c, path, d.MarshalApproval(approval)); err != nil {
		return err
	}
	screen.Done(voiceOf(c).say("approved: send %s to hospital 1", "已赞同：请将 %s 发给第 1 号医院", path))
	return nil
}
