package main

import (
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding"
)

func foundFinishCommand() *cli.Command {
	return &cli.Command{
		Name:      "finish",
		Usage:     "hospital 1 puts all approvals into the genesis",
		ArgsUsage: "DRAFT APPROVAL...",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Value: "genesis.pem", Usage: "write the genesis to `FILE`"},
		},
		Action: foundFinish,
	}
}

func foundFinish(c *cli.Context) (err error) {
	args, err := arguments(c, 2, -1)
	if err != nil {
		return err
	}
	_, keys, release, err := openHome(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	draft, err := readDraft(args[0])
	if err != nil {
		return err
	}
	approvals, err := readApprovals(draft, args[1:])
	if err != nil {
		return err
	}
	genesis, err := draft.Finish(approvals, uint64(time.Now().UnixMilli()), keys.Envelope)
	if err != nil {
		return coded{exitInvalid, err}
	}
	// Every node will ask this; nobody should get a file that fails it.
	if _, _, err := state.Found(genesis); err != nil {
		return coded{exitInvalid, err}
	}
	if err := create(c, c.String("file"), founding.MarshalGenesis(genesis)); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("network %s is founded, id %x", "网络 %s 已成立，编号 %x", draft.Genesis.Name, genesis.Network))
	screen.Note(v.say("every node takes it with: raresync found adopt %s", "各节点导入：raresync found adopt %s", c.String("file")))
	return nil
}

func readApprovals(d *founding.Draft, paths []string) ([]act.Approval, error) {
	var approvals []act.Approval
	for _, path := range paths {
		raw, err := readPublic(path)
		if err != nil {
			return nil, err
		}
		a, err := d.ParseApproval(raw)
		if err != nil {
			return nil, invalid(path, err)
		}
		approvals = append(approvals, a)
	}
	return approvals, nil
}

// readGenesis reads a genesis and checks that it founds a network.
func readGenesis(path string) (*envelope.Envelope, *state.State, error) {
	raw, err := readPublic(path)
	if err != nil {
		return nil, nil, err
	}
	e, err := founding.ParseGenesis(raw)
	if err != nil {
		return nil, nil, invalid(path, err)
	}
	s, _, err := state.Found(e)
	if err != nil {
		return nil, nil, invalid(path, err)
	}
	return e, s, nil
}
