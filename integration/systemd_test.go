package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTheUnitRunsUnderSystemd boots the machine's systemd in namespaces and has
// it start, watch and stop the unit of configs. PROVE=1 runs it: it needs root, and
// a kernel with control groups of version 1.
func TestTheUnitRunsUnderSystemd(t *testing.T) {
	if os.Getenv("PROVE") != "1" {
		t.Skip("it boots a systemd: make systemd; TestANodeIsWatched plays one")
	}
	n := foundNetwork(t, 1, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	n.ctx = ctx
	unit, err := filepath.Abs("../configs/raresync.service")
	must(t, err)
	s := bootSystemd(t, n, "/", n.Binary, unit, n.Hospitals[0].Dir)
	s.wants(0, "start", "raresync")
	shown := s.show()
	if shown["ActiveState"] != "active" || shown["SubState"] != "running" || shown["Type"] != "notify" || shown["WatchdogUSec"] != "2min" {
		t.Fatalf("started, the unit is %v", shown)
	}
	first := shown["WatchdogTimestampMonotonic"]
	s.eventually("a sign of life, and a leader", func() error {
		if shown = s.show(); shown["WatchdogTimestampMonotonic"] == first || shown["StatusText"] != "voter h1, 1 entries, 0 sessions, leader h1" {
			return fmt.Errorf("the unit is %v", shown)
		}
		return nil
	})
	out, err := s.inside("/usr/bin/raresync", "health", "-c", "/var/lib/raresync/raresync.toml")
	if err == nil || !bytes.Contains(out, []byte("node h1 (voter)")) { // a warning: there is no key
		t.Errorf("health: %v\n%s", err, out)
	}
	if shown["ExecMainStatus"] != "0" || shown["NRestarts"] != "0" {
		t.Errorf("it was started again: %v", shown)
	}

	// The watchdog ends one that gives no sign of life, and it is started again.
	must(t, os.WriteFile(filepath.Join(s.root, "run", "short.conf"), []byte("[Service]\nWatchdogSec=3\n"), 0o600))
	s.wants(0, "stop", "raresync")
	if shown = s.show(); shown["ActiveState"] != "inactive" || shown["Result"] != "success" || shown["ExecMainStatus"] != "0" {
		t.Errorf("stopped, the unit is %v", shown)
	}
	must(t, os.MkdirAll(filepath.Join(s.root, "run/systemd/system/raresync.service.d"), 0o755))
	must(t, os.Rename(filepath.Join(s.root, "run", "short.conf"), filepath.Join(s.root, "run/systemd/system/raresync.service.d/short.conf")))
	s.wants(0, "daemon-reload")
	s.wants(0, "start", "raresync")
	s.wants(0, "kill", "--signal=STOP", "raresync")
	s.eventually("a restart by the watchdog", func() error {
		if shown = s.show(); shown["NRestarts"] == "0" || shown["ActiveState"] != "active" {
			return fmt.Errorf("the unit is %v", shown)
		}
		return nil
	})
	if log, err := s.inside("journalctl", "-u", "raresync", "--no-pager"); err != nil || !bytes.Contains(log, []byte("Watchdog timeout")) {
		t.Errorf("the journal has no watchdog: %v\n%s", err, log)
	}
	s.wants(0, "stop", "raresync")

	s.runsAsOlderOnesReadIt()

	// What a restart does not help is not started again.
	must(t, os.Remove(filepath.Join(s.root, "etc/raresync/credentials/file.key")))
	must(t, os.WriteFile(filepath.Join(s.root, "etc/raresync/credentials/file.key"), []byte("no key\n"), 0o600))
	s.wants(1, "start", "raresync")
	if shown = s.show(); shown["ActiveState"] != "failed" || shown["ExecMainStatus"] != "77" || shown["NRestarts"] != "0" {
		t.Errorf("with a wrong credential, the unit is %v", shown)
	}
}

// newer is a line of the unit that systemd 219 passes over.
var newer = regexp.MustCompile(`(?m)^(StartLimit\w+|MemoryDeny\w+|RestrictRealtime|RestrictNamespaces|RestrictSUIDSGID|PrivateUsers|PrivateIPC|` +
	`ProtectControlGroups|ProtectKernel\w+|ProtectHostname|ProtectClock|ProtectProc|ProcSubset|RemoveIPC|LockPersonality|StateDirectory\w*|` +
	`RuntimeDirectoryPreserve|LoadCredential)=.*\n`)

// runsAsOlderOnesReadIt starts the node with what systemd 219 makes of the unit and
// its drop-in, and a key file in place of the credential.
func (s *systemd) runsAsOlderOnesReadIt() {
	s.t.Helper()
	unit, err := os.ReadFile("../configs/raresync.service")
	must(s.t, err)
	older, err := os.ReadFile("../configs/raresync-older.conf")
	must(s.t, err)
	reduced := newer.ReplaceAll(unit, nil)
	if lines := bytes.Count(unit, []byte("\n")) - bytes.Count(reduced, []byte("\n")); lines < 20 {
		s.t.Errorf("only %d lines of the unit are newer", lines)
	}
	old := filepath.Join(s.root, "run/systemd/system/older.service")
	must(s.t, os.WriteFile(old, append(append(reduced, '\n'), older...), 0o644))
	config := filepath.Join(s.root, "var/lib/raresync/raresync.toml")
	with, err := os.ReadFile(config)
	must(s.t, err)
	must(s.t, os.WriteFile(config, bytes.Replace(with, []byte("credential:file.key"), []byte("/etc/raresync/file.key"), 1), 0o600))
	if out, err := s.inside("install", "-m", "600", "-o", "raresync", "/etc/raresync/credentials/file.key", "/etc/raresync/file.key"); err != nil {
		s.t.Fatalf("install the key: %v %s", err, out)
	}
	s.wants(0, "daemon-reload")
	s.wants(0, "start", "older")
	s.eventually("a leader", func() error {
		out, err := s.inside("systemctl", "show", "older", "-p", "StatusText", "-p", "ActiveState")
		if err != nil || !bytes.Contains(out, []byte("leader h1")) || !bytes.Contains(out, []byte("ActiveState=active")) {
			return fmt.Errorf("%v %s", err, out)
		}
		return nil
	})
	s.wants(0, "stop", "older")
	must(s.t, os.WriteFile(config, with, 0o600))
}

// systemd is one that runs in namespaces.
type systemd struct {
	*network
	pid  int    // of it, as this machine counts
	root string // its files
}

// bootSystemd boots one over a copy of a system's files, with what boot.sh takes of a
// node, if anything.
func bootSystemd(t *testing.T, n *network, system string, node ...string) *systemd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("systemd needs root")
	}
	dir, err := os.MkdirTemp("", "rr")
	must(t, err)
	cmd := exec.Command("testdata/systemd/boot.sh", append([]string{"outer", dir, system}, node...)...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Setpgid: true}
	must(t, cmd.Start())
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	s := &systemd{network: n}
	t.Cleanup(func() {
		if s.pid > 0 {
			_ = syscall.Kill(s.pid, syscall.SIGKILL) // then the script tidies up
		}
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Error("the namespaces do not end")
		}
		must(t, os.RemoveAll(dir))
	})
	s.eventually("systemd", func() error {
		select {
		case <-ended:
			t.Fatalf("systemd does not boot:\n%s", said.Bytes())
		default:
		}
		return s.find(cmd.Process.Pid)
	})
	s.eventually("a systemd that runs", func() error {
		out, err := s.inside("systemctl", "is-system-running")
		if string(out) == "running\n" || string(out) == "degraded\n" {
			return nil
		}
		return fmt.Errorf("%v %s\n%s", err, out, said.Bytes())
	})
	return s
}

