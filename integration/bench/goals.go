package main

import (
	"slices"
	"strconv"
)

// goal is what the project means to reach on two cores: a limit on a figure's
// median, or on the worst of its rounds.
type goal struct {
	figure string
	limit  float64
	atMost bool // or at least
	worst  bool // of all rounds, not the median
}

// heartbeatMS is the time that fail-over is measured by, in milliseconds.
const heartbeatMS = 2000

// erasureFigure is of one node and one withdrawal.
const erasureFigure = "erasure of 100 entries by one node, beyond the snapshot"

var goals = []goal{
	{figure: "raresync by raw: rate", limit: 0.5},
	{figure: "raresync by raw, long windows: rate", limit: 0.4},
	{figure: "raresync above raw: CPU per envelope and node", limit: 250, atMost: true},
	{figure: "raresync in entries by etcd's 512 B puts", limit: 5},
	{figure: "raresync by etcd's 64 KiB values", limit: 0.5},
	{figure: "raresync: commit p99 by p50", limit: 4, atMost: true},
	{figure: "raresync: last commit to its receipt", limit: 1000, atMost: true, worst: true},
	{figure: "raresync, long: last commit to its receipt", limit: 1000, atMost: true, worst: true},
	{figure: "one client: submit to receipt p50", limit: 20, atMost: true},
	{figure: "anonymous memory of a voter after the load", limit: 64, atMost: true},
	{figure: "anonymous memory of a voter after a restart", limit: 64, atMost: true},
	{figure: "disk of a voter, by the envelopes' bytes", limit: 1.5, atMost: true},
	{figure: "restart of one follower to ready, clean", limit: 500, atMost: true},
	{figure: "restart of one follower to ready, kill -9", limit: 500, atMost: true},
	{figure: "restart of all to ready, kill -9", limit: 4000, atMost: true},
	{figure: "a voter that missed 1/100: fetched, by what it missed", limit: 1.1, atMost: true},
	{figure: "a fresh mirror, full envelopes", limit: 150_000},
	{figure: "a fresh mirror, single entries", limit: 10_000},
	{figure: "planned transfer: longest wait for a commit", limit: 200, atMost: true},
	{figure: failoverFigure, limit: 2.2 * heartbeatMS, atMost: true},
	{figure: failoverFigure, limit: 3.5 * heartbeatMS, atMost: true, worst: true},
	{figure: erasureFigure, limit: 5000, atMost: true},
	{figure: "commits of others during an erasure by before it: p99", limit: 3, atMost: true},
	{figure: "an idle mirror: anonymous memory", limit: 64, atMost: true},
	{figure: "an idle mirror: processor, of a core", limit: 1, atMost: true},
	{figure: "an idle mirror: network, both ways", limit: 10, atMost: true},
	{figure: mirrorsCPUFigure, limit: 1.1, atMost: true},
	{figure: mirrorsEgressFigure, limit: 1.1, atMost: true},
	{figure: backfillFigure, limit: 900, atMost: true},
	{figure: "links of 30 ms: commit p50, by round trips", limit: 1.15, atMost: true},
	{figure: "links of 30 ms: receipt p50, by round trips", limit: 2.3, atMost: true},
	{figure: "links of 80 ms: commit p50, by round trips", limit: 1.15, atMost: true},
	{figure: "links of 80 ms: receipt p50, by round trips", limit: 2.3, atMost: true},
	{figure: "ten million leaves: restart of one follower to ready, kill -9", limit: 2000, atMost: true},
	{figure: "ten million leaves: anonymous memory of a voter after a restart", limit: 150, atMost: true},
}

// of returns the figure that the goal is about.
func (g goal) of(s *series) float64 {
	switch {
	case !g.worst:
		return s.Median
	case g.atMost:
		return s.Max
	}
	return s.Min
}

func (g goal) reached(s *series) bool {
	if g.atMost {
		return g.of(s) <= g.limit
	}
	return g.of(s) >= g.limit
}

// in says the goal in words, in the figure's unit.
func (g goal) in(unit string) string {
	bound := "at least"
	if g.atMost {
		bound = "at most"
	}
	text := bound + " " + strconv.FormatFloat(g.limit, 'f', -1, 64)
	if unit != "x" {
		text += " " + unit
	}
	if g.worst {
		text += " in the worst"
	}
	return text
}

// verdict says what the goals of a figure are and which were missed.
func verdict(s *series) string {
	text := ""
	for _, g := range goals {
		if g.figure != s.Name {
			continue
		}
		mark := "reached"
		if !g.reached(s) {
			mark = "MISSED"
		}
		if text != "" {
			text += "; "
		}
		text += mark + ": " + g.in(s.Unit)
	}
	return text
}

// unmeasured lists the goals whose figure is not among the results.
func (r *results) unmeasured() []string {
	var names []string
	for _, g := range goals {
		if r.values(g.figure) == nil && !slices.Contains(names, g.figure) {
			names = append(names, g.figure)
		}
	}
	return names
}
