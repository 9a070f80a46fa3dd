package main

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func logCommand() *cli.Command {
	return &cli.Command{
		Name:  "log",
		Usage: "read, prove and verify the national log",
		Subcommands: []*cli.Command{
			logHeadCommand(), logPolicyCommand(), logTailCommand(), logProveCommand(), logVerifyCommand(), logExportCommand(),
		},
	}
}

func logHeadCommand() *cli.Command {
	return &cli.Command{
		Name:  "head",
		Usage: "show the newest verified checkpoint",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "note", Usage: "print the signed note alone, for an auditor"}},
		Action: func(c *cli.Context) error {
			out, head, err := ask(c, "head of the log", (*admin.Client).Head)
			if err != nil {
				return err
			}
			if c.Bool("note") {
				_, err := fmt.Fprint(c.App.Writer, head.Note)
				return err
			}
			return term.PrintOne(out, head, "origin", "size", "root", "cosigners", "time")
		},
	}
}

// asking begins a command without arguments that asks the daemon.
func asking(c *cli.Context) (*term.Output, *admin.Client, error) {
	if _, err := arguments(c, 0, 0); err != nil {
		return nil, nil, err
	}
	return talking(c)
}

// talking returns what a command that asks the daemon works with: where its
// results go, and the client.
func talking(c *cli.Context) (*term.Output, *admin.Client, error) {
	out, err := outputOf(c)
	if err != nil {
		return nil, nil, err
	}
	daemon, err := client(c)
	return out, daemon, err
}

// ask is a command without arguments that asks the daemon one question; what
// says in an error what was asked.
func ask[T any](c *cli.Context, what string, question func(*admin.Client, context.Context) (T, error)) (out *term.Output, answer T, err error) {
	out, daemon, err := asking(c)
	if err != nil {
		return nil, answer, err
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	if answer, err = question(daemon, ctx); err != nil {
		return nil, answer, fmt.Errorf("%s: %w", what, err)
	}
	return out, answer, nil
}

func logPolicyCommand() *cli.Command {
	return &cli.Command{
		Name:  "policy",
		Usage: "print the network's C2SP tlog-policy, which says what makes a checkpoint valid",
		Description: "An auditor gets this file once, from several hospitals by different ways, and compares.\n" +
			"Everything else can then be verified with it alone: raresync log verify --policy FILE. It changes with the\n" +
			"voters; a receipt of before is verified with that of its checkpoint's size, which --size asks for.",
		Flags: []cli.Flag{&cli.Uint64Flag{Name: "size", Usage: "of checkpoints of `N` entries", DefaultText: "those of the newest checkpoint"}},
		Action: func(c *cli.Context) error {
			_, policy, err := ask(c, "policy of the log", func(a *admin.Client, ctx context.Context) (string, error) {
				if c.Uint64("size") > 0 {
					return a.PolicyAt(ctx, c.Uint64("size"))
				}
				return a.Policy(ctx)
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.App.Writer, policy)
			return err
		},
	}
}

func logTailCommand() *cli.Command {
	return &cli.Command{
		Name:  "tail",
		Usage: "list the public marks of entries in the order of the log",
		Flags: []cli.Flag{
			&cli.Uint64Flag{Name: "from", Usage: "start at `INDEX`"},
			&cli.IntFlag{Name: "limit", Value: usualRows, Usage: "list at most `N`; 0 = all"},
			&cli.BoolFlag{Name: "follow", Usage: "go on as the log grows; prints JSON lines"},
		},
		Action: func(c *cli.Context) error {
			out, daemon, err := asking(c)
			if err != nil {
				return err
			}
			ctx, cancel := within(c, 0)
			defer cancel()
			leaves := daemon.Leaves(ctx, c.Uint64("from"), c.Int("limit"), c.Bool("follow"))
			if c.Bool("follow") {
				if out, err = term.New(c.App.Writer, "jsonl"); err != nil {
					return err
				}
				err := printEach(c, out, leaves)
				if c.Context.Err() != nil { // a signal is how following ends
					return nil
				}
				return err
			}
			return printAll(c, out, leaves, "index", "log_time", "kind", "hospital", "sequence", "place")
		},
	}
}
