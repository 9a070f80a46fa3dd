package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
)

func actProposeCatalogueCommand() *cli.Command {
	return &cli.Command{
		Name:      "catalogue",
		Usage:     "propose another edition of the lists of rare diseases",
		ArgsUsage: "FILE",
		Description: "FILE is a CSV file with every row of all lists; raresync catalog table prints one to begin with. Once it\n" +
			"is in force every node checks and matches files by it. What was sent before keeps its codes and its\n" +
			"edition, and the editions before stay: raresync entry count --edition NAME gives the figures of any. It\n" +
			"needs feature level 2.",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "edition", Usage: "`NAME` of the new edition: a-z 0-9 + . / - (required)"},
		}, proposeFlags()...),
		Action: actProposeCatalogue,
	}
}

func actProposeCatalogue(c *cli.Context) error {
	if c.String("edition") == "" {
		return usagef("--edition is needed: the name of the new edition")
	}
	path, raw, err := proposalFile(c)
	if err != nil {
		return err
	}
	lists, err := catalog.ReadTable(c.String("edition"), bytes.NewReader(raw))
	if err != nil {
		return invalid(path, err)
	}
	return proposeAct(c, act.Act{Type: act.TypeEdition, Payload: act.EditionOf(lists).Marshal()}, c.String("reason"))
}

// edition says what an edition changes in the lists that are in force.
func (t teller) edition(d act.Edition) ([]fact, error) {
	lists, err := d.Open()
	if err != nil {
		return nil, err
	}
	rows := lists.All()
	facts := []fact{
		{t.say("decision", "决定"), t.say("files are checked and matched by this edition of the disease lists from then on; what was sent before stays as it is",
			"此后按本版病种目录检查和匹配文件；此前提交的内容不变")},
		{t.say("edition", "版次"), d.Edition},
		{t.say("hash", "哈希"), hex.EncodeToString(d.Hash[:])},
		{t.say("diseases", "病种数"), fmt.Sprint(len(rows))},
	}
	if t.lists == nil {
		return facts, nil
	}
	var added, changed, gone []string
	for i := range rows {
		switch old, ok := t.lists.ByNumber(rows[i].List, rows[i].Number); {
		case !ok:
			added = append(added, rows[i].Ref()+" "+rows[i].ZH[0])
		case !old.Equal(&rows[i]):
			changed = append(changed, rows[i].Ref()+" "+rows[i].ZH[0])
		}
	}
	for _, old := range t.lists.All() {
		if _, ok := lists.ByNumber(old.List, old.Number); !ok {
			gone = append(gone, old.Ref()+" "+old.ZH[0])
		}
	}
	for _, part := range []struct {
		what string
		rows []string
	}{
		{t.say("added to %s", "较 %s 增加", t.lists.Edition()), added},
		{t.say("changed", "更改"), changed},
		{t.say("TAKEN OUT", "删除"), gone},
	} {
		if len(part.rows) > 0 {
			facts = append(facts, fact{part.what, t.some(part.rows)})
		}
	}
	return facts, nil
}

// shownRows is how many rows of an edition are named; raresync act show -o json has
// the whole table.
const shownRows = 20

func (t teller) some(rows []string) string {
	text := strings.Join(rows[:min(len(rows), shownRows)], t.say("; ", "；"))
	if more := len(rows) - shownRows; more > 0 {
		text += t.say("; and %d more", "；另有 %d 个", more)
	}
	return text
}
