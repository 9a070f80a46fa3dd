package integration

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

const maxFileLines = 400

func lengthFaults(tree *houseTree) (faults []string) {
	for _, f := range tree.goes {
		if n := strings.Count(tree.texts[f.path], "\n"); !f.test && n > maxFileLines {
			faults = append(faults, fmt.Sprintf("%s: %d lines, at most %d", f.path, n, maxFileLines))
		}
	}
	return faults
}

// forbidden holds what no text of the tree may say. A bracket in each word
// keeps the pattern from finding itself.
var forbidden = []struct {
	what    string
	pattern *regexp.Regexp
	exts    []string // the endings looked at; none means all
}{
	{"a path of one machine", regexp.MustCompile(`(^|[^a-zA-Z0-9._-])/(wo[r]k|fa[r]m|roo[t]|tm[p])/`), nil},
	{"an unfinished place", regexp.MustCompile(
		`\b(TO[D]O|FI[X]ME|XX[X])\b|(?i)\b(not implem[e]nted|unimplem[e]nted|stu[b]s?|for n[o]w)\b`,
	), []string{".go", ".md", ".sh", ".toml", ".service"}},
	{"the name of a package registry's host", regexp.MustCompile(
		`\bprox[y]\.golang\.org|registr[y]\.npmjs|deb\.debia[n]\.org`,
	), nil},
	{"a tool that wrote the text", regexp.MustCompile(`(?i)\b(chatg[p]t|cla[u]de|copil[o]t|anthr[o]pic|open[a]i)\b`), nil},
}

func wordFaults(tree *houseTree) (faults []string) {
	for _, name := range slices.Sorted(maps.Keys(tree.texts)) {
		for _, rule := range forbidden {
			if rule.exts != nil && !slices.Contains(rule.exts, path.Ext(name)) {
				continue
			}
			for _, at := range rule.pattern.FindAllStringIndex(tree.texts[name], -1) {
				line := 1 + strings.Count(tree.texts[name][:at[1]], "\n")
				faults = append(faults, fmt.Sprintf("%s:%d: %s", name, line, rule.what))
			}
		}
	}
	return faults
}

// pins holds the versions that build together: raft v1.8.0 needs a go-metrics
// without the package compat, which raft-boltdb v2.3.1 still imports, and
// raft-boltdb alone would choose a bbolt from 2018.
var pins = map[string]string{
	"github.com/hashicorp/raft":           "v1.7.3",
	"github.com/hashicorp/raft-boltdb/v2": "v2.3.1",
	"github.com/hashicorp/go-metrics":     "v0.6.1",
	"go.etcd.io/bbolt":                    "v1.5.0",
}

func pinFaults(tree *houseTree) (faults []string) {
	have := map[string]string{}
	for _, r := range tree.mod.Require {
		have[r.Mod.Path] = r.Mod.Version
	}
	for _, module := range slices.Sorted(maps.Keys(pins)) {
		switch got := have[module]; got {
		case pins[module]:
		case "":
			faults = append(faults, fmt.Sprintf("go.mod: %s is missing, want %s", module, pins[module]))
		default:
			faults = append(faults, fmt.Sprintf("go.mod: %s %s, want %s", module, got, pins[module]))
		}
	}
	return faults
}
