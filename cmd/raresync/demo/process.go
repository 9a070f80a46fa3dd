package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
)

// stopTimeout is how long a process may take to stop before it is killed.
const stopTimeout = 15 * time.Second

// Process is one daemon with its data directory.
type Process struct {
	Node   string
	Number uint32 // of its institution
	Dir    string
	Client *admin.Client
	Env    []string // what the next start has in its environment beside this process's own
	// Within runs what it is given in a place for the process, such as a network
	// namespace, when it starts; nil: here.
	Within func(start func() error) error
	config config.Config
	binary string

	mu     sync.Mutex // guards what follows
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of the last exit
}

func newProcess(binary, node, dir string) (*Process, error) {
	cfg, err := config.Load(filepath.Join(dir, "raresync.toml"))
	if err != nil {
		return nil, fmt.Errorf("demo: %s: %w", node, err)
	}
	return &Process{Node: node, Dir: dir, binary: binary, config: cfg, Client: admin.NewClient(cfg.Listen.AdminSocket)}, nil
}

// Open returns the process of a data directory that was made elsewhere.
func Open(binary, node, dir string) (*Process, error) { return newProcess(binary, node, dir) }

// Log returns the file the daemon logs to.
func (p *Process) Log() string { return filepath.Join(p.Dir, "daemon.log") }

// Config returns the path of the node's configuration.
func (p *Process) Config() string { return filepath.Join(p.Dir, "raresync.toml") }

// Start starts the daemon unless it runs.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		return nil
	}
	log, err := os.OpenFile(p.Log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Node, err)
	}
	defer log.Close()
	cmd := exec.Command(p.binary, "serve", "--config", p.Config())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = append(os.Environ(), p.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true} // Ctrl-C is the parent's to handle
	start := cmd.Start
	if p.Within != nil {
		start = func() error { return p.Within(cmd.Start) }
	}
	if err := start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Node, err)
	}
	exited := make(chan struct{})
	p.cmd, p.exited = cmd, exited
	go func() {
		err := cmd.Wait()
		p.mu.Lock()
		p.cmd, p.err = nil, err
		p.mu.Unlock()
		close(exited)
	}()
	return nil
}

// Running reports whether the process runs.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd != nil
}

// PID returns the process id, 0 if it does not run.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// ExitCode returns the code that the process ended with last, -1 if a signal
// ended it or it has not ended yet.
func (p *Process) ExitCode() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	var exit *exec.ExitError
	switch {
	case p.exited == nil || p.cmd != nil:
		return -1
	case errors.As(p.err, &exit):
		return exit.ExitCode()
	default:
		return 0
	}
}

// Kill ends the process at once, as a power cut would, and waits for its end.
func (p *Process) Kill() error { return p.signal(syscall.SIGKILL) }

// Stop asks the process to end and waits; one that does not is killed.
func (p *Process) Stop() error {
	p.mu.Lock()
	exited := p.exited
	running := p.cmd != nil
	p.mu.Unlock()
	if !running {
		return nil
	}
	timer := time.AfterFunc(stopTimeout, func() { _ = p.Kill() }) // told by the exit code below
	defer timer.Stop()
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-exited
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return fmt.Errorf("stop %s: %w; see %s", p.Node, p.err, p.Log())
	}
	return nil
}

func (p *Process) signal(sig syscall.Signal) error {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	if cmd == nil {
		return nil
	}
	if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.Node, err)
	}
	if sig == syscall.SIGKILL {
		<-exited
	}
	return nil
}

// WaitReady waits until the daemon says that it is ready.
func (p *Process) WaitReady(ctx context.Context) error {
	_, err := p.WaitStatus(ctx, func(s admin.Status) bool { return s.Ready })
	return err
}

// WaitStatus waits for a status that cond accepts.
func (p *Process) WaitStatus(ctx context.Context, cond func(admin.Status) bool) (admin.Status, error) {
	for {
		s, err := p.Client.Status(ctx)
		if err == nil && cond(s) {
			return s, nil
		}
		if !p.Running() {
			return s, fmt.Errorf("%s has ended: see %s", p.Node, p.Log())
		}
		if wait := pause(ctx); wait != nil {
			return s, fmt.Errorf("wait for %s: %w (it says: %s%v)", p.Node, wait, s.Why, err)
		}
	}
}
