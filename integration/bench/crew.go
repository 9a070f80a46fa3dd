package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/daemon/peer"
)

// identity is a node's name and TLS key.
type identity struct {
	node string
	key  ed25519.PrivateKey
}

// crew is the sessions of the nodes this program stands in for, and where
// their clients submit: to the voter that answered last.
type crew struct {
	targets []mesh.Target
	lookup  func([32]byte) (string, bool)
	meshes  []*mesh.Mesh
	peers   []*peer.Client
	voters  []string
	aimed   atomic.Int32 // index in voters
}

// newCrew returns a crew without anybody in it.
func newCrew(voters []mesh.Target, lookup func([32]byte) (string, bool)) *crew {
	c := &crew{targets: voters, lookup: lookup}
	for _, v := range voters {
		c.voters = append(c.voters, v.Node)
	}
	return c
}

// join opens a session of a node to each voter.
func (c *crew) join(id identity) error {
	m, err := mesh.New(mesh.Config{Self: id.node, Key: id.key, Lookup: c.lookup})
	if err != nil {
		return err
	}
	m.SetPeers(c.targets)
	c.meshes = append(c.meshes, m)
	c.peers = append(c.peers, peer.NewClient(func(ctx context.Context, node string) (net.Conn, error) {
		return m.Dial(ctx, node, mesh.ClassAPI)
	}))
	return nil
}

// client returns the sessions that a client uses.
func (c *crew) client(i int) *peer.Client { return c.peers[i%len(c.peers)] }

func (c *crew) leader() string { return c.voters[c.aimed.Load()] }

// attemptTimeout bounds the wait for one voter; pauseBetween spares a network
// that has no leader.
const (
	attemptTimeout = 15 * time.Second
	pauseBetween   = 2 * time.Millisecond
)

// submit hands an envelope to the voter that answered last, and to the others
// in turn until one commits it.
func (c *crew) submit(ctx context.Context, client int, raw []byte) (consensus.Outcome, error) {
	for {
		at := c.aimed.Load()
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		out, err := c.client(client).Submit(attempt, c.voters[at], raw)
		cancel()
		if err == nil || ctx.Err() != nil {
			return out, err
		}
		c.aimed.CompareAndSwap(at, (at+1)%int32(len(c.voters)))
		if !pause(ctx, pauseBetween) {
			return out, err
		}
	}
}

// connected waits until a client has a session with every voter.
func (c *crew) connected(ctx context.Context, client int) error {
	m := c.meshes[client%len(c.meshes)]
	for {
		sessions := 0
		for _, p := range m.Connected() {
			if p.Class == mesh.ClassAPI {
				sessions++
			}
		}
		if sessions == len(c.voters) {
			return nil
		}
		if !pause(ctx, statusPause) {
			return fmt.Errorf("%d sessions with %d voters: %w", sessions, len(c.voters), ctx.Err())
		}
	}
}

// aim makes a voter the first to be asked.
func (c *crew) aim(node string) {
	for i, v := range c.voters {
		if v == node {
			c.aimed.Store(int32(i))
		}
	}
}

func (c *crew) close() error {
	var problems []error
	for i, m := range c.meshes {
		c.peers[i].Close()
		problems = append(problems, m.Close())
	}
	return errors.Join(problems...)
}

// pause waits, and reports whether the context still stands.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
