package integration

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestQuickStartOfTheReadme does what the README tells a newcomer to: it runs
// the first command as written, follows the three commands that the demo
// suggests, and ends it with Ctrl-C. The second command runs this very test, so
// it is only looked at.
func TestQuickStartOfTheReadme(t *testing.T) {
	commands := quickStart(t)
	if len(commands) != 2 || commands[0] != "make demo" || commands[1] != "make test" {
		t.Fatalf("the quick start is %q: teach this test the new commands", commands)
	}
	if out, err := shell("make -n test").Output(); err != nil || !strings.Contains(string(out), "./...") {
		t.Errorf("make test runs %q, want every package (%v)", out, err)
	}
	demo := shell(commands[0])
	demo.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C goes to make and all it started
	stdout, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	demo.Stderr = os.Stderr
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	interrupt := func() { _ = syscall.Kill(-demo.Process.Pid, syscall.SIGINT) } // it may have ended
	t.Cleanup(interrupt)
	timer := time.AfterFunc(4*time.Minute, interrupt)
	defer timer.Stop()

	suggested := suggestions(stdout)
	if len(suggested) != 3 {
		t.Fatalf("the demo suggests %q, want three commands", suggested)
	}
	for _, line := range suggested {
		if out, err := shell(line).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
	}
	interrupt()
	_, _ = io.Copy(io.Discard, stdout) // Wait closes the pipe
	_ = demo.Wait()                    // make says that it was interrupted
	folder := regexp.MustCompile(`\S*raresync-demo\d+`).FindString(suggested[0])
	if _, err := os.Stat(folder); folder == "" || !os.IsNotExist(err) {
		t.Errorf("the demo left %q behind: %v", folder, err)
	}
}

// quickStart returns the commands of the README's first shell block, which
// stands within its first 25 lines.
func quickStart(t *testing.T) []string {
	t.Helper()
	raw, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(raw), "```sh\n")
	if line := strings.Count(before, "\n") + 1; line > 25 {
		t.Errorf("the quick start begins at line %d, want by 25", line)
	}
	block, _, _ := strings.Cut(after, "```")
	var commands []string
	for line := range strings.Lines(block) {
		command, _, _ := strings.Cut(line, "#")
		commands = append(commands, strings.TrimSpace(command))
	}
	return commands
}

func shell(line string) *exec.Cmd {
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = ".."
	return cmd
}

// suggestions reads the demo's output until its three commands are out.
func suggestions(out io.Reader) (lines []string) {
	scan := bufio.NewScanner(out)
	for offered := false; len(lines) < 3 && scan.Scan(); {
		line := strings.TrimSpace(scan.Text())
		if offered && line != "" {
			lines = append(lines, line)
		}
		offered = offered || strings.HasPrefix(line, "Try next")
	}
	return lines
}
