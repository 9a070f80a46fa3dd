package main

import (
	"crypto/rand"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/founding"
)

func foundDraftCommand() *cli.Command {
	return &cli.Command{
		Name:      "draft",
		Usage:     "draft the genesis of a network from the founders' cards",
		ArgsUsage: "CARD...",
		Description: "Hospitals are numbered in the order of their cards, then readers. Every hospital with a\n" +
			"voter will hold a share of the pseudonymisation key, which the holders make together once the\n" +
			"network runs: raresync ceremony start.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "name", Usage: "name of the network: a-z 0-9 . / - (required)"},
			&cli.BoolFlag{Name: "demo", Usage: "mark the network as a demo: never for real patients"},
			&cli.Uint64Flag{Name: "quorum", DefaultText: "a majority", Usage: "lead hospitals that must approve later acts"},
			&cli.StringSliceFlag{Name: "quota", DefaultText: strconv.FormatUint(act.DefaultPolicy().QuotaFloor, 10),
				Usage: "`PERSONS` a day whose pseudonyms each share holder helps each hospital to make, at most 100000; NODE=PERSONS, repeated, for the hospital of one node; a backfill gets more by act"},
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Value: "draft.pem", Usage: "write the draft to `FILE`"},
		},
		Action: foundDraft,
	}
}

func foundDraft(c *cli.Context) error {
	args, err := arguments(c, 1, act.MaxFounders)
	if err != nil {
		return err
	}
	if err := required(c, "name"); err != nil {
		return err
	}
	plan, err := planOf(c, args)
	if err != nil {
		return err
	}
	draft, err := founding.NewDraft(plan, rand.Reader)
	if err != nil {
		return coded{exitInvalid, err}
	}
	if err := create(c, c.String("file"), draft.Marshal()); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	screen.Done(v.say("draft of %s for %d founders", "%s 的草案已写好，共 %d 个创始机构", plan.Name, len(draft.Genesis.Institutions)))
	screen.Note(v.say("network id %x: the founders compare it", "网络编号 %x：请各创始机构核对", draft.Act.NetworkID()))
	screen.Note(v.say("every founder approves it with: raresync found approve %s", "各创始机构赞同：raresync found approve %s", c.String("file")))
	return nil
}

func planOf(c *cli.Context, cards []string) (founding.Plan, error) {
	lists := catalog.Current()
	plan := founding.Plan{
		Name: c.String("name"), Demo: c.Bool("demo"), Quorum: c.Uint64("quorum"), Policy: act.DefaultPolicy(),
		Identity:  pseudonym.Params{KDF: pseudonym.KDFArgon2id, Time: 1, MemoryKiB: 19456, Parallelism: 1},
		Catalogue: act.Catalogue{Edition: lists.Edition(), Hash: lists.Hash()},
	}
	rand.Read(plan.Identity.Salt[:])
	for _, path := range cards {
		raw, err := readPublic(path)
		if err != nil {
			return plan, err
		}
		card, err := founding.ParseCard(raw)
		if err != nil {
			return plan, invalid(path, err)
		}
		plan.Cards = append(plan.Cards, *card)
	}
	return plan, setQuotas(&plan, c.StringSlice("quota"))
}
