package chaos

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helperEnv makes this test program the process that is broken.
const helperEnv = "RARESYNC_CHAOS_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		os.Exit(m.Run())
	case "fsync":
		fsyncOnRequest()
	case "memory":
		growOnRequest()
	}
}

// fsyncOnRequest answers each line with what an fsync said.
func fsyncOnRequest() {
	f, err := os.CreateTemp("", "fsync")
	if err != nil {
		panic(err)
	}
	in := bufio.NewReader(os.Stdin)
	for {
		if _, err := in.ReadString('\n'); err != nil {
			return
		}
		if _, err := f.WriteString("x"); err != nil {
			panic(err)
		}
		fmt.Println(f.Sync())
	}
}

// growOnRequest takes 4 MiB with each line.
func growOnRequest() {
	var kept [][]byte
	in := bufio.NewReader(os.Stdin)
	for {
		if _, err := in.ReadString('\n'); err != nil {
			return
		}
		kept = append(kept, bytes.Repeat([]byte{1}, 4<<20))
		fmt.Println(len(kept))
	}
}

// helper is a running helper.
type helper struct {
	cmd *exec.Cmd
	in  io.Writer
	out *bufio.Reader
}

func startHelper(t *testing.T, kind string) *helper {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperEnv+"="+kind)
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // it may have been killed
	})
	return &helper{cmd, in, bufio.NewReader(out)}
}

// ask gives the helper a line and returns its answer.
func (h *helper) ask() (string, error) {
	if _, err := io.WriteString(h.in, "\n"); err != nil {
		return "", err
	}
	line, err := h.out.ReadString('\n')
	return strings.TrimSpace(line), err
}

// enclosed reports whether the test runs in an enclosure, after it has run
// itself in one.
func enclosed(t *testing.T) bool {
	t.Helper()
	needsWorld(t)
	if Inside() != "" {
		must(t, Arrive())
		return true
	}
	var out bytes.Buffer
	if err := Enclose(t.Context(), &out, "-test.run", "^"+t.Name()+"$"); err != nil {
		t.Errorf("in the enclosure: %v\n%s", err, out.Bytes())
	}
	return false
}

func TestFullDiskRefusesUntilItHasRoom(t *testing.T) {
	if !enclosed(t) {
		return
	}
	dir := filepath.Join(os.TempDir(), "disk") // of the enclosure, which unmounts and removes it
	d, err := NewDisk(dir+".img", dir, 64<<20)
	must(t, err)
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("a new disk holds %v, %v", list, err)
	}
	write := func(name string) error { return os.WriteFile(filepath.Join(dir, name), make([]byte, 64<<10), 0o600) }
	must(t, d.Fill(4<<20))
	must(t, write("while some room is left"))
	must(t, d.Fill(0))
	if err := write("too much"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk says %v", err)
	}
	must(t, d.Free())
	must(t, write("with room again"))
}

func TestFsyncFailsOrTakesLongUntilItIsReleased(t *testing.T) {
	if !enclosed(t) {
		return
	}
	h := startHelper(t, "fsync")
	fsync := func(want string) {
		t.Helper()
		if got, err := h.ask(); err != nil || !strings.Contains(got, want) {
			t.Errorf("fsync says %q, %v; want %q", got, err, want)
		}
	}
	fsync("<nil>")
	failing, err := FailFsync(t.Context(), h.cmd.Process.Pid)
	must(t, err)
	fsync("input/output error")
	must(t, failing.Release())
	const late = 200 * time.Millisecond
	slow, err := SlowFsync(t.Context(), h.cmd.Process.Pid, late)
	must(t, err)
	began := time.Now()
	fsync("<nil>")
	if took := time.Since(began); took < late {
		t.Errorf("an fsync took %v, want at least %v", took, late)
	}
	must(t, slow.Release())
	fsync("<nil>")
}

func TestProcessThatWantsMoreMemoryIsKilled(t *testing.T) {
	if !enclosed(t) {
		return
	}
	m, err := NewMemory(filepath.Join(Inside(), "helper"))
	must(t, err)
	h := startHelper(t, "memory")
	must(t, m.Add(h.cmd.Process.Pid))
	if _, err := h.ask(); err != nil {
		t.Fatalf("without a limit: %v", err)
	}
	must(t, m.Squeeze())
	if answer, err := h.ask(); err == nil {
		t.Errorf("it has %s pieces of memory", answer)
	}
	if kills, err := m.Kills(); err != nil || kills != 1 {
		t.Errorf("%d kills, %v; want 1", kills, err)
	}
}

// killer kills the enclosure that prints to it once that is complete.
type killer struct {
	heard bytes.Buffer
	kill  context.CancelFunc
}

func (k *killer) Write(p []byte) (int, error) {
	n, err := k.heard.Write(p)
	if bytes.Contains(k.heard.Bytes(), []byte("inside ")) {
		k.kill()
	}
	return n, err
}

func TestEnclosureLeavesNothingBehind(t *testing.T) {
	needsWorld(t)
	if Inside() != "" { // and be killed with all of it in place
		must(t, Arrive())
		dir := filepath.Join(os.TempDir(), "disk")
		_, err := NewDisk(dir+".img", dir, 64<<20)
		must(t, err)
		_, err = NewMemory(filepath.Join(Inside(), "node"))
		must(t, err)
		fmt.Println("inside", Inside(), startHelper(t, "fsync").cmd.Process.Pid)
		select {}
	}
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	out := killer{kill: kill}
	if err := Enclose(ctx, &out, "-test.run", "^"+t.Name()+"$"); err == nil {
		t.Error("an enclosure that was killed ended well")
	}
	_, name, found := strings.Cut(out.heard.String(), "inside ")
	if !found {
		t.Fatalf("it did not get inside:\n%s", out.heard.Bytes())
	}
	name, _, _ = strings.Cut(name, " ")
	mounts, err := os.ReadFile("/proc/self/mounts")
	must(t, err)
	_, folder := os.Stat(filepath.Join(os.TempDir(), name))
	_, group := os.Stat(filepath.Join(memoryRoot, name))
	if bytes.Contains(mounts, []byte(name)) || !os.IsNotExist(folder) || !os.IsNotExist(group) {
		t.Errorf("%s is still there: folder %v, control group %v, mounts\n%s", name, folder, group, mounts)
	}
}

func TestMissingNamesRootForAnybodyElse(t *testing.T) {
	if got := slices.Contains(Missing(), "root"); got != (os.Geteuid() != 0) {
		t.Errorf("root is missing: %v, for user %d", got, os.Geteuid())
	}
}
