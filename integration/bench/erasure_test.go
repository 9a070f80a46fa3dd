package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/registry/act"
)

func TestEntriesToWithdrawAreApart(t *testing.T) {
	for name, tc := range map[string]struct {
		own   []uint64
		count int
		want  []act.Span
	}{
		"every third":                {[]uint64{1, 2, 3, 10, 11, 12}, 2, []act.Span{{First: 1, Count: 1}, {First: 10, Count: 1}}},
		"neighbours are one span":    {[]uint64{1, 2, 9}, 3, []act.Span{{First: 1, Count: 2}, {First: 9, Count: 1}}},
		"the first is the only one":  {[]uint64{4, 5}, 1, []act.Span{{First: 4, Count: 1}}},
		"a gap of one keeps them so": {[]uint64{4, 6}, 2, []act.Span{{First: 4, Count: 1}, {First: 6, Count: 1}}},
	} {
		if got := apart(tc.own, tc.count); !slices.Equal(got, tc.want) {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

// The line is the one that a node logs, in a log that goes on.
func TestTheNextErasureIsReadFromTheLog(t *testing.T) {
	line := func(entries int, took, snapshot time.Duration) []byte {
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("erased what was withdrawn", "entries", entries, "through", 7,
			"took", took.String(), "snapshot", snapshot.String())
		return b.Bytes()
	}
	n := &network{procs: []*demo.Process{{Node: "h1", Dir: t.TempDir()}}}
	path := filepath.Join(n.procs[0].Dir, "daemon.log")
	old := line(1, time.Minute, time.Second)
	if err := os.WriteFile(path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	logs, err := n.erasureLogs()
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := logs[0].await(ended); err == nil {
		t.Error("the erasure before was taken for the next")
	}
	next := line(100, 1365*time.Millisecond, 426*time.Millisecond)
	if _, found, _ := parseErased(next[:len(next)-1]); found {
		t.Error("half a line was read")
	}
	if err := os.WriteFile(path, append(append(old, "level=INFO msg=other\n"...), next...), 0o600); err != nil {
		t.Fatal(err)
	}
	want := erased{entries: 100, took: 1365 * time.Millisecond, snapshot: 426 * time.Millisecond}
	if got, err := logs[0].await(t.Context()); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestCommitsAreOfTheErasureOrOfAsLongATimeBefore(t *testing.T) {
	began := time.Unix(1000, 0)
	at := func(sent, done int) commit { // milliseconds after the act
		return commit{began.Add(time.Duration(sent) * time.Millisecond), began.Add(time.Duration(done) * time.Millisecond)}
	}
	b := &bench{results: newResults(options{})}
	commits := []commit{
		at(-900, -600), // long before
		at(-40, -10), at(-600, -480),
		at(-20, 180), at(10, 20), at(450, 900), // the first and the last are in part
		at(600, 5000), // after it
	}
	if err := b.notice(commits, began, began.Add(500*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"before an erasure: others' commit p50": 120, "before an erasure: others' commit p99": 120,
		"during an erasure: others' commit p50": 200, "during an erasure: others' commit p99": 450,
		"erasure: from the act to the last node": 500,
	} {
		if got := b.results.values(name); !slices.Equal(got, []float64{want}) {
			t.Errorf("%s: got %v, want %g", name, got, want)
		}
	}
	if err := b.notice(commits[:1], began, began.Add(time.Second/2)); err == nil {
		t.Error("a ratio to no commits at all")
	}
}
