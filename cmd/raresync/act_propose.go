package main

import (
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
)

func actProposeCommand() *cli.Command {
	return &cli.Command{
		Name:  "propose",
		Usage: "put an act forward that lead hospitals approve",
		Subcommands: []*cli.Command{actProposeAdmissionCommand(), actProposeAllowanceCommand(), actProposeReplacementCommand(), actProposeRevocationCommand(), actProposeWithdrawalCommand(),
			actProposeNodeCommand(), actProposeSettingsCommand(), actProposeRightsCommand(), actProposeFeatureCommand(), actProposeCatalogueCommand()},
	}
}

// proposeFlags are those of every proposal.
func proposeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "reason", Usage: "`TEXT` for those who approve: why; everybody in the network can read it"},
		&cli.IntFlag{Name: "expires", Value: 14, Usage: "void after `DAYS`, at most 89"},
		&cli.BoolFlag{Name: "dry-run", Usage: "only say what would be proposed, and whether the network would take it"},
	}
}

func actProposeAdmissionCommand() *cli.Command {
	return &cli.Command{
		Name:      "admission",
		Usage:     "propose to let a hospital or a reader in",
		ArgsUsage: "CARD",
		Description: "CARD is the card.pem that raresync init --kind mirror wrote at the newcomer. Compare its key\n" +
			"id with it by another way than the card came; those who approve do the same. Any\n" +
			"other change of the roster before it is in force voids the proposal: propose one at a time. It asks\n" +
			"if the card's entity is in the network already: a hospital that only lost its keys gets new ones\n" +
			"with act propose replacement.",
		Flags:  append(proposeFlags(), yesFlag()),
		Action: actProposeAdmission,
	}
}

