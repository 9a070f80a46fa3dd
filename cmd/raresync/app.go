package main

import (
	"context"
	"io"

	"github.com/urfave/cli/v2"
)

// newApp returns the tree of commands.
func newApp(in io.Reader, out, errs io.Writer) *cli.App {
	app := &cli.App{
		Name:  "raresync",
		Usage: "one national log of signed, sealed, pseudonymised registry entries",
		Commands: []*cli.Command{
			demoCommand(), initCommand(), foundCommand(), serveCommand(),
			validateCommand(), submitCommand(),
			statusCommand(), memberCommand(), actCommand(), entryCommand(), logCommand(), ceremonyCommand(), keyCommand(), auditCommand(),
			pseudonymCommand(), caseNumberCommand(), backupCommand(),
			catalogCommand(), configCommand(), versionCommand(),
		},
		Reader: in, Writer: out, ErrWriter: errs,
		HideHelpCommand: true, HideVersion: true, DisableSliceFlagSeparator: true,
		ExitErrHandler: func(*cli.Context, error) {}, // report knows the codes
	}
	finish(app.Commands)
	return app
}

// finish gives every leaf the common flags, and turns off what the library
// adds by itself.
func finish(commands []*cli.Command) {
	for _, c := range commands {
		c.HideHelpCommand = true
		c.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return usageError{err.Error()} }
		if len(c.Subcommands) > 0 {
			finish(c.Subcommands)
			continue
		}
		c.Flags = append(c.Flags, commonFlags()...)
		c.Before = checkCommon
	}
}

// showHelp prints the help of the command at a path.
func showHelp(w io.Writer, path []string) {
	app := newApp(nil, w, w)
	_ = app.RunContext(context.Background(), append(append([]string{app.Name}, path...), "--help"))
}
