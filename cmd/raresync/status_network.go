package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

// networkRow is a node on one line, short enough for 100 columns.
type networkRow struct {
	Node     string `json:"node"`
	Kind     string `json:"kind"`
	Hospital string `json:"hospital"` // number and name
	Version  string `json:"version"`
	Level    string `json:"level"` // the feature level that its build supports
	Heard    string `json:"heard"`
	Size     string `json:"size"`
	Behind   string `json:"behind"`
	Leader   string `json:"leader"`
	Cosigns  string `json:"cosigns"`
}

const (
	nameCells    = 13
	versionCells = 9
	heardFormat  = "01-02 15:04"
)

// statusNetwork shows all nodes. Exit code 3: some do not answer; 4: too few voters
// do for the network to go on.
func statusNetwork(c *cli.Context) error {
	out, s, err := ask(c, "status of the network", (*admin.Client).Network)
	if err != nil {
		return err
	}
	v := voiceOf(c)
	if !isTable(c) {
		if err := term.PrintOne(out, s); err != nil {
			return err
		}
		return exitOfNetwork(s)
	}
	rows := make([]networkRow, len(s.Nodes))
	for i, n := range s.Nodes {
		rows[i] = rowOf(n, v)
	}
	if err := term.Print(out, rows); err != nil {
		return err
	}
	screen := term.NewScreen(c.App.ErrWriter)
	for _, note := range networkNotes(s, v) {
		screen.Note(term.Clean(note))
	}
	return exitOfNetwork(s)
}

func rowOf(n admin.NetworkNode, v voice) networkRow {
	name := n.Name
	if v.lang == "zh" && n.NameZH != "" {
		name = n.NameZH
	}
	r := networkRow{
		Node: n.Node, Kind: n.Kind, Hospital: term.Short(fmt.Sprintf("%d %s", n.Institution, name), nameCells),
		Version: term.Short(n.Version, versionCells), Heard: heardAt(n), Leader: n.Leader,
		Size: figureOf(n.Size), Behind: figureOf(n.Behind),
	}
	if n.Supports > 0 {
		r.Level = strconv.FormatUint(n.Supports, 10)
	}
	if n.Cosigns != nil {
		r.Cosigns = strconv.FormatBool(*n.Cosigns)
	}
	return r
}

func figureOf(n *uint64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(*n, 10)
}

// heardAt is "now", or when a node was heard last; with < in front if it was not
// since whoever looked out for it was started.
func heardAt(n admin.NetworkNode) string {
	at, err := time.Parse(time.RFC3339, n.Since)
	switch {
	case n.Told && n.Ready != nil && !*n.Ready:
		return "not ready"
	case n.Told:
		return "now"
	case n.Reached:
		return "no answer"
	case err != nil:
		return "never"
	case n.Never:
		return "<" + at.Format(heardFormat)
	}
	return at.Format(heardFormat)
}

// networkNotes say what the table has no room for.
func networkNotes(s admin.NetworkStatus, v voice) (notes []string) {
	dead := map[string]bool{}
	for _, d := range s.Dead {
		dead[d.Node] = true
		notes = append(notes, v.say("warning: %[1]s", "警告：%[2]s", d.Says, d.SaysZH))
	}
	leaders := []string{}
	for _, n := range s.Nodes {
		switch {
		case n.Told && n.Ready != nil && !*n.Ready:
			notes = append(notes, v.say("%[1]s is not ready: %[2]s", "%[1]s 未就绪：%[3]s", n.Node, n.Why, n.WhyZH))
		case n.Reached && !n.Told:
			notes = append(notes, v.say("%s has a session and does not say where it stands: it may be of an earlier version",
				"%s 有会话连接但未说明状态：可能是较早的版本", n.Node))
		case dead[n.Node]: // said above
		case !n.Reached && n.Never:
			notes = append(notes, v.say("%s was not heard since %s, when the node that looked out for it started",
				"%s 自 %s（观察它的节点启动时）起没有联系", n.Node, n.Since))
		case !n.Reached:
			notes = append(notes, v.say("%s was not heard since %s", "%s 自 %s 起没有联系", n.Node, n.Since))
		}
		if n.Leader != "" && !slices.Contains(leaders, n.Leader) {
			leaders = append(leaders, n.Leader)
		}
	}
	if len(leaders) > 1 {
		notes = append(notes, v.say("voters name different leaders, %v: an election is under way, or some do not hear the others",
			"投票节点所说的领导节点不同 %v：正在选举，或部分节点之间不通", leaders))
	}
	return notes
}

func exitOfNetwork(s admin.NetworkStatus) error {
	voters, answer, silent := 0, 0, false
	for _, n := range s.Nodes {
		if n.Kind == "voter" {
			voters++
			if n.Told {
				answer++
			}
		}
		silent = silent || !n.Told
	}
	switch {
	case answer <= voters/2:
		return exitWith(exitRetry)
	case silent:
		return exitWith(exitPartly)
	}
	return nil
}

// tellDead prints what replaces dead voters below another table.
func tellDead(c *cli.Context, daemon *admin.Client) {
	ctx, cancel := within(c, askTimeout)
	defer cancel()
	s, err := daemon.Status(ctx)
	if err != nil {
		return // what was asked for is there
	}
	v, screen := voiceOf(c), term.NewScreen(c.App.ErrWriter)
	for _, d := range s.Dead {
		screen.Note(v.say("warning: %[1]s", "警告：%[2]s", d.Says, d.SaysZH))
	}
}
