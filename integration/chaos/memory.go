package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// memoryRoot is where the memory controller of cgroup v1 is mounted.
const memoryRoot = "/sys/fs/cgroup/memory"

// Memory is a control group that counts the memory of a process and can limit
// it.
type Memory struct{ dir string }

// NewMemory makes the control group name, which may have parents, as in "a/b".
func NewMemory(name string) (*Memory, error) {
	m := &Memory{filepath.Join(memoryRoot, name)}
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make control group: %w", err)
	}
	return m, nil
}

// Add puts a process into the group, with all that it allocates from then on.
func (m *Memory) Add(pid int) error { return m.write("cgroup.procs", int64(pid)) }

// slack is what Squeeze leaves above what is in use: a Go heap wants more than
// this for its next garbage collection.
const slack = 256 << 10

// Squeeze limits the group to hardly more than it cannot give back now. A
// process that then wants more is killed by the kernel, or crawls.
func (m *Memory) Squeeze() error {
	for limit := int64(1 << 20); ; limit += 1 << 20 {
		err := m.Limit(limit) // the kernel tries to give back what is above
		if errors.Is(err, syscall.EBUSY) {
			continue
		}
		if err != nil {
			return err
		}
		used, err := m.read("memory.usage_in_bytes")
		if err != nil {
			return err
		}
		return m.Limit(used + slack)
	}
}

// Limit bounds the group's memory; -1 takes the bound away.
func (m *Memory) Limit(bytes int64) error { return m.write("memory.limit_in_bytes", bytes) }

// Kills returns how often the kernel killed a process of the group.
func (m *Memory) Kills() (int, error) {
	raw, err := os.ReadFile(filepath.Join(m.dir, "memory.oom_control"))
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(raw, []byte("oom_kill "))
	if !found {
		return 0, fmt.Errorf("%s counts no kills", m.dir)
	}
	return strconv.Atoi(string(bytes.TrimSpace(rest)))
}

func (m *Memory) write(name string, value int64) error {
	err := os.WriteFile(filepath.Join(m.dir, name), []byte(strconv.FormatInt(value, 10)), 0o600)
	if err != nil {
		return fmt.Errorf("control memory: %w", err)
	}
	return nil
}

func (m *Memory) read(name string) (int64, error) {
	raw, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(bytes.TrimSpace(raw)), 10, 64)
}

// Remove removes the group; its processes have ended.
func (m *Memory) Remove() error { return os.Remove(m.dir) }
