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
	Share    func(epoch uint32) *keyshare.Share // nil if this node holds none of that epoch
	Asker    Asker
	Logger   *slog.Logger
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
