package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
	reports "github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/registry/act"
)

func exportAnswerCommand() *cli.Command {
	var names, about []string
	for _, q := range reports.Questions() {
		names, about = append(names, q.Name), append(about, fmt.Sprintf("  %-12s %s", q.Name, q.About.EN))
	}
	return &cli.Command{
		Name:      "answer",
		Usage:     "at a reader: answer a partner's question with counts, in a signed folder",
		ArgsUsage: "DIR",
		Description: "The new folder DIR gets the answer as a table, as JSON and as a page to print, with manifest.json: purpose,\n" +
			"recipient, tree size, root, what is withheld, and the hash of each file. No row is a person. Small counts are\n" +
			"withheld and others printed to steps of five, of the log as it was when the last month ended. The partner\n" +
			"verifies it offline: raresync log verify --export DIR --policy FILE. Before anything is read the log gets an act\n" +
			"with the purpose. For industry nobody is counted who has stopped handing on to industry, likewise for research\n" +
			"and drug-access.\n\nQuestions:\n" + strings.Join(about, "\n"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "question", Usage: "the `QUESTION`: " + strings.Join(names, ", ") + " (required)"},
			&cli.StringFlag{Name: "purpose", Usage: "why, a `CODE`: " + strings.Join(act.Purposes(), ", ") + " (required)"},
			&cli.StringFlag{Name: "recipient", Usage: "`WHO` gets it (required)"},
			&cli.StringFlag{Name: "disease", Usage: "for the question disease: a `ROW` of the lists, as 1.27"},
		},
		Action: exportAnswer,
	}
}

func exportAnswer(c *cli.Context) error {
	args, err := arguments(c, 1, 1)
	if err != nil {
		return err
	}
	if err := required(c, "question", "purpose", "recipient"); err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	v := voiceOf(c)
	in := admin.Export{
		Dataset: c.String("question"), Form: "answer", Purpose: c.String("purpose"), Recipient: c.String("recipient"), Disease: c.String("disease"), Lang: v.lang,
	}
	ctx, cancel := within(c, 0) // counts every registration
	defer cancel()
	m, err := writeExport(ctx, daemon, in, args[0])
	if err != nil {
		return fmt.Errorf("export answer: %w", err)
	}
	term.NewScreen(c.App.ErrWriter).Done(v.say("the answer for %[3]s is in %[2]s, of tree size %[1]d; %[4]d figures are withheld",
		"给 %[3]s 的答复已写入 %[2]s，树大小 %[1]d；隐去 %[4]d 个数字", m.Size, args[0], m.Recipient, m.Withheld))
	return nil
}
