package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

// health is how a node is, in the order and with the exit codes of monitoring
// plugins.
type health int

const (
	healthOK health = iota
	healthWarning
	healthCritical
	healthUnknown
)

// String returns the word that monitoring plugins begin with.
func (h health) String() string {
	return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[h]
}

// exitWith ends a command with a code and says nothing more.
type exitWith int

func (e exitWith) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func healthCommand() *cli.Command {
	return &cli.Command{
		Name:  "health",
		Usage: "judge this node for a monitoring system: exit code 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN",
		Description: "CRITICAL: the daemon does not answer, is not ready, or has an alarm. WARNING: whatever raresync status\n" +
			"warns of. UNKNOWN: the node cannot be asked, as without a configuration. Run it each minute, as the\n" +
			"daemon's user; it waits 10 seconds for the daemon unless --timeout says otherwise.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "`FORMAT`: text for people, nagios for monitoring plugins with figures after the bar"},
		},
		Action: healthOf,
	}
}

func healthOf(c *cli.Context) error {
	if _, err := arguments(c, 0, 0); err != nil {
		return err
	}
	if f := c.String("format"); f != "text" && f != "nagios" {
		return usagef("--format %q: want text or nagios", f)
	}
	v := voiceOf(c)
	d := diagnose(c, v)
	var text string
	if c.String("format") == "nagios" {
		text = d.nagios()
	} else {
		text = d.text()
	}
	if _, err := fmt.Fprint(c.App.Writer, text); err != nil {
		return err
	}
	if d.is == healthOK {
		return nil
	}
	return exitWith(d.is)
}

// diagnosis is what is to be said of a node: the worst of it, and each thing.
type diagnosis struct {
	is      health
	about   string
	reasons []string // worst first
	figures []string // name=value
}

func (d *diagnosis) add(is health, reason string) {
	d.is = max(d.is, is)
	d.reasons = append(d.reasons, term.Clean(reason))
}

const healthTimeout = askTimeout / 3

// diagnose asks the daemon.
func diagnose(c *cli.Context, v voice) (d diagnosis) {
	d.about = "raresync"
	daemon, err := client(c)
	if err != nil {
		d.add(healthUnknown, err.Error())
		return d
	}
	ctx, cancel := within(c, healthTimeout)
	defer cancel()
	s, err := daemon.Status(ctx)
	if err != nil {
		d.unanswered(whyUnreachable(c, err), v)
		return d
	}
	return judgeStatus(s, v)
}

// unanswered is the diagnosis of a daemon that gives no status.
func (d *diagnosis) unanswered(err error, v voice) {
	text, hint, _ := strings.Cut(err.Error(), hintMark)
	if v.lang == "zh" {
		text, hint = chinese(err, text, hint)
	} else if hint == "" {
		hint = advice(err).hint
	}
	var problem *admin.Problem
	if hint != "" {
		text += "; " + hint
	}
	if errors.As(err, &problem) && problem.Code == admin.CodeInternal {
		d.add(healthUnknown, text)
		return
	}
	d.add(healthCritical, text)
}

// judgeStatus judges what a daemon says of itself.
func judgeStatus(s admin.Status, v voice) (d diagnosis) {
	d.about = v.say("node %s (%s)", "节点 %s（%s）", s.Node, s.Kind)
	zh := v.lang == "zh"
	if !s.Ready {
		why := s.Why
		if zh && s.WhyZH != "" {
			why = s.WhyZH
		}
		d.add(healthCritical, v.say("not ready: %s", "未就绪：%s", why))
	}
	if s.Alarm != "" {
		d.add(healthCritical, v.say("the outbox stands still: %s", "发件箱停滞：%s", s.Alarm))
	}
	for i, w := range s.Warnings {
		if zh && i < len(s.WarningsZH) && s.WarningsZH[i] != "" {
			w = s.WarningsZH[i]
		}
		d.add(healthWarning, w)
	}
	d.figures = []string{
		fmt.Sprintf("entries=%d", s.Size), fmt.Sprintf("unconfirmed=%d", s.Size-min(s.Size, s.Checkpoint)),
		fmt.Sprintf("outbox=%d", s.Outbox), fmt.Sprintf("waiting_files=%d", s.Waiting), fmt.Sprintf("sessions=%d", len(s.Peers)),
	}
	return d
}

// nagios is the diagnosis as monitoring plugins say it: one line of summary and
// figures, then one for each further reason. A bar in a text would end it.
func (d *diagnosis) nagios() string {
	said := []string{"ok"}
	for i, r := range d.reasons {
		r = strings.ReplaceAll(strings.ReplaceAll(r, "|", "/"), "\n", " ")
		if i == 0 {
			said = nil
		}
		said = append(said, r)
	}
	first := said[0]
	if len(said) > 1 {
		first += fmt.Sprintf(" (+%d)", len(said)-1)
	}
	line := fmt.Sprintf("RARESYNC %s - %s: %s", d.is, d.about, first)
	if len(d.figures) > 0 {
		line += " | " + strings.Join(d.figures, " ")
	}
	return strings.Join(append([]string{line}, said[1:]...), "\n") + "\n"
}

// text is the diagnosis for a person.
func (d *diagnosis) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", d.is, d.about)
	for _, r := range d.reasons {
		fmt.Fprintf(&b, "  %s\n", r)
	}
	if len(d.figures) > 0 {
		fmt.Fprintf(&b, "  %s\n", strings.Join(d.figures, " "))
	}
	return b.String()
}
