package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var updatePage = flag.Bool("update", false, "put the figures of bench.json into docs/BENCHMARKS.md")

// Between these lines of docs/BENCHMARKS.md stand the figures.
const (
	figuresBegin = "<!-- figures -->\n"
	figuresEnd   = "<!-- end of figures -->\n"
)

// TestPageShowsTheFiguresOfTheResultsFile keeps docs/BENCHMARKS.md and
// bench.json, together.
func TestPageShowsTheFiguresOfTheResultsFile(t *testing.T) {
	root := filepath.Join("..", "..")
	r, err := readResults(filepath.Join(root, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(root, "docs", "BENCHMARKS.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), figuresBegin)
	shown, after, ok2 := strings.Cut(rest, figuresEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for figures", path)
	}
	want := figuresTable(r)
	if *updatePage {
		if err := os.WriteFile(path, []byte(before+figuresBegin+want+figuresEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if shown != want {
		t.Errorf("the page shows other figures than bench.json: go test ./integration/bench -run Page -update")
	}
}

// figuresTable writes the goals with what was measured, and then the rest.
func figuresTable(r *results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, %s, load average before the run %s, %.0f s.\n\n", r.Began.Format("2006-01-02"), r.Cores, r.Go, r.Load, r.Seconds)
	for _, l := range r.Later {
		fmt.Fprintf(&b, "Later, %s alone: %s, %s, load average before %s, %.0f s.\n\n",
			strings.Join(l.Parts, " and "), l.Began.Format("2006-01-02"), l.Go, l.Load, l.Seconds)
	}
	b.WriteString("| goal | | median | least to most | rounds | |\n|---|---|---|---|---|---|\n")
	shown := map[string]bool{}
	for _, g := range goals {
		s := r.find(g.figure)
		if s == nil {
			fmt.Fprintf(&b, "| %s | %s | | | | not measured |\n", g.figure, g.in(""))
			continue
		}
		shown[g.figure] = true
		mark := "**missed**"
		if g.reached(s) {
			mark = "reached"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %s |\n", g.figure, g.in(s.Unit), figure(s.Median), spread(s), len(s.Values), mark)
	}
	b.WriteString("\n| other figures | median | least to most | rounds |\n|---|---|---|---|\n")
	for _, s := range r.Series {
		if !shown[s.Name] {
			fmt.Fprintf(&b, "| %s | %s %s | %s | %d |\n", s.Name, figure(s.Median), s.Unit, spread(s), len(s.Values))
		}
	}
	return b.String()
}

func spread(s *series) string { return figure(s.Min) + " to " + figure(s.Max) }

// figure writes three digits that count.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
