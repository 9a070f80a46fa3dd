package main

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/daemon/admin"
)

func tableOf(told string, voters int, mirrors int) (s admin.NetworkStatus) {
	n, yes := uint64(7_812_345), true
	for i := range voters + mirrors {
		kind := "voter"
		if i >= voters {
			kind = "mirror"
		}
		node := admin.NetworkNode{
			Node: "pumch-0" + string(rune('1'+i)), Kind: kind, Institution: 320, Name: "Peking Union Medical College Hospital", NameZH: "北京协和医院国家罕见病中心",
			Since: "2026-11-27T07:19:05Z", Never: i%2 == 0,
		}
		if told[i] == 'y' {
			node.Told, node.Reached, node.Version, node.Supports, node.Leader = true, true, "v1.12.3-45-g9a1ceab", 12, "pumch-01"
			node.Size, node.Behind, node.Ready, node.Cosigns = &n, &n, &yes, &yes
		}
		s.Nodes = append(s.Nodes, node)
	}
	return s
}

func TestTheTableOfAllNodesFits100Columns(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		v := voice{lang}
		var rows []networkRow
		for _, n := range tableOf("ynyn", 2, 2).Nodes {
			rows = append(rows, rowOf(n, v))
		}
		var b bytes.Buffer
		out, err := term.New(&b, "table")
		if err != nil {
			t.Fatal(err)
		}
		if lang == "zh" {
			out.Speak(term.Words{Heading: func(field string) string { return headingsZH[field] }, Cell: v.cell})
		}
		if err := term.Print(out, rows); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if w := term.Width(strings.TrimRight(line, "\n")); w > 100 {
				t.Errorf("%d columns: %s", w, line)
			}
		}
		if !strings.Contains(b.String(), "11-27 07:19") {
			t.Errorf("when a node was heard last is not there:\n%s", b.String())
		}
	}
}

func TestTheExitCodeSaysHowMuchOfTheNetworkAnswers(t *testing.T) {
	for told, want := range map[string]int{"yyyyy": 0, "yyyyn": exitPartly, "ynyyy": exitPartly, "nnyyy": exitRetry, "nnnnn": exitRetry} {
		err := exitOfNetwork(tableOf(told, 3, 2))
		var code exitWith
		if (err == nil) != (want == 0) || err != nil && (!errors.As(err, &code) || int(code) != want) {
			t.Errorf("%s: %v, want exit code %d", told, err, want)
		}
	}
}

func TestNotesSayWhatTheTableHasNoRoomFor(t *testing.T) {
	s := tableOf("ynyy", 3, 1)
	no := false
	s.Nodes[2].Ready, s.Nodes[2].Why, s.Nodes[2].WhyZH, s.Nodes[2].Leader = &no, "catching up", "正在追赶", "h9"
	s.Nodes[3].Told = false
	s.Dead = []admin.DeadVoter{{Node: "pumch-02", Says: "voter pumch-02 was not reached", SaysZH: "投票节点 pumch-02 无法连接"}}
	for lang, want := range map[string][]string{
		"en": {"warning: voter pumch-02 was not reached", "pumch-03 is not ready: catching up", "does not say where it stands", "different leaders, [pumch-01 h9]"},
		"zh": {"警告：投票节点 pumch-02 无法连接", "pumch-03 未就绪：正在追赶", "未说明状态", "所说的领导节点不同"},
	} {
		notes := networkNotes(s, voice{lang})
		for _, text := range want {
			if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, text) }) {
				t.Errorf("no note says %q: %q", text, notes)
			}
		}
		if slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "EXTRA") }) || len(notes) != len(want) {
			t.Errorf("notes %q", notes)
		}
	}
}
