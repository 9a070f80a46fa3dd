package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/mesh"
)

// rawNodeCommand makes this program a node of plain Raft.
const rawNodeCommand = "raw-node"

// rawConfig is what such a node is told.
type rawConfig struct {
	Self  string
	Seed  [32]byte // of its TLS key
	Dir   string
	Nodes []rawPeer
}

// rawPeer is a node of plain Raft, or a client of it, which has no address.
type rawPeer struct {
	Node    string
	KeyID   [32]byte
	Address string
}

// rawNetwork is three processes of plain Raft with sessions to them.
type rawNetwork struct {
	*crew
	children []*child
}

// startRaw starts plain Raft with as many voters and client sessions as the
// network of raresync has.
func startRaw(ctx context.Context, dir string) (*rawNetwork, error) {
	all, seeds, clients, err := rawIdentities()
	if err != nil {
		return nil, err
	}
	n := &rawNetwork{}
	var targets []mesh.Target
	for i, p := range all[:voters] {
		c := rawConfig{Self: p.Node, Seed: seeds[i], Dir: filepath.Join(dir, p.Node), Nodes: all}
		if err := n.start(c); err != nil {
			return nil, errors.Join(err, n.close())
		}
		targets = append(targets, mesh.Target{Node: p.Node, Addresses: []string{p.Address}})
	}
	n.crew = newCrew(targets, lookupIn(all))
	for _, id := range clients {
		if err := n.join(id); err != nil {
			return nil, errors.Join(err, n.close())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := n.submit(ctx, 0, randomBytes(1)); err != nil { // there is a leader
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func rawIdentities() (all []rawPeer, seeds [][32]byte, clients []identity, err error) {
	for i := range hospitals - 1 { // raresync's spare hospital has no session either
		key, err := sign.Generate(sign.PurposeTLS)
		if err != nil {
			return nil, nil, nil, err
		}
		p := rawPeer{Node: fmt.Sprintf("r%d", i+1), KeyID: key.Public().ID()}
		if i >= voters {
			clients = append(clients, identity{p.Node, key.Ed25519()})
		} else if p.Address, err = demo.FreeAddress(); err != nil {
			return nil, nil, nil, err
		}
		seed, _ := key.Seeds()
		all, seeds = append(all, p), append(seeds, seed)
	}
	return all, seeds, clients, nil
}

func lookupIn(all []rawPeer) func([32]byte) (string, bool) {
	return func(key [32]byte) (string, bool) {
		for _, p := range all {
			if p.KeyID == key {
				return p.Node, true
			}
		}
		return "", false
	}
}

func (n *rawNetwork) start(c rawConfig) error {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	path := filepath.Join(c.Dir, "config.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	started, err := startChild(filepath.Join(c.Dir, "log"), self, rawNodeCommand, path)
	if err == nil {
		n.children = append(n.children, started)
	}
	return err
}

// submit commits one value.
func (n *rawNetwork) submit(ctx context.Context, client int, raw []byte) error {
	_, err := n.crew.submit(ctx, client, raw)
	return err
}

func (n *rawNetwork) pids() []int { return pidsOf(n.children) }

func (n *rawNetwork) close() error {
	var problems []error
	if n.crew != nil {
		problems = append(problems, n.crew.close())
	}
	return errors.Join(append(problems, stopAll(n.children))...)
}

// child is a process of a system that is measured beside raresync.
type child struct{ cmd *exec.Cmd }

// startChild starts a program that ends with this one.
func startChild(log, program string, args ...string) (*child, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Base(program), err)
	}
	return &child{cmd}, nil
}

func pidsOf(list []*child) []int {
	var out []int
	for _, c := range list {
		out = append(out, c.cmd.Process.Pid)
	}
	return out
}

// stopAll kills processes whose data nobody needs any more.
func stopAll(list []*child) error {
	var problems []error
	for _, c := range list {
		problems = append(problems, c.cmd.Process.Kill())
		_ = c.cmd.Wait() // it was killed, and says so
	}
	return errors.Join(problems...)
}
