package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/cmd/raresync/term"
)

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:      "demo",
		ArgsUsage: "[MORE INPUT...]",
		Usage:     "watch a network of made-up hospitals take in cases, lose its leader, and converge",
		Description: "Starts a process for each hospital and one for the national coordinator on loopback, with temporary\n" +
			"data and throw-away keys. Without --input the cases are made up. It stays up until Ctrl-C unless --once.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "hospitals", Value: 5, Usage: "`N` hospitals, at most 11"},
			&cli.IntFlag{Name: "voters", DefaultText: "as many as can", Usage: "`N` of them vote: 1, 3, 5, 7 or 9"},
			&cli.StringSliceFlag{Name: "input", Usage: "`PATH` of a phenopacket file, or of a folder of *.json files; may be given several times"},
			&cli.IntFlag{Name: "patients", Value: 300, Usage: "`N` made-up patients where there is no input"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "`N` that decides what is made up and who goes where"},
			&cli.BoolFlag{Name: "once", Usage: "end after the story instead of staying up"},
			&cli.StringFlag{Name: "keep", Usage: "keep all data in the new folder `DIR`"},
		},
		Action: runDemo,
	}
}

func runDemo(c *cli.Context) error {
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	o, err := demoOptions(c)
	if err != nil {
		return err
	}
	remove, err := demoFolder(c.String("keep"), &o)
	if err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	screen.Note("DEMO: throw-away keys, made-up names and numbers; not for real patients")
	network, result, err := demo.Run(c.Context, o, screen)
	if err == nil {
		err = showDemo(c, out, network, result)
	}
	if network != nil {
		err = errors.Join(err, network.Stop())
	}
	if err = errors.Join(err, remove()); err == nil && !(result.Converged && result.Verified) {
		err = coded{exitUnproven, errors.New("the network did not converge to a verified log")}
	}
	if err != nil && c.Context.Err() == nil {
		return coded{exitUnproven, err}
	}
	return err
}

func demoOptions(c *cli.Context) (demo.Options, error) {
	o := demo.Options{
		Hospitals: c.Int("hospitals"), Voters: c.Int("voters"), Input: append(c.StringSlice("input"), c.Args().Slice()...),
		Patients: c.Int("patients"), Seed: c.Uint64("seed"),
	}
	if !c.IsSet("voters") {
		o.Voters = min(9, o.Hospitals-(o.Hospitals+1)%2)
	}
	if o.Patients < 1 || o.Patients > 100_000 {
		return o, usagef("--patients %d: want 1 to 100000", o.Patients)
	}
	if err := demo.CheckSize(o.Hospitals, o.Voters); err != nil {
		return o, usagef("%v", err)
	}
	for _, path := range o.Input {
		if _, err := os.Stat(path); err != nil {
			return o, fmt.Errorf("--input: %w", err)
		}
	}
	var err error
	o.Binary, err = os.Executable()
	return o, err
}

// demoFolder makes the demo's folder and returns what removes it again.
func demoFolder(keep string, o *demo.Options) (remove func() error, err error) {
	if keep == "" {
		if o.Dir, err = os.MkdirTemp("", "raresync-demo"); err != nil {
			return nil, fmt.Errorf("demo: %w", err)
		}
		return func() error { return os.RemoveAll(o.Dir) }, nil
	}
	if o.Dir, err = filepath.Abs(keep); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if err := os.Mkdir(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("--keep: %w", err)
	}
	return func() error { return nil }, nil
}

// showDemo prints the result and, unless --once, stays up until Ctrl-C.
func showDemo(c *cli.Context, out *term.Output, n *demo.Network, r demo.Result) error {
	if !isTable(c) {
		if err := term.PrintOne(out, r); err != nil {
			return err
		}
	} else if err := demoTable(c, out, n, r); err != nil {
		return err
	}
	if c.Bool("once") {
		return nil
	}
	fmt.Fprintln(c.App.ErrWriter, "\nThe network stays up until Ctrl-C.")
	<-c.Context.Done()
	return nil
}

func demoTable(c *cli.Context, out *term.Output, n *demo.Network, r demo.Result) error {
	fmt.Fprintln(c.App.Writer)
	if err := term.PrintOne(out, r, "files", "accepted", "refused", "registrations", "patients", "patients_at_two_hospitals",
		"leader_killed", "recovered_ms", "entries_withdrawn", "nodes_declared", "tree_size", "root", "converged", "verified", "seconds"); err != nil {
		return err
	}
	fmt.Fprintln(c.App.Writer)
	if err := term.Print(out, r.Nodes); err != nil {
		return err
	}
	if c.Bool("once") {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.App.Writer, `
Try next, in another terminal:

  %[1]s entry list --limit 5 -c %[2]s
  %[1]s status -c %[3]s
  %[1]s log verify --policy %[4]s %[5]s
`, program, n.Reader.Config(), n.Hospitals[0].Config(), filepath.Join(n.Dir, "policy.txt"), n.Reader.Dir)
	return err
}
