package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/registry/act"
)

func actProposeFeatureCommand() *cli.Command {
	return &cli.Command{
		Name:      "feature",
		Usage:     "propose that the network uses what a newer raresync brings, once every voter runs one",
		ArgsUsage: "LEVEL",
		Description: "Install the newer raresync on every node first, one after the other; nothing changes by that alone. The\n" +
			"proposal has each node say which level it supports, as raresync member list shows; it can be approved once\n" +
			"every voter has said the new one. A node with an older raresync stops when it is in force, and goes on\n" +
			"once it has a newer one. It cannot be taken back.",
		Flags: proposeFlags(),
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			level, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil || level < 2 || level > act.MaxLevel {
				return usagef("%q is no feature level: raresync status shows the one in force and the one that this node supports", args[0])
			}
			if err := checkProposeFlags(c); err != nil {
				return err
			}
			return proposeAct(c, act.Act{Type: act.TypeFeature, Payload: act.Feature{Level: level}.Marshal()}, c.String("reason"))
		},
	}
}

// feature says what a raise of the feature level decides, and whom it leaves
// behind as far as nodes have said.
func (t teller) feature(d act.Feature) []fact {
	facts := []fact{
		{t.say("decision", "决定"), t.say("the network uses feature level %d from then on; a node whose raresync does not know it STOPS until it has a newer one",
			"网络自此采用功能级别 %d；程序不支持该级别的节点将停止，更新程序后继续", d.Level)},
	}
	var voters, others []string
	for _, m := range t.members {
		for _, p := range m.Parts {
			switch {
			case p.Supports >= d.Level:
			case p.Kind == act.Voter.String():
				voters = append(voters, t.behind(p.Node, p.Supports))
			default:
				others = append(others, t.behind(p.Node, p.Supports))
			}
		}
	}
	if len(voters) > 0 {
		facts = append(facts, fact{t.say("voters to update first", "须先更新的投票节点"), strings.Join(voters, ", ")})
	} else {
		facts = append(facts, fact{t.say("voters", "投票节点"), t.say("all of them support it", "均已支持")})
	}
	if len(others) > 0 {
		facts = append(facts, fact{t.say("others that would stop", "将停止的其他节点"), strings.Join(others, ", ")})
	}
	return facts
}

// behind names a node with what it supports.
func (t teller) behind(node string, supports uint64) string {
	if supports == 0 {
		return t.say("%s (has said nothing)", "%s（尚未声明）", node)
	}
	return fmt.Sprintf("%s (%d)", node, supports)
}
