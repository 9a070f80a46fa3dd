package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
)

func memberPromoteCommand() *cli.Command {
	return &cli.Command{
		Name:      "promote",
		Usage:     "propose that a mirror becomes a voter",
		ArgsUsage: "NODE",
		Description: "Once enough lead hospitals have approved it, the node stores the log like a voter, and votes from\n" +
			"when it has all of it over a line that is fast enough. With --in-place-of a voter that is lost\n" +
			"becomes a mirror at that moment. At most one voter may be a node that only dials out.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "in-place-of", Usage: "`NODE`, a voter that is a mirror from then on"},
		}, proposeFlags()...),
		Action: func(c *cli.Context) error {
			node, err := nodeArgument(c)
			if err != nil {
				return err
			}
			d := act.Promotion{Node: node, InPlaceOf: c.String("in-place-of")}
			return proposeAct(c, act.Act{Type: act.TypePromotion, Payload: d.Marshal()}, c.String("reason"))
		},
	}
}

func memberDemoteCommand() *cli.Command {
	return &cli.Command{
		Name:      "demote",
		Usage:     "propose that a voter becomes a mirror",
		ArgsUsage: "NODE",
		Description: "Refused if too few voters would be left, or too few of those left answer this node. A node that\n" +
			"holds a share of the pseudonymisation key goes on answering with it.",
		Flags: proposeFlags(),
		Action: func(c *cli.Context) error {
			node, err := nodeArgument(c)
			if err != nil {
				return err
			}
			return proposeAct(c, act.Act{Type: act.TypeDemotion, Payload: act.Demotion{Node: node}.Marshal()}, c.String("reason"))
		},
	}
}

func memberRemoveCommand() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "propose to take an institution, or one node of it, out of the network for good",
		ArgsUsage: "NUMBER",
		Description: "Once enough lead hospitals have approved it, every node refuses its nodes within seconds, and takes\n" +
			"nothing more that it signs. What it sent stays. An institution leaves by itself with raresync leave.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "node", Usage: "only this `NODE` of the institution"},
		}, proposeFlags()...),
		Action: func(c *cli.Context) error {
			number, err := institutionArgument(c)
			if err != nil {
				return err
			}
			d := act.Removal{Institution: number, Node: c.String("node")}
			return proposeAct(c, act.Act{Type: act.TypeRemoval, Payload: d.Marshal()}, c.String("reason"))
		},
	}
}

// memberRekeyCommand is act propose replacement where people look for it.
func memberRekeyCommand() *cli.Command {
	c := actProposeReplacementCommand()
	c.Name = "rekey"
	c.Usage = "propose new keys for an institution that lost its own; the same as act propose replacement"
	return c
}

// nodeArgument returns the one argument of a proposal about a node.
func nodeArgument(c *cli.Context) (string, error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return "", err
	}
	return args[0], checkProposeFlags(c)
}

func institutionArgument(c *cli.Context) (uint32, error) {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(args[0], 10, 32)
	if err != nil || n == 0 {
		return 0, usagef("%q is no institution's number: raresync member list shows them", args[0])
	}
	return uint32(n), checkProposeFlags(c)
}

func leaveCommand() *cli.Command {
	return &cli.Command{
		Name:  "leave",
		Usage: "take this institution, or one of its nodes, out of the network for good",
		Description: "The other nodes refuse its nodes from then on. What it sent stays in the log, and its patients'\n" +
			"withdrawals have to be approved by lead hospitals. Nothing brings it back but a new admission.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "node", Usage: "only this `NODE` of the institution"},
			yesFlag(),
			&cli.BoolFlag{Name: "dry-run", Usage: "only say what would leave, and whether the network would take it"},
		},
		Action: leave,
	}
}

func leave(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, actTimeout)
	defer cancel()
	would, err := daemon.Leave(ctx, admin.Leaving{Node: c.String("node"), DryRun: true})
	if err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if !c.Bool("dry-run") {
		question := v.say("Take %s (%d) with all its nodes out of the network? Nothing brings it back.", "使 %s（%d）及其全部节点退出网络？退出后无法恢复。", would.Name, would.Institution)
		if c.String("node") != "" {
			question = v.say("Take node %s out of the network? Its id and its keys are used up.", "使节点 %s 退出网络？其名称和密钥不能再用。", c.String("node"))
		}
		if err := confirm(c, question); err != nil {
			return err
		}
		if would, err = daemon.Leave(ctx, admin.Leaving{Node: c.String("node")}); err != nil {
			return fmt.Errorf("leave: %w", err)
		}
		screen.Done(v.say("it has left the network; stop its daemons", "已退出网络；请停止其服务"))
	} else {
		screen.Done(v.say("the network would take it; nothing was sent", "网络会接受；尚未发送"))
	}
	return term.PrintOne(out, would)
}

func actProposeNodeCommand() *cli.Command {
	return &cli.Command{
		Name:      "node",
		Usage:     "give an institution of the network one more node, as for a machine that was lost",
		ArgsUsage: "CARD",
		Description: "CARD is the card.pem that raresync init --kind mirror wrote for the new node. For this node's own\n" +
			"institution it is in force at once; for another, lead hospitals approve it. Compare the key ids\n" +
			"with the institution by another way than the card came.",
		Flags: append([]cli.Flag{
			&cli.UintFlag{Name: "institution", Usage: "`NUMBER` of the institution (required)"},
		}, proposeFlags()...),
		Action: actProposeNode,
	}
}

