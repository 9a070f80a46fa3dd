package consensus

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/raresync/raresync/consensus/fault"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/slot"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
)

// maxClockLead is how far the newest log time may lie ahead of a voter's
// clock, in milliseconds, before it stops cosigning.
const maxClockLead = 5 * 60 * 1000

// Why a voter does not cosign.
var (
	ErrRootDiffers = errors.New("root differs from this voter's")
	ErrCosigned    = errors.New("this voter has cosigned a larger tree")
	ErrClock       = errors.New("log time is more than 5 minutes ahead of this voter's clock")
)

// signer holds a voter's log and cosigning keys and what it cosigned last.
type signer struct {
	key    *sign.PrivateKey // the log key of the first epoch: those of later ones follow from it
	cosign *tlog.Cosigner
	file   *slot.File // holds last; a write must cost one fdatasync, each round waits for it

	mu        sync.Mutex
	last      cosigned
	rederived bool // last was compared with what this run has applied
	closed    bool
}

// cosigned is the durable record of the newest cosignature. It is written
// before the signature leaves, so that a voter never vouches for two roots.
type cosigned struct {
	Size      uint64
	RaftIndex uint64 // of this voter's own log, which reaches it
	Term      uint64
	Root      tlog.Hash
}

// Origin returns the checkpoint origin of a network's log epoch.
func Origin(s *state.State) string { return s.Origin() }

// isLater reports whether an origin is that of a later log epoch of a network.
func isLater(s *state.State, origin string) bool {
	epoch, ok := strings.CutPrefix(origin, s.Name+"/")
	n, err := strconv.ParseUint(epoch, 10, 64)
	return ok && err == nil && n > s.LogEpoch
}

// CosignerName returns the key name of a voter as a cosigner.
func CosignerName(s *state.State, node string) string { return s.CosignerName(node) }

func newSigner(cfg Config, s *state.State) (*signer, error) {
	cosign, err := tlog.NewCosigner(CosignerName(s, cfg.Self), cfg.Cosign.Ed25519(), cfg.Cosign.MLDSA44())
	if err != nil {
		return nil, fmt.Errorf("cosigning key: %w", err)
	}
	file, err := slot.Open(cosignedPath(cfg.Dir))
	if err != nil {
		return nil, fmt.Errorf("last cosignature: %w", err)
	}
	last, err := decodeCosigned(file.Value())
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &signer{key: cfg.Log, cosign: cosign, file: file, last: last}, nil
}

// signLog signs a checkpoint as the log of a view's epoch.
func (s *signer) signLog(view *state.State, self string, c tlog.Checkpoint) (tlog.NoteSignature, error) {
	key, err := logKey(view, self, s.key)
	if err != nil {
		return tlog.NoteSignature{}, err
	}
	log, err := tlog.NewLogSigner(Origin(view), key.Ed25519())
	if err != nil {
		return tlog.NoteSignature{}, fmt.Errorf("log key: %w", err)
	}
	return log.Sign(c)
}

// logKey returns the log key that the roster has of a node: its first one, or
// that of a later epoch in which it voted.
func logKey(view *state.State, self string, first *sign.PrivateKey) (*sign.PrivateKey, error) {
	node, ok := view.Node(self)
	if !ok || node.Log.ID() == first.Public().ID() {
		return first, nil
	}
	for epoch := view.LogEpoch; epoch > 1; epoch-- {
		key, err := first.LogKeyOf(view.Network, epoch)
		if err != nil || key.Public().ID() == node.Log.ID() {
			return key, err
		}
	}
	return nil, fmt.Errorf("the roster has another log key of %s than this node", self)
}

func cosignedPath(dir string) string { return filepath.Join(dir, "cosigned") }

// decodeCosigned reads a record; none is the zero value.
func decodeCosigned(raw []byte) (c cosigned, err error) {
	if raw == nil {
		return c, nil
	}
	d := cbor.NewDecoder(raw)
	d.Array(4)
	c.Size = d.Uint()
	d.BytesInto(c.Root[:])
	c.RaftIndex = d.Uint()
	c.Term = d.Uint()
	if err := d.Done(); err != nil {
		return cosigned{}, fmt.Errorf("%w: last cosignature: %w", ledger.ErrDamaged, err)
	}
	return c, nil
}

func (c cosigned) marshal() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, c.Size)
	b = cbor.AppendBytes(b, c.Root[:])
	b = cbor.AppendUint(b, c.RaftIndex)
	return cbor.AppendUint(b, c.Term)
}

