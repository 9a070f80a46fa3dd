package evaluation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/registry/act"
)

// ErrHolders says that too few share holders answered. Nothing was sent that
// identifies anybody; try again when more of them are reachable.
var ErrHolders = errors.New("too few share holders answered")

// ErrNoKey reports a network whose holders have not made their key yet.
var ErrNoKey = errors.New("the network has no pseudonymisation key yet")

const (
	askTimeout = 10 * time.Second // of all holders together
	hedgeAfter = time.Second      // without an answer, until another holder is asked too
)

// Asker sends a request to a node; [peer.Client] does.
type Asker interface {
	Evaluate(ctx context.Context, node string, e peer.Evaluation) (peer.Evaluation, error)
}

// Node is the log as the service needs it; [consensus.Node] is one.
type Node interface {
	View() *state.State
	Checkpoint() tlog.SignedCheckpoint
	Policy() *tlog.Policy
}

// Config is what the service needs.
type Config struct {
	Node     Node
	Hospital uint32                             // this institution's number
	Request  *sign.PrivateKey                   // signs this hospital's requests
	Response *sign.PrivateKey                   // signs this holder's answers
	Rotated  Keyring                            // in place of the two keys above; nil = they never change
	Share    func(epoch uint32) *keyshare.Share // nil if this node holds none of that epoch
	Asker    Asker
	Logger   *slog.Logger
}

// Keyring gives the key of a purpose that the log has in force, by its id.
type Keyring interface {
	Sign(p sign.Purpose, inForce sign.KeyID) *sign.PrivateKey
}

// sign signs with this institution's key that a state has in force.
func (s *Service) sign(view *state.State, label sign.Label, message []byte) (sign.Signature, error) {
	key, p := s.Request, sign.PurposeRequest
	if label == sign.LabelResponse {
		key, p = s.Response, sign.PurposeResponse
	}
	if m, ok := view.Member(s.Hospital); ok && s.Rotated != nil {
		inForce := m.Request
		if p == sign.PurposeResponse {
			inForce = m.Response
		}
		key = s.Rotated.Sign(p, inForce.ID())
	}
	return key.Sign(label, message)
}

// verify checks a signature by an institution's key, unless it was revoked.
func verify(view *state.State, key *sign.PublicKey, label sign.Label, message []byte, sig sign.Signature) error {
	if view.Revoked(key.ID()) {
		return fmt.Errorf("key %s was revoked", key.ID())
	}
	return key.Verify(label, message, sig)
}

// Service asks holders and, with a share, is one. It is safe for concurrent
// use.
type Service struct {
	Config
	seen     requestLog
	batchMax int // identities in one request; tests have smaller ones
}

// New returns a service.
func New(c Config) *Service { return &Service{Config: c, batchMax: pseudonym.MaxBatch} }

// quotaTime returns the time by which requests are counted: the median
// cosignature time of the newest checkpoint, in ms. It never depends on one
// node's clock.
func (s *Service) quotaTime() (uint64, error) {
	cp := s.Node.Checkpoint()
	if cp.Size == 0 {
		return 0, fmt.Errorf("no checkpoint yet: %w", consensus.ErrNotYet)
	}
	cosignatures, err := s.Node.Policy().Verify(cp)
	if err != nil {
		return 0, err
	}
	return tlog.MedianTime(cosignatures) * 1000, nil
}

// nodeOf returns a node that answers for an institution: its voter, or its
// first node.
func nodeOf(view *state.State, institution uint32) (string, bool) {
	found := ""
	for _, n := range view.Nodes {
		if n.Institution == institution && (found == "" || n.Kind == act.Voter) {
			found = n.ID
		}
	}
	return found, found != ""
}