func actProposeAdmission(c *cli.Context) error {
	path, raw, err := proposalFile(c)
	if err != nil {
		return err
	}
	card, err := founding.ParseCard(raw)
	if err != nil {
		return invalid(path, err)
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	members, err := daemon.Members(ctx)
	if err != nil {
		return fmt.Errorf("number of the new hospital: %w", err)
	}
	d := admissionOf(members, card)
	if err := d.Validate(); err != nil {
		return invalid(path, err)
	}
	a := act.Act{Type: act.TypeAdmission, Payload: d.Marshal()}
	if twins := ofEntity(members, card.Institution.Entity, 0); len(twins) > 0 && !c.Bool("dry-run") {
		if err := confirmTwin(c, daemon, a, twins); err != nil {
			return err
		}
	}
	return proposeAct(c, a, c.String("reason"))
}

// admissionOf gives the hospital of a card the next number.
func admissionOf(members []admin.Member, card *founding.Card) *act.Admission {
	d := &act.Admission{Institution: card.Institution, Nodes: slices.Clone(card.Nodes)}
	for i := range d.Nodes {
		d.Nodes[i].Institution = uint32(len(members) + 1)
	}
	return d
}

// confirmTwin asks before an admission is proposed whose legal body the network
// has already, if the network would take it at all.
func confirmTwin(c *cli.Context, daemon *admin.Client, a act.Act, twins []admin.Member) error {
	if _, err := askToPropose(c, daemon, a, c.String("reason"), true); err != nil {
		return err
	}
	v, known := voiceOf(c), []string{}
	for number, name := range namesOf(v, twins) {
		known = append(known, names{number: name}.of(number))
	}
	slices.Sort(known)
	return confirm(c, v.say("Entity %s is in the network already, as %s. Propose one more institution of it, with a number and keys of its own?",
		"法人机构 %s 已在网络中：%s。再提议准入一个属于它、编号和密钥独立的机构？", term.Clean(twins[0].Entity), strings.Join(known, v.say(", ", "、"))))
}

// checkProposeFlags refuses values that mean nothing before anything is read.
func checkProposeFlags(c *cli.Context) error {
	if days := c.Int("expires"); days < 1 || days > 89 {
		return usagef("--expires %d: want 1 to 89 days", days)
	}
	if n := len(c.String("reason")); n > act.MaxReasonBytes {
		return usagef("--reason has %d bytes: at most %d", n, act.MaxReasonBytes)
	}
	if strings.ToValidUTF8(c.String("reason"), "") != c.String("reason") {
		return usagef("--reason is not UTF-8")
	}
	return nil
}

// proposeAct puts an act forward, of which type and payload are given, and tells
// what the lead hospitals must type. It is what every act propose command ends
// with; they have the flags of proposeFlags.
func proposeAct(c *cli.Context, a act.Act, reason string) error {
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	p, err := askToPropose(c, daemon, a, reason, c.Bool("dry-run"))
	if err != nil {
		return err
	}
	t := tellerOf(c, daemon)
	said, unread := t.read(&p)
	if unread != nil {
		return unread
	}
	if !isTable(c) {
		return term.PrintOne(out, shownProposal{p, said})
	}
	if err := t.print(out, c.App.Writer, p, said); err != nil {
		return err
	}
	tellProposed(c, p)
	return nil
}

// askToPropose has the daemon put an act forward, or say that it could.
func askToPropose(c *cli.Context, daemon *admin.Client, a act.Act, reason string, dryRun bool) (admin.Proposal, error) {
	expire := time.Now().AddDate(0, 0, c.Int("expires")).Truncate(time.Second)
	ctx, cancel := within(c, actTimeout)
	defer cancel()
	p, err := daemon.Propose(ctx, admin.NewProposal{
		Type: uint16(a.Type), Payload: a.Payload, Expiry: uint64(expire.UnixMilli()), Reason: reason, DryRun: dryRun,
	})
	if err != nil {
		return p, fmt.Errorf("propose an act of type %s: %w", a.Type, err)
	}
	return p, nil
}

// tellProposed says what happens next.
func tellProposed(c *cli.Context, p admin.Proposal) {
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	if c.Bool("dry-run") {
		screen.Done(v.say("the network would take it; nothing was proposed", "网络会接受；尚未提出"))
		return
	}
	screen.Done(v.say("proposal %s is in the log, in envelope %d", "提案 %s 已写入日志（信封 %d）", short(p.ID), p.Envelope))
	screen.Note(v.say("%d lead hospitals approve it by %s, each with: raresync act approve %s",
		"需 %d 家牵头医院在 %s 前分别赞同：raresync act approve %s", p.Needed, p.Expires, short(p.ID)))
	screen.Note(v.say("this hospital's own approval, if it leads, is not given yet", "若本院为牵头医院，本院尚未赞同"))
}

func actProposeAllowanceCommand() *cli.Command {
	return &cli.Command{
		Name:  "allowance",
		Usage: "propose that a hospital may have more pseudonyms made a day for a while, as for a backfill",
		Description: "Each share holder then evaluates so many persons a day more for it, from one day to another.\n" +
			"A later allowance of the same hospital replaces it; one of 0 persons ends it.",
		Flags: append([]cli.Flag{
			&cli.UintFlag{Name: "hospital", Usage: "`NUMBER` of the hospital (required)"},
			&cli.UintFlag{Name: "persons", Usage: "so many a day more, at most 100000; 0 ends the allowance there is (required)"},
			&cli.StringFlag{Name: "from", DefaultText: "today", Usage: "first `DAY` in China, YYYY-MM-DD"},
			&cli.StringFlag{Name: "to", Usage: "last `DAY` in China, YYYY-MM-DD (required)"},
		}, proposeFlags()...),
		Action: actProposeAllowance,
	}
}

func actProposeAllowance(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	if err := checkProposeFlags(c); err != nil {
		return err
	}
	for _, name := range []string{"hospital", "persons", "to"} {
		if !c.IsSet(name) {
			return usagef("--%s is needed", name)
		}
	}
	first, last := pseudonym.QuotaDay(uint64(time.Now().UnixMilli())), uint32(0)
	for name, day := range map[string]*uint32{"from": &first, "to": &last} {
		if !c.IsSet(name) {
			continue
		}
		t, err := time.Parse(time.DateOnly, c.String(name))
		if err != nil || t.Year() < 2000 || t.Year() > 2999 {
			return usagef("--%s %q: want a day as YYYY-MM-DD", name, c.String(name))
		}
		*day = uint32(t.Unix() / 86_400)
	}
	if c.Uint("hospital") > math.MaxUint32 {
		return usagef("--hospital %d is no institution's number", c.Uint("hospital"))
	}
	d := act.Allowance{Hospital: uint32(c.Uint("hospital")), First: first, Last: last, Elements: uint64(c.Uint("persons"))}
	if err := d.Validate(); err != nil {
		return coded{exitInvalid, err}
	}
	return proposeAct(c, act.Act{Type: act.TypeAllowance, Payload: d.Marshal()}, c.String("reason"))
}

// proposalFile checks the flags of a proposal and reads the file that it is made
// from.
func proposalFile(c *cli.Context) (path string, raw []byte, err error) {
	if path, err = fileArgument(c); err != nil {
		return "", nil, err
	}
	if err := checkProposeFlags(c); err != nil {
		return "", nil, err
	}
	raw, err = readPublic(path)
	return path, raw, err
}

func actProposeReplacementCommand() *cli.Command {
	return &cli.Command{
		Name:      "replacement",
		Usage:     "propose new keys for an institution that lost its own",
		ArgsUsage: "FILE",
		Description: "FILE is what raresync key rotate --lost wrote there. Compare its envelope key with the institution\n" +
			"by another way than the file came; those who approve do the same.",
		Flags: proposeFlags(),
		Action: func(c *cli.Context) error {
			path, raw, err := proposalFile(c)
			if err != nil {
				return err
			}
			a, err := replaceAct(raw)
			if err != nil {
				return invalid(path, err)
			}
			return proposeAct(c, a, c.String("reason"))
		},
	}
}

func actProposeRevocationCommand() *cli.Command {
	return &cli.Command{
		Name:  "revocation",
		Usage: "propose that a key of an institution holds no longer",
		Description: "The key is not valid from the next envelope on. What it signed from --since on stays in the log and\n" +
			"is marked. An institution revokes its own key by itself: raresync key revoke.",
		Flags: append([]cli.Flag{
			&cli.UintFlag{Name: "institution", Usage: "`NUMBER` of the institution (required)"},
			&cli.StringFlag{Name: "key", Usage: "`ID` of the key, 64 hex characters (required)"},
			&cli.Uint64Flag{Name: "since", Usage: "`NUMBER` of the first envelope that is not to be trusted (required)"},
		}, proposeFlags()...),
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			if err := checkProposeFlags(c); err != nil {
				return err
			}
			for _, name := range []string{"institution", "key", "since"} {
				if !c.IsSet(name) {
					return usagef("--%s is needed", name)
				}
			}
			key, err := hex.DecodeString(c.String("key"))
			if err != nil || len(key) != 32 || c.Uint("institution") > math.MaxUint32 {
				return usagef("--key is 64 hex characters, and --institution a number of raresync member list")
			}
			return proposeAct(c, revokeAct(uint32(c.Uint("institution")), [32]byte(key), c.Uint64("since")), c.String("reason"))
		},
	}
}
