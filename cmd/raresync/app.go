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
			validateCommand(), submitCommand(), inboxCommand(), pageCommand(), consoleCommand(), templateCommand(), mappingCommand(),
			statusCommand(), healthCommand(), doctorCommand(), debugCommand(), memberCommand(), joinCommand(), leaveCommand(), raftCommand(), actCommand(), entryCommand(), queryCommand(), letterCommand(), checkCommand(), cardCommand(), logCommand(), ceremonyCommand(), keyCommand(), auditCommand(),
			pseudonymCommand(), caseNumberCommand(), withdrawCommand(), erasureCommand(), reportCommand(), subjectCommand(), exportCommand(), backupCommand(),
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
		for _, f := range c.Flags {
			hideZero(f)
		}
		c.Flags = append(c.Flags, commonFlags()...)
		c.Before = checkCommon
	}
}

// hideZero keeps the help from calling 0 the default of a number that stands for
// nothing without the flag, and false that of a choice.
func hideZero(f cli.Flag) {
	switch f := f.(type) {
	case *cli.BoolFlag:
		f.DisableDefaultText = !f.Value
	case *cli.UintFlag:
		if f.Value == 0 && f.DefaultText == "" {
			f.DefaultText = "none"
		}
	case *cli.Uint64Flag:
		if f.Value == 0 && f.DefaultText == "" {
			f.DefaultText = "none"
		}
	}
}

// showHelp prints the help of the command at a path.
func showHelp(w io.Writer, path []string) {
	app := newApp(nil, w, w)
	_ = app.RunContext(context.Background(), append(append([]string{app.Name}, path...), "--help"))
}