func actProposeNode(c *cli.Context) error {
	path, raw, err := proposalFile(c)
	if err != nil {
		return err
	}
	if n := c.Uint("institution"); n == 0 || n > math.MaxUint32 {
		return usagef("--institution is needed: a number of raresync member list")
	}
	card, err := founding.ParseCard(raw)
	if err == nil && len(card.Nodes) != 1 {
		err = fmt.Errorf("the card has %d nodes, want one", len(card.Nodes))
	}
	if err != nil {
		return invalid(path, err)
	}
	d := act.Enrolment{Node: card.Nodes[0]}
	d.Node.Institution = uint32(c.Uint("institution"))
	if err := d.Validate(); err != nil {
		return invalid(path, err)
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, actTimeout)
	defer cancel()
	s, err := daemon.Status(ctx)
	if err != nil {
		return err
	}
	if s.Hospital != d.Node.Institution {
		return proposeAct(c, act.Act{Type: act.TypeEnrolment, Payload: d.Marshal()}, c.String("reason"))
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	done, err := daemon.Enrol(ctx, admin.Enrolment{Payload: d.Marshal(), DryRun: c.Bool("dry-run")})
	if err != nil {
		return fmt.Errorf("new node: %w", err)
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if c.Bool("dry-run") {
		screen.Done(v.say("the network would take it; nothing was sent", "网络会接受；尚未发送"))
	} else {
		screen.Done(v.say("node %s is a mirror of this institution", "节点 %s 已成为本机构的镜像节点", done.Node))
	}
	return term.PrintOne(out, done)
}

func actProposeSettingsCommand() *cli.Command {
	return &cli.Command{
		Name:  "settings",
		Usage: "propose another q or policy: how many approve, the smallest count printed, quotas",
		Description: "What is not given stays as it is. An act that was approved by fewer lead hospitals than a new q\n" +
			"has to be approved anew. The limits, from --spread-hours on, need feature level 2.",
		Flags: append([]cli.Flag{
			&cli.Uint64Flag{Name: "q", Usage: "so `MANY` lead hospitals approve an act"},
			&cli.Uint64Flag{Name: "min-cell", Usage: "smallest `COUNT` printed, 3 to 20"},
			&cli.Uint64Flag{Name: "quota-floor", Usage: "`PERSONS` a day that a hospital without a quota of its own may ask of each holder"},
			&cli.StringSliceFlag{Name: "quota", Usage: "`NUMBER=PERSONS` a day for one hospital, repeated; NUMBER=0 takes its own quota away"},
			&cli.Uint64Flag{Name: "reader-overlap", Usage: "`ENVELOPES` for which a replaced reader set stays accepted"},
			&cli.Uint64Flag{Name: "spread-hours", Usage: "post a patient's withdrawal within `HOURS` at every hospital, 1 to 720"},
			&cli.Uint64Flag{Name: "declare-minutes", Usage: "miss a node's word that it has erased after `MINUTES`, 10 to 43200"},
			&cli.Uint64Flag{Name: "salts-days", Usage: "let a backup with salts last `DAYS`, 1 to 400"},
			&cli.Uint64Flag{Name: "least-quota", Usage: "`PERSONS` a day that an institution of a reader's entity may ask of each holder at least, 1 to 10000"},
		}, proposeFlags()...),
		Action: actProposeSettings,
	}
}

// limitFlags set act.Limits.
var limitFlags = []string{"spread-hours", "declare-minutes", "salts-days", "least-quota"}

func actProposeSettings(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	if err := checkProposeFlags(c); err != nil {
		return err
	}
	if !slices.ContainsFunc(slices.Concat([]string{"q", "min-cell", "quota-floor", "quota", "reader-overlap"}, limitFlags), c.IsSet) {
		return usagef("give one of --q, --min-cell, --quota-floor, --quota, --reader-overlap, --%s", strings.Join(limitFlags, ", --"))
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	now, err := daemon.Settings(ctx)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	d, err := act.DecodeSettings(now.Payload)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	limits := d.Policy.InForce()
	for name, field := range map[string]*uint64{
		"spread-hours": &limits.SpreadHours, "declare-minutes": &limits.DeclareMinutes, "salts-days": &limits.SaltsDays, "least-quota": &limits.LeastQuota,
		"q": &d.Quorum, "min-cell": &d.Policy.MinCell, "quota-floor": &d.Policy.QuotaFloor, "reader-overlap": &d.Policy.ReaderOverlap,
	} {
		if c.IsSet(name) {
			*field = c.Uint64(name)
		}
	}
	if slices.ContainsFunc(limitFlags, c.IsSet) {
		d.Policy.Limits = limits
	}
	if d.Policy.Quotas, err = changedQuotas(d.Policy.Quotas, c.StringSlice("quota")); err != nil {
		return err
	}
	return proposeAct(c, act.Act{Type: act.TypeSettings, Payload: d.Marshal()}, c.String("reason"))
}

func actProposeRightsCommand() *cli.Command {
	return &cli.Command{
		Name:      "rights",
		Usage:     "propose other rights to read for a reader",
		ArgsUsage: "NUMBER",
		Description: "They hold for what hospitals seal from then on. What the reader could open before, it can open for\n" +
			"ever; a right that is new opens earlier entries only by raresync key grant.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "rights", Usage: "national, province, genetics, joined by commas, or none (required)"},
		}, proposeFlags()...),
		Action: func(c *cli.Context) error {
			number, err := institutionArgument(c)
			if err != nil {
				return err
			}
			rights, err := act.ParseRights(c.String("rights"))
			if err == nil && !c.IsSet("rights") {
				err = errors.New("it is needed; none takes all")
			}
			if err != nil {
				return usagef("--rights: %v", err)
			}
			d := act.RightsChange{Institution: number, Rights: rights}
			return proposeAct(c, act.Act{Type: act.TypeRights, Payload: d.Marshal()}, c.String("reason"))
		},
	}
}
