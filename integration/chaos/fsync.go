package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Fsync is a hold on every fsync and fdatasync of a process.
type Fsync struct {
	strace *exec.Cmd
	ended  chan struct{}
	errs   bytes.Buffer
}

// FailFsync answers every fsync of a process with an I/O error.
func FailFsync(ctx context.Context, pid int) (*Fsync, error) { return inject(ctx, pid, "error=EIO") }

// SlowFsync lets every fsync of a process take longer.
func SlowFsync(ctx context.Context, pid int, by time.Duration) (*Fsync, error) {
	return inject(ctx, pid, fmt.Sprintf("delay_exit=%d", by.Microseconds()))
}

// inject returns once strace holds every thread.
func inject(ctx context.Context, pid int, what string) (*Fsync, error) {
	f := &Fsync{ended: make(chan struct{})}
	f.strace = exec.Command("strace", "-f", "-qq", "-p", strconv.Itoa(pid), "-o", os.DevNull,
		"-e", "trace=fsync,fdatasync", "-e", "signal=none", "-e", "inject=fsync,fdatasync:"+what)
	f.strace.Stderr = &f.errs
	f.strace.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := f.strace.Start(); err != nil {
		return nil, fmt.Errorf("hold fsync: %w", err)
	}
	go func() {
		_ = f.strace.Wait() // it ends by our signal, or with the process
		close(f.ended)
	}()
	if err := f.awaitHold(ctx, pid); err != nil {
		return nil, errors.Join(err, f.Release())
	}
	return f, nil
}

func (f *Fsync) awaitHold(ctx context.Context, pid int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !traced(pid) {
		select {
		case <-f.ended:
			if !alive(pid) {
				return nil // it was told, and has ended
			}
			return fmt.Errorf("hold fsync: strace ended: %s", f.errs.Bytes())
		case <-ctx.Done():
			return fmt.Errorf("hold fsync: %w", ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// traced reports whether every thread of a process has a tracer.
func traced(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	for _, path := range threads {
		raw, err := os.ReadFile(path)
		if err == nil && bytes.Contains(raw, []byte("TracerPid:\t0\n")) {
			return false
		}
	}
	return len(threads) > 0
}

// Release lets go of the process, if it still runs.
func (f *Fsync) Release() error {
	if err := f.strace.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("release fsync: %w", err)
	}
	<-f.ended
	return nil
}
