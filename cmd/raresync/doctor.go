package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/doctor"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "examine this node from outside, and say how to mend what is wrong; the daemon need not run",
		Description: "It looks at the configuration, the data directory, the disk, keys, the clock, names, the proxy, ports and\n" +
			"the way to the other nodes, and changes nothing. Run it as the daemon's user. Exit code 1: something keeps\n" +
			"the node from its work.",
		Action: examine,
	}
}

// errIll says that an examination found failures.
var errIll = errors.New("something keeps this node from its work")

// doctorTimeout bounds an examination.
const doctorTimeout = 30 * time.Second

// symptom is a finding as it is printed.
type symptom struct {
	Check string `json:"check"`
	Level string `json:"level"` // ok, unknown, warning or failure
	Says  string `json:"says"`
	Fix   string `json:"fix,omitempty"`
}

func examine(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	var wrong *config.Problems
	found := []doctor.Finding{}
	switch {
	case errors.As(err, &wrong):
		for _, p := range wrong.List {
			found = append(found, doctor.Finding{
				Check: "configuration", Level: doctor.Failure, Says: doctor.Text{EN: p.String(), ZH: p.String()},
				Fix: doctor.Text{EN: "edit " + wrong.File, ZH: "请修改 " + wrong.File},
			})
		}
	case err != nil:
		return err
	default:
		found = examined(c, cfg)
	}
	return tellSymptoms(c, out, found)
}

func examined(c *cli.Context, cfg config.Config) []doctor.Finding {
	ctx, cancel := within(c, doctorTimeout)
	defer cancel()
	socket := cfg.Listen.AdminSocket
	if named := c.String("socket"); named != "" {
		socket = named
	}
	s, answer := admin.NewClient(socket).Status(ctx)
	found := doctor.Examine(ctx, doctor.Patient{Config: cfg, Proxy: daemon.Proxy(cfg), Answer: answer})
	for i, en := range s.Warnings { // what the daemon sees from inside, and what it says to do
		f := doctor.Finding{Check: "status", Level: doctor.Warning, Says: doctor.Text{EN: en, ZH: en}}
		if i < len(s.WarningsZH) && s.WarningsZH[i] != "" {
			f.Says.ZH = s.WarningsZH[i]
		}
		found = append(found, f)
	}
	return found
}

func tellSymptoms(c *cli.Context, out *term.Output, found []doctor.Finding) error {
	v := voiceOf(c)
	var rows []symptom
	var err error
	for _, f := range found {
		rows = append(rows, symptom{f.Check, f.Level.String(), f.Says.In(v.lang), f.Fix.In(v.lang)})
		if f.Level == doctor.Failure {
			err = errIll
		}
	}
	if !isTable(c) {
		return errors.Join(term.Print(out, rows), err)
	}
	for _, r := range rows {
		if _, err := fmt.Fprintf(c.App.Writer, "[%s] %s: %s\n", v.cell("level", r.Level), term.Clean(r.Check), term.Clean(r.Says)); err != nil {
			return err
		}
		if r.Fix == "" {
			continue
		}
		if _, err := fmt.Fprintln(c.App.Writer, "    "+v.say("fix: %s", "处理：%s", term.Clean(r.Fix))); err != nil {
			return err
		}
	}
	return err
}
