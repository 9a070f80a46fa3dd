package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// result is what came of a proof.
type result struct {
	proof
	tests   map[string]string // last verdict by package and test
	figures []string
	failed  bool // go test itself says so
	took    time.Duration
}

// event is a line of go test -json.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// run runs a proof and shows its figures as they come; what it says else goes
// to the log.
func run(ctx context.Context, p proof, out, log io.Writer) (*result, error) {
	args := append([]string{"test", "-json", "-v", "-count=1", "-timeout=0"}, p.args...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "PROVE=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) } // tests take their worlds apart
	cmd.Stderr = log
	events, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("go %v: %w", args, err)
	}
	r := &result{proof: p, tests: map[string]string{}}
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		r.read(line, out, log)
		if err != nil {
			break
		}
	}
	r.failed = cmd.Wait() != nil
	r.took = time.Since(began)
	return r, ctx.Err()
}

// read takes in one line of go test. What is no event is said by the compiler.
func (r *result) read(line []byte, out, log io.Writer) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		_, _ = log.Write(line)
		return
	}
	switch e.Action {
	case "output", "build-output":
		_, _ = io.WriteString(log, e.Output)
		if figure, found := figureIn(e.Output); found {
			r.figures = append(r.figures, figure)
			fmt.Fprintln(out, "  "+figure)
		}
	case "pass", "fail", "skip":
		if e.Test != "" {
			r.tests[e.Package+" "+e.Test] = e.Action
		}
	}
}

// figureMark leads what a test logs as a figure of its proof.
var figureMark = regexp.MustCompile(`^\s*\w+_test\.go:\d+: proof: `)

func figureIn(output string) (string, bool) {
	mark := figureMark.FindStringIndex(output)
	if mark == nil {
		return "", false
	}
	return string(bytes.TrimSpace([]byte(output[mark[1]:]))), true
}

// verdict returns why a proof proves nothing, or "".
func (r *result) verdict() string {
	counts := map[string]int{}
	for _, action := range r.tests {
		counts[action]++
	}
	switch {
	case counts["fail"] > 0:
		return fmt.Sprintf("%d of %d tests failed", counts["fail"], len(r.tests))
	case r.failed:
		return "go test failed"
	case counts["skip"] > 0:
		return fmt.Sprintf("%d of %d tests skipped", counts["skip"], len(r.tests))
	case counts["pass"] == 0:
		return "no test ran"
	case len(r.figures) == 0:
		return "no figure printed"
	}
	return ""
}
