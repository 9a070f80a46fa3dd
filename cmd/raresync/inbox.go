package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
)

// inboxTimeout bounds a look at the inbox, which may lie on a slow share.
const inboxTimeout = 30 * time.Second

func inboxCommand() *cli.Command {
	return &cli.Command{
		Name:  "inbox",
		Usage: "the folder from which this node takes files by itself",
		Subcommands: []*cli.Command{{
			Name:  "list",
			Usage: "list what was dropped, and what became of it",
			Description: "The folder is inbox.dir of the configuration. Beside each file in done and quarantine stands a\n" +
				"report, and the rows of a table that were refused: mend them and drop that file into new.",
			Action: listInbox,
		}},
	}
}

func listInbox(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	daemon, err := client(c)
	if err != nil {
		return err
	}
	ctx, cancel := within(c, inboxTimeout)
	defer cancel()
	got, err := daemon.Inbox(ctx)
	if err != nil {
		return err
	}
	screen, v := term.NewScreen(c.App.ErrWriter), voiceOf(c)
	if got.Dir == "" {
		screen.Note(v.say("no inbox is configured: set inbox.dir and restart the daemon", "未设置收件箱：请设置 inbox.dir 并重启服务"))
	}
	if got.Problem != "" {
		screen.Failed(v.say("files wait, and are tried again: %s", "文件正在等待，将自动重试：%s", got.Problem))
	}
	return term.Print(out, got.Files, "name", "state", "taken", "outcome", "rows", "refused", "entries", "report")
}
