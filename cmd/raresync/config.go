package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/daemon/config"
)

func configCommand() *cli.Command {
	return &cli.Command{
		Name:        "config",
		Usage:       "check a configuration file, or print an annotated one",
		Subcommands: []*cli.Command{configCheckCommand(), configDefaultsCommand()},
	}
}

func configCheckCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "report every problem of a configuration file",
		ArgsUsage: "[FILE]",
		Action: func(c *cli.Context) error {
			args, err := arguments(c, 0, 1)
			if err != nil {
				return err
			}
			path, err := configPath(append(args, c.String("config"))[0])
			if err != nil {
				return err
			}
			if _, err := config.Load(path); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s: no problems\n", path)
			return err
		},
	}
}

func configDefaultsCommand() *cli.Command {
	return &cli.Command{
		Name:  "defaults",
		Usage: "print an annotated configuration with every default",
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			_, err := c.App.Writer.Write(config.DefaultsTOML())
			return err
		},
	}
}
