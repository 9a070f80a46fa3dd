package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func erasureCommand() *cli.Command {
	return &cli.Command{
		Name:        "erasure",
		Usage:       "show which withdrawals there are, and which nodes declare that they have erased the entries",
		Subcommands: []*cli.Command{erasureListCommand(), erasureShowCommand()},
	}
}

func erasureListCommand() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list the withdrawals in the log, with how many nodes have declared each",
		Action: func(c *cli.Context) error {
			out, list, err := ask(c, "list erasures", (*admin.Client).Erasures)
			if err != nil {
				return err
			}
			return term.Print(out, list)
		},
	}
}

func erasureShowCommand() *cli.Command {
	return &cli.Command{
		Name:      "show",
		Usage:     "show who declares that an entry is erased, and write the certificate",
		ArgsUsage: "[INDEX]",
		Description: "Names the withdrawal by an entry that it erases, or with --envelope by its own envelope. Each node\n" +
			"that ever had a right to a copy either declares, or owes it, or was removed and cannot attest.\n" +
			"The certificate is a text to print; its proofs are checked on any machine, offline:\n" +
			"raresync log verify --certificate FILE --policy POLICY.",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "envelope", Usage: "`NUMBER` of the withdrawal's envelope, as erasure list prints it"},
			&cli.StringFlag{Name: "copy", Usage: "write the certificate to `FILE`; - is standard output"},
		},
		Action: erasureShow,
	}
}

func erasureShow(c *cli.Context) error {
	byEnvelope := c.IsSet("envelope")
	var index uint64
	if byEnvelope {
		if _, err := arguments(c, 0, 0); err != nil {
			return err
		}
	} else {
		var err error
		if index, err = indexArgument(c); err != nil {
			return err
		}
	}
	out, daemon, err := talking(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	var found admin.ErasureCertificate
	if byEnvelope {
		found, err = daemon.Erasure(ctx, c.Uint64("envelope"))
	} else {
		found, err = daemon.ErasureOf(ctx, index)
	}
	if err != nil {
		return fmt.Errorf("show erasure: %w", err)
	}
	if path := c.String("copy"); path != "" {
		if err := create(c, path, []byte(found.File)); err != nil {
			return err
		}
		if path == "-" {
			return nil
		}
		term.NewScreen(c.App.ErrWriter).Done(voiceOf(c).say("certificate of the withdrawal in envelope %d in %s",
			"信封 %d 中撤回的擦除证明已写入 %s", found.Erasure.Envelope, path))
	}
	return printErasure(c, out, found)
}

// printErasure shows the withdrawal, and then each node.
func printErasure(c *cli.Context, out *term.Output, e admin.ErasureCertificate) error {
	if !isTable(c) {
		return term.PrintOne(out, e)
	}
	if err := term.PrintOne(out, e.Erasure); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	if err := term.Print(out, e.Nodes); err != nil {
		return err
	}
	if e.SaltsExpire != "" {
		term.NewScreen(c.App.ErrWriter).Note(voiceOf(c).say("the last backup with salts that a node has declared is to be destroyed by %s",
			"各节点已申报的含盐备份中，最后一份须在 %s 之前销毁", e.SaltsExpire))
	}
	return nil
}
