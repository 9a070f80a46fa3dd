package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
)

func foundAdoptCommand() *cli.Command {
	return &cli.Command{
		Name:      "adopt",
		Usage:     "check a genesis and make it this node's network",
		ArgsUsage: "GENESIS",
		Description: "Checks that the genesis founds a network and that this node is in it with its own keys. A\n" +
			"node belongs to one network for ever. One that lead hospitals let in later is not in the\n" +
			"genesis: compare the network id that is printed with theirs, by telephone.",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "newcomer", Usage: "this node is no founder: lead hospitals let it in by act"}},
		Action: foundAdopt,
	}
}

func foundAdopt(c *cli.Context) (err error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	cfg, keys, release, err := openHome(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	genesis, s, err := readGenesis(args[0])
	if err != nil {
		return err
	}
	if c.Bool("newcomer") {
		err = isNew(cfg, keys, s)
	} else {
		err = belongs(cfg, keys, s)
	}
	if err != nil {
		return coded{exitInvalid, err}
	}
	if err := home.WriteGenesis(cfg, genesis); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("node %s belongs to %s, id %x", "节点 %s 属于网络 %s，编号 %x", cfg.Node.ID, s.Name, s.Network))
	screen.Note(v.say("run it with: raresync serve", "启动：raresync serve"))
	if c.Bool("newcomer") {
		screen.Note(v.say("it waits until lead hospitals have let it in: raresync act propose admission CARD, at one of them",
			"它等待牵头医院准许加入：在其中一家运行 raresync act propose admission CARD"))
	}
	return nil
}

// isNew checks that a network does not know this node, nor its keys.
func isNew(cfg config.Config, keys *home.Keys, s *state.State) error {
	if _, known := s.Node(cfg.Node.ID); known {
		return fmt.Errorf("network %s has a node %s among its founders: choose another id", s.Name, cfg.Node.ID)
	}
	for _, n := range s.Nodes {
		if n.TLS.ID() == keys.TLS.Public().ID() {
			return fmt.Errorf("network %s knows this node's keys as those of its founder %s", s.Name, n.ID)
		}
	}
	return nil
}

// belongs checks that a network knows this node by its keys.
func belongs(cfg config.Config, keys *home.Keys, s *state.State) error {
	node, ok := s.Node(cfg.Node.ID)
	if !ok {
		return hinted{fmt.Errorf("network %s has no node %s", s.Name, cfg.Node.ID), "if lead hospitals let it in by act: raresync found adopt --newcomer"}
	}
	if node.TLS.ID() != keys.TLS.Public().ID() || node.Log.ID() != keys.Log.Public().ID() || node.Cosign.ID() != keys.Cosign.Public().ID() {
		return fmt.Errorf("network %s knows node %s by other keys", s.Name, cfg.Node.ID)
	}
	member, ok := s.Member(node.Institution)
	if !ok || member.Envelope.ID() != keys.Envelope.Public().ID() || member.Institution.Sealing.ID() != keys.Sealing.Public().ID() {
		return fmt.Errorf("network %s knows institution %d by other keys", s.Name, node.Institution)
	}
	return nil
}
