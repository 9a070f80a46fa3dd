package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus/space"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/bundle"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/recent"
)

func debugCommand() *cli.Command {
	return &cli.Command{
		Name:  "debug",
		Usage: "collect what somebody who helps from far away needs to know of this node",
		Subcommands: []*cli.Command{{
			Name:      "bundle",
			Usage:     "write version, settings, findings, state and sizes of this node into an archive without secrets",
			ArgsUsage: "FILE",
			Description: "FILE becomes a .tar.gz that nobody but you can read. Everything in it is taken from a list: no key, no\n" +
				"password, nothing of a patient, no name of a file that somebody has chosen. It works with the daemon down,\n" +
				"and holds less then. What is written is listed: look it through before you send it, it names this\n" +
				"network's institutions and addresses.",
			Action: debugBundle,
		}},
	}
}

// bundleReadme is the first file of a bundle.
const bundleReadme = `What raresync debug bundle has collected of one node. Every file says what was
asked of the node and of its machine; what could not be had stands in missing.txt.
Nothing in it is a secret or of a patient, but it names institutions, addresses
and versions: show it to nobody who need not see it.
`

func debugBundle(c *cli.Context) error {
	path, err := fileArgument(c)
	if err != nil {
		return err
	}
	cfg, err := loadConfig(c)
	var wrong *config.Problems
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	p := &parcel{}
	p.add("README.txt", []byte(bundleReadme))
	p.addJSON("version.json", build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}, nil)
	if wrong != nil { // what is wrong with a value may quote it
		var keys []string
		for _, problem := range wrong.List {
			keys = append(keys, problem.Key)
		}
		p.addJSON("wrong-settings.json", keys, nil)
	} else {
		p.ofMachine(c, cfg)
		p.ofDaemon(c, cfg)
	}
	p.add("missing.txt", []byte(strings.Join(p.missing, "\n")))
	raw, err := p.archive(time.Now())
	if err != nil {
		return fmt.Errorf("make the bundle: %w", err)
	}
	if err := writePrivate(path, raw); err != nil {
		return err
	}
	return p.tell(c, path, len(raw))
}

// ofMachine adds what can be seen from outside.
func (p *parcel) ofMachine(c *cli.Context, cfg config.Config) {
	p.addJSON("settings.json", bundle.Settings(cfg), nil)
	p.addJSON("files.json", bundle.Files(cfg.Node.DataDir), nil)
	free, total, err := space.Disk(cfg.Node.DataDir)()
	p.addJSON("disk.json", map[string]uint64{"free_bytes": free, "size_bytes": total}, err)
	var found []symptom
	for _, f := range examined(c, cfg) {
		found = append(found, symptom{f.Check, f.Level.String(), recent.Clean(f.Says.EN), recent.Clean(f.Fix.EN)})
	}
	p.addJSON("doctor.json", found, nil)
}

// ofDaemon adds what the daemon says of itself.
func (p *parcel) ofDaemon(c *cli.Context, cfg config.Config) {
	socket := cfg.Listen.AdminSocket
	if named := c.String("socket"); named != "" {
		socket = named
	}
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	daemon := admin.NewClient(socket)
	status, err := daemon.Status(ctx)
	if err != nil {
		p.lack("everything that the daemon says of itself", err)
		return
	}
	d := judgeStatus(status, voice{"en"})
	var health strings.Builder
	for line := range strings.Lines(d.text()) {
		health.WriteString(recent.Clean(strings.TrimSuffix(line, "\n")) + "\n")
	}
	p.add("health.txt", []byte(health.String()))
	p.addJSON("status.json", shownStatus(status), nil)
	askFor(ctx, p, "members.json", daemon.Members)
	askFor(ctx, p, "raft-peers.json", daemon.RaftPeers)
	askFor(ctx, p, "head.json", daemon.Head)
	askFor(ctx, p, "pseudonymisation-key.json", daemon.Key)
	metrics, err := daemon.Metrics(ctx)
	p.addText("metrics.txt", string(metrics), err)
	goroutines, err := daemon.Goroutines(ctx)
	p.addText("goroutines.txt", goroutines, err)
	log, err := daemon.RecentLog(ctx)
	p.addText("log.txt", log, err)
}

// shownStatus is a status with its free texts as far as they may be shown.
func shownStatus(s admin.Status) admin.Status {
	s.Why, s.WhyZH, s.Alarm, s.WarningsZH = recent.Clean(s.Why), "", recent.Clean(s.Alarm), nil
	warnings := make([]string, len(s.Warnings))
	for i, w := range s.Warnings {
		warnings[i] = recent.Clean(w)
	}
	s.Warnings = warnings
	return s
}

// askFor adds what the daemon answers to a question.
func askFor[T any](ctx context.Context, p *parcel, name string, question func(context.Context) (T, error)) {
	v, err := question(ctx)
	p.addJSON(name, v, err)
}

// writePrivate writes a new file that only this user can read.
func writePrivate(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write: %w", errors.Join(err, os.Remove(path)))
	}
	return nil
}

// packedFile is a line of what was written.
type packedFile struct {
	File  string `json:"file"`
	Bytes int    `json:"bytes"`
}

// tell lists what is in the bundle.
func (p *parcel) tell(c *cli.Context, path string, total int) error {
	out, err := outputOf(c)
	if err != nil {
		return err
	}
	var rows []packedFile
	for _, f := range p.files {
		rows = append(rows, packedFile{f.name, len(f.text)})
	}
	if err := term.Print(out, rows); err != nil {
		return err
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	for _, m := range p.missing {
		screen.Note(v.say("missing: %s", "缺少：%s", m))
	}
	screen.Done(v.say("%s has %d bytes: look it through before you send it, it names institutions and addresses",
		"%s 共 %d 字节：其中有机构名称和地址，发送前请先查看", path, total))
	return nil
}
