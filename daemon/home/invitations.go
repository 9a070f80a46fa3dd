package home

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/founding"
)

const (
	invitationsName = "invitations.json"
	pinsName        = "peers.json"
	// MaxInvitations is how many are kept, those that have ended included.
	MaxInvitations = 64
)

// The states of an invitation.
const (
	InvitationOpen     = "open"     // nobody has used it
	InvitationAsked    = "asked"    // a newcomer has used it and waits
	InvitationProposed = "proposed" // its admission was proposed
	InvitationRejected = "rejected"
)

// Invitation is one that this node has made, and who has used it. The token's
// secret is kept as a hash: the file alone lets nobody ask.
type Invitation struct {
	ID     string `json:"id"`     // 16 hex characters
	Secret string `json:"secret"` // SHA-256 of the token's secret, hex
	Expiry uint64 `json:"expiry"` // ms
	State  string `json:"state"`
	Card   []byte `json:"card,omitempty"` // of the newcomer that used it
	Note   string `json:"note,omitempty"` // for whom it was made
}

// Invitations are those that this node has made. They are safe for concurrent use;
// the process holds the lock of the data directory.
type Invitations struct {
	path string

	mu   sync.Mutex
	list []Invitation // guarded by mu; the newest last
}

// OpenInvitations reads the node's invitations; none were made if there is no file.
func OpenInvitations(cfg config.Config) (*Invitations, error) {
	i := &Invitations{path: filepath.Join(cfg.Node.DataDir, invitationsName)}
	return i, readJSON(i.path, &i.list)
}

func readJSON(path string, v any) error {
	raw, err := readPrivate(path, 8<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(raw, v)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// List returns all of them.
func (i *Invitations) List() []Invitation {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]Invitation(nil), i.list...)
}

// Change lets f change the list, and makes the outcome durable unless f fails.
func (i *Invitations) Change(f func([]Invitation) ([]Invitation, error)) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	next, err := f(append([]Invitation(nil), i.list...))
	if err != nil {
		return err
	}
	next = next[max(0, len(next)-MaxInvitations):]
	raw, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("write invitations: %w", err)
	}
	if err := writeFile(i.path, raw); err != nil {
		return fmt.Errorf("write invitations: %w", err)
	}
	i.list = next
	return nil
}

// WritePins keeps the nodes that an invitation named, by whose keys and addresses a
// newcomer finds the network before it has a copy.
func WritePins(cfg config.Config, peers []founding.InvitationPeer) error {
	raw, err := json.Marshal(peers)
	if err != nil {
		return fmt.Errorf("write peers: %w", err)
	}
	if err := writeFile(filepath.Join(cfg.Node.DataDir, pinsName), raw); err != nil {
		return fmt.Errorf("write peers: %w", err)
	}
	return nil
}

// ReadPins returns what WritePins kept; none if this node joined another way.
func ReadPins(cfg config.Config) (peers []founding.InvitationPeer, err error) {
	return peers, readJSON(filepath.Join(cfg.Node.DataDir, pinsName), &peers)
}
