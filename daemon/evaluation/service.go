package evaluation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/quota"
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
	Policy(size uint64) (*tlog.Policy, error)
}

// Config is what the service needs.
type Config struct {
	Node     Node
	Hospital uint32                             // this institution's number
	Request  *sign.PrivateKey                   // signs this hospital's requests
	Response *sign.PrivateKey                   // signs this holder's answers
	Rotated  Keyring                            // in place of the two keys above; nil = they never change
	Share    func(epoch uint32) *keyshare.Share // nil if this node holds none of that epoch
	Count    Count                              // of what this holder evaluates; nil: it evaluates nothing
	Asked    *quota.Asked                       // what this hospital asked of whom; nil: not noted
	Asker    Asker
	Poster   Poster // takes evidence against a holder to the log; nil: nothing is posted
	Logger   *slog.Logger
	Failed   func(error)  // told of a disk that fails; may be nil
	Lied     func()       // told of each answer that a holder signed and that is false; may be nil
	Behind   func() error // why the node's copy may not know the key yet, nil if it would; may be nil
}

// Poster takes acts to the log; the outbox is one.
type Poster interface {
	AddAct(ctx context.Context, a act.Act) (uint64, error)
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
	batchMax int // identities in one request; tests have smaller ones
	suspects suspects
	verified verifiedDay
}

// New returns a service. Close ends what it does in the background.
func New(c Config) *Service {
	s := &Service{Config: c, batchMax: pseudonym.MaxBatch}
	s.suspects.ctx, s.suspects.stop = context.WithCancel(context.Background())
	return s
}

// Close ends what the service does in the background and waits for it.
func (s *Service) Close() {
	s.suspects.stop()
	s.suspects.workers.Wait()
}

// verifiedDay is the quota day of the newest checkpoint that was verified:
// every request asks for it, and a checkpoint has many signatures.
type verifiedDay struct {
	mu         sync.Mutex // guards what follows
	checkpoint tlog.SignedCheckpoint
	policy     *tlog.Policy
	day        uint32
}

// Day returns the quota day of the newest checkpoint: that of the median of its
// cosignatures' times. It never depends on one node's clock. Before there is a
// checkpoint the error is consensus.ErrNotYet.
func (s *Service) Day() (uint32, error) {
	cp := s.Node.Checkpoint()
	if cp.Size == 0 {
		return 0, fmt.Errorf("no checkpoint yet: %w", consensus.ErrNotYet)
	}
	policy, err := s.Node.Policy(cp.Size)
	if err != nil {
		return 0, err
	}
	v := &s.verified
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.policy == policy && v.checkpoint.Checkpoint == cp.Checkpoint &&
		len(v.checkpoint.Signatures) > 0 && len(cp.Signatures) > 0 && &v.checkpoint.Signatures[0] == &cp.Signatures[0] {
		return v.day, nil
	}
	cosignatures, err := policy.Verify(cp)
	if err != nil {
		return 0, err
	}
	v.checkpoint, v.policy, v.day = cp, policy, pseudonym.QuotaDay(tlog.MedianTime(cosignatures)*1000)
	return v.day, nil
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