// find looks for the systemd that a script has become the parent of.
func (s *systemd) find(script int) error {
	for parent := script; ; {
		out, err := exec.Command("pgrep", "-P", strconv.Itoa(parent)).Output()
		if err != nil {
			return fmt.Errorf("process %d has no child yet", parent)
		}
		child, err := strconv.Atoi(strings.TrimSpace(string(out)))
		if err != nil {
			return errors.New("the script does something else yet")
		}
		parent = child
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", child)); err == nil && string(name) == "systemd\n" {
			s.pid, s.root = child, fmt.Sprintf("/proc/%d/root", child)
			return nil
		}
	}
}

// inside runs a command where systemd is process 1.
func (s *systemd) inside(args ...string) ([]byte, error) {
	return exec.CommandContext(s.ctx, "nsenter", append([]string{"-t", strconv.Itoa(s.pid), "-a", "-r", "-w", "--"}, args...)...).CombinedOutput()
}

// wants has systemctl do something, and wants its exit code.
func (s *systemd) wants(code int, args ...string) {
	s.t.Helper()
	out, err := s.inside(append([]string{"systemctl"}, args...)...)
	var exit *exec.ExitError
	if got := 0; errors.As(err, &exit) {
		if got = exit.ExitCode(); got == code {
			return
		}
	} else if err == nil && code == 0 {
		return
	}
	log, _ := s.inside("journalctl", "-u", "raresync", "--no-pager")
	s.t.Fatalf("systemctl %v: %v, want exit code %d\n%s\n%s", args, err, code, out, log)
}

// show returns the unit's properties.
func (s *systemd) show() map[string]string {
	s.t.Helper()
	out, err := s.inside("systemctl", "show", "raresync")
	must(s.t, err)
	shown := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch name {
		case "ActiveState", "SubState", "Type", "StatusText", "WatchdogUSec", "WatchdogTimestampMonotonic", "NRestarts", "Result", "ExecMainStatus":
			shown[name] = value
		}
	}
	return shown
}