// record makes it durable that this voter cosigns c, or says why it must not.
func (s *signer) record(c cosigned) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errShutdown
	case c.Size < s.last.Size:
		return fmt.Errorf("size %d after %d: %w", c.Size, s.last.Size, ErrCosigned)
	case c.Size == s.last.Size && c.Root != s.last.Root:
		return fmt.Errorf("two roots for size %d: %w", c.Size, ErrRootDiffers)
	case c.Size == s.last.Size:
		return nil
	}
	if err := s.file.Store(c.marshal()); err != nil {
		return err
	}
	fault.At(fault.CosignRecorded)
	s.last = c
	return nil
}

func (s *signer) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.file.Close()
}

func (s *signer) lastSize() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last.Size
}

// HandleCosign answers the leader's proposal with this voter's cosignatures,
// once it has applied the size and found the same root itself.
func (n *Node) HandleCosign(ctx context.Context, p Proposal) ([]tlog.NoteSignature, error) {
	if n.signer == nil {
		return nil, errors.New("cosign: this node is a mirror")
	}
	sigs, err := n.cosign(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("cosign %d: %w", p.Checkpoint.Size, err)
	}
	return sigs, nil
}

func (n *Node) cosign(ctx context.Context, p Proposal) ([]tlog.NoteSignature, error) {
	if err := n.failure(); err != nil {
		return nil, err
	}
	if n.recovering.Load() != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotYet, errRecovering)
	}
	if fault.Planted(fault.CosignBlindly) {
		_ = n.signer.record(cosigned{Size: p.Checkpoint.Size, Root: p.Checkpoint.Root})
		return n.signer.cosign.Cosign(p.Checkpoint, uint64(n.cfg.Now().Unix()))
	}
	view, err := n.Wait(ctx, func(s *state.State) bool { return s.Tree.Size() >= p.Checkpoint.Size })
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotYet, err)
	}
	if p.Checkpoint.Origin != Origin(view) || view.EpochAt(p.Checkpoint.Size) != view.LogEpoch {
		return nil, fmt.Errorf("origin %q is not this log's", p.Checkpoint.Origin)
	}
	if now := n.nowMillis(); view.LogTime > now+maxClockLead && !fault.Planted(fault.IgnoreClock) {
		n.log.Warn("not cosigning: log time is ahead of this node's clock; check NTP", "ahead_ms", view.LogTime-now)
		return nil, ErrClock
	}
	if err := n.compare(view, p.Checkpoint); err != nil {
		return nil, err
	}
	if fault.Planted(fault.ForgetCosigned) {
		return n.signer.cosign.Cosign(p.Checkpoint, uint64(n.cfg.Now().Unix()))
	}
	err = n.signer.record(cosigned{
		Size: p.Checkpoint.Size, RaftIndex: n.raft.AppliedIndex(), Term: p.Term, Root: p.Checkpoint.Root,
	})
	if errors.Is(err, ledger.ErrStorage) {
		return nil, n.fail(err)
	}
	if err != nil {
		return nil, err
	}
	return n.signer.cosign.Cosign(p.Checkpoint, uint64(n.cfg.Now().Unix()))
}

// compare reports whether a proposal is this voter's own tree, at the end of
// an envelope: a mirror could not reach a size within one.
func (n *Node) compare(view *state.State, c tlog.Checkpoint) error {
	if err := n.rederive(c.Size); err != nil {
		return err
	}
	root, err := n.machine.RootAt(c.Size)
	if err != nil {
		return err
	}
	if root != c.Root {
		n.cfg.Meter.RootDiffered()
		n.log.Error("the leader proposes a root that is not this node's", "size", c.Size)
		return ErrRootDiffers
	}
	if c.Size == view.Tree.Size() {
		return nil
	}
	number, err := n.machine.EnvelopeAt(c.Size)
	if err != nil {
		return err
	}
	meta, err := n.machine.Meta(number)
	if err != nil {
		return err
	}
	if meta.First != c.Size {
		return errors.New("size is not at the end of an envelope")
	}
	return nil
}

// rederive compares the last run's cosignature with what this run has applied,
// once, before anything is cosigned again.
func (n *Node) rederive(applied uint64) error {
	n.signer.mu.Lock()
	defer n.signer.mu.Unlock()
	last := n.signer.last
	if n.signer.rederived || applied < last.Size {
		return nil // record refuses a size below the last
	}
	root, err := n.machine.RootAt(last.Size)
	if err != nil {
		return err
	}
	if last.Size > 0 && root != last.Root {
		return n.quarantine(fmt.Errorf("this voter cosigned another root at %d: %w", last.Size, ErrRootDiffers))
	}
	n.signer.rederived = true
	return nil
}
