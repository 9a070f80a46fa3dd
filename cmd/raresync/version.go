package main

import (
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/catalog"
)

// build is what `raresync version` prints.
type build struct {
	Version   string `json:"version"`
	Go        string `json:"go"`
	Platform  string `json:"platform"`
	Catalogue string `json:"catalogue"` // edition of the disease lists it carries
	Level     uint64 `json:"supported_level"`
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "print version, Go version, platform, catalogue edition and the feature level that it supports",
		Action: func(c *cli.Context) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			out, err := outputOf(c)
			if err != nil {
				return err
			}
			return term.PrintOne(out, build{
				Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
				Catalogue: catalog.Current().Edition(), Level: act.SupportedLevel,
			})
		},
	}
}
