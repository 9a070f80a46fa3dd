package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/registry/export"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"raresync": main}) }

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "until": until, "ports": ports, "sparse": sparse, "nested": nested, "flip": flip, "mkfifo": mkfifo,
			"proposal": proposal, "own": own, "treesize": treesize, "found": found, "caughtup": caughtup,
		},
		Setup: func(e *testscript.Env) error {
			e.Setenv("NO_COLOR", "1")
			e.Setenv(configEnv, "")
			today := time.Now().UTC().Add(8 * time.Hour).Format(time.DateOnly) // in China
			e.Setenv("TODAY", today)
			e.Setenv("MONTH", today[:len("2026-11")])
			return nil
		},
	})
}

// exits CODE COMMAND... runs a command and wants its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		if code = strings.TrimPrefix(err.Error(), "exit status "); code == err.Error() {
			ts.Fatalf("%v", err)
		}
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

const untilDeadline = 3 * time.Minute

// until PATTERN COMMAND... runs a command again and again until it succeeds and
// prints the pattern.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until TEXT COMMAND...")
	}
	await(ts, args[0], func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && strings.Contains(ts.ReadFile("stdout"), args[0])
	})
}

// await asks again and again.
func await(ts *testscript.TestScript, what string, there func() bool) {
	deadline := time.After(untilDeadline)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for !there() {
		select {
		case <-again.C:
		case <-deadline:
			ts.Fatalf("no %q within %v: %s", what, untilDeadline, ts.ReadFile("stderr"))
		}
	}
}

// caughtup CONFIG OTHER waits until one node has as many entries as another has now.
func caughtup(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: caughtup CONFIG OTHER")
	}
	size := func(config string) (s struct{ Size uint64 }, err error) {
		if err = ts.Exec("raresync", "status", "-o", "jsonl", "-c", config); err == nil {
			err = json.Unmarshal([]byte(ts.ReadFile("stdout")), &s)
		}
		return s, err
	}
	want, err := size(args[1])
	ts.Check(err)
	await(ts, "all of the log", func() bool {
		have, err := size(args[0])
		return err == nil && have.Size >= want.Size
	})
}

// ports NAME... sets variables to ports that are free now, and that the system
// gives to no outgoing connection.
func ports(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		address, err := demo.FreeAddress()
		ts.Check(err)
		_, port, err := net.SplitHostPort(address)
		ts.Check(err)
		ts.Setenv(name, port)
	}
}

// proposal NAME CONFIG sets a variable to the first characters of the id of the
// only open proposal that a node knows.
func proposal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: proposal NAME CONFIG")
	}
	ts.Check(ts.Exec("raresync", "act", "list", "-o", "json", "-c", args[1]))
	var open []struct{ ID string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &open))
	if len(open) != 1 {
		ts.Fatalf("%d proposals are open", len(open))
	}
	ts.Setenv(args[0], open[0].ID[:8])
}

// treesize NAME FILE sets a variable to the tree size that an export's manifest names.
func treesize(ts *testscript.TestScript, _ bool, args []string) {
	m, err := export.Parse([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Setenv(args[0], strconv.FormatUint(m.Size, 10))
}

// own NAME CONFIG PURPOSE sets a variable to the id of a node's present key.
func own(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: own NAME CONFIG PURPOSE")
	}
	ts.Check(ts.Exec("raresync", "key", "list", "-o", "json", "-c", args[1]))
	var keys []struct{ ID, Purpose, State string }
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &keys))
	for _, k := range keys {
		if k.Purpose == args[2] && k.State == "present" {
			ts.Setenv(args[0], k.ID)
			return
		}
	}
	ts.Fatalf("no present key for %s", args[2])
}

// sparse FILE SIZE makes a file of SIZE bytes that takes no room on the disk.
func sparse(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), nil, 0o600))
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// nested FILE DEPTH makes a file of DEPTH JSON arrays in each other.
func nested(ts *testscript.TestScript, _ bool, args []string) {
	depth, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat([]byte("["), depth), 0o600))
}

// mkfifo FILE makes a named pipe.
func mkfifo(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(syscall.Mkfifo(ts.MkAbs(args[0]), 0o600))
}

// flip FILE AT changes the byte at AT, counted from the end if negative.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	raw, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if at < 0 {
		at += len(raw)
	}
	raw[at] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o600))
}

// found FILE PATTERN COMMAND... changes a byte near the start, in the middle and near
// the end of a file, and wants the command to end with exit code 5 and to name what is
// wrong each time. FILE may be a pattern that one file fits.
func found(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: found FILE PATTERN COMMAND...")
	}
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%d files fit %s", len(paths), args[0])
	}
	raw, err := os.ReadFile(paths[0])
	ts.Check(err)
	for _, at := range []int{min(7, len(raw)-1), len(raw) / 2, max(len(raw)-9, 0)} {
		changed := bytes.Clone(raw)
		changed[at] ^= 1
		ts.Check(os.WriteFile(paths[0], changed, 0o600))
		exits(ts, false, append([]string{"5"}, args[2:]...))
		if said := ts.ReadFile("stderr"); !regexp.MustCompile(args[1]).MatchString(said) {
			ts.Fatalf("%s, byte %d of %d: %s", paths[0], at, len(raw), said)
		}
	}
	ts.Check(os.WriteFile(paths[0], raw, 0o600))
}
