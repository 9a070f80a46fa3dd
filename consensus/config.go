package consensus

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/space"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Errors that a caller branches on.
var (
	// ErrNoLeader says that the network has no leader this node can reach now.
	// The envelope may or may not have been taken: send the same bytes again.
	ErrNoLeader = errors.New("no leader reachable")
	// ErrQuarantined says that the node found its copy in contradiction to the
	// network's and must be rebuilt.
	ErrQuarantined = errors.New("this node's copy is quarantined")
	// ErrNotYet says that the node has not applied what was asked for.
	ErrNotYet = errors.New("not yet: this node is catching up")
)

// Outcome is what became of a submitted envelope.
type Outcome = machine.Outcome

// Config is what a node needs. Nothing is optional unless said.
type Config struct {
	Self    string   // node id, as in the roster
	Known   []string // ids of nodes to ask beside the roster's voters, for a mirror whose copy is old; may be empty
	Dir     string   // data directory, this node's alone
	Genesis *envelope.Envelope
	Log     *sign.PrivateKey // log key; voters and non-voters only
	Cosign  *sign.PrivateKey // cosigning key; likewise
	Peers   Peers
	Copies  []StaticCopy // static copies that a mirror takes many envelopes from at once; may be empty
	Streams Streams      // of Raft; voters only
	Logger  *slog.Logger
	Now     func() time.Time // this node's clock
	Space   *space.Watch     // of the disk that Dir lies on; nil: there is always room
	// Fatal is called once, in a goroutine of its own, when storage failed or
	// the copy diverged: the node does nothing more and the process must stop.
	Fatal func(error)
	// Part is called once, in a goroutine of its own, when an act has given the
	// node another part than it was opened for: a mirror is to become a voter, or
	// the other way round. Close it and open it again. Nil: nothing is done.
	Part func()
	// Forget destroys what stands on the node of entries that are erased, by
	// their indexes; nil: nothing does. An error has the erasure tried again.
	Forget func(context.Context, []ledger.Span) error
	Meter  Meter // nil: nobody watches
	Timing Timing
	Rates  Rates

	limits logLimits             // zero: defaultLimits; tests have shorter logs
	guard  func(bytes int) error // refuses to store Raft's records; nil: never
}

// logLimits bound Raft's log and what is done in the background.
type logLimits struct {
	snapshotBytes uint64 // of envelopes applied between two snapshots
	trailing      uint64 // records kept behind a snapshot for followers that lag
	unwatched     bool   // no watchdog over the followers: only to show what it is for

	scrubPause time.Duration // between two passes over the ledger; zero: scrubPause
	savedFill  uint64        // bytes that fill a gap between two saves of the progress; zero: savedFill
	renewAfter time.Duration // age at which an idle log's checkpoint is cosigned again; zero: renewAfter
}

// defaultLimits bound what a restart applies again: 32 MiB, which a slow core
// does in a quarter of a second.
var defaultLimits = logLimits{snapshotBytes: 32 << 20, trailing: 512}

func (l logLimits) withDefaults() logLimits {
	if l.snapshotBytes == 0 {
		l.snapshotBytes, l.trailing = defaultLimits.snapshotBytes, defaultLimits.trailing
	}
	if l.scrubPause == 0 {
		l.scrubPause = scrubPause
	}
	if l.savedFill == 0 {
		l.savedFill = savedFill
	}
	if l.renewAfter == 0 {
		l.renewAfter = renewAfter
	}
	return l
}

// Timing sets Raft's timers. The zero value means [DefaultTiming].
type Timing struct {
	Heartbeat time.Duration // also the election timeout; all voters need the same
	Lease     time.Duration // at most Heartbeat
	RPC       time.Duration // one transfer of at most 16 envelopes
}

// Rates bound what goes on in the background, in bytes a second. Zero: as fast
// as can be.
type Rates struct {
	FetchBytes uint64 // pulled from peers: a mirror's copy, gaps, repairs
	ScrubBytes uint64 // read again from this node's disk
}

// DefaultTiming suits voters whose round trips stay below 200 ms.
var DefaultTiming = Timing{Heartbeat: 2 * time.Second, Lease: time.Second, RPC: 10 * time.Second}

// Streams carries Raft between voters. Connections accepted name the peer's
// node id as their remote address; the transport has authenticated it.
type Streams interface {
	// Dial opens a stream to a node, and waits for a session to it until the
	// context ends instead of failing at once.
	Dial(ctx context.Context, node string) (net.Conn, error)
	// Listener accepts the streams that others dialled. Closing the node
	// closes it, and every stream dialled or accepted.
	Listener() net.Listener
}

// Peers asks other nodes. Every method may be answered by a peer that lies;
// what matters is verified here.
type Peers interface {
	// Submit hands an envelope to a node that is thought to lead.
	Submit(ctx context.Context, node string, raw []byte) (Outcome, error)
	// Cosign asks a voter for its cosignatures under a proposal. The error
	// wraps ErrRootDiffers if that is the voter's reason: a majority of such
	// answers quarantines the leader.
	Cosign(ctx context.Context, node string, p Proposal) ([]tlog.NoteSignature, error)
	// Announce tells a node of a new checkpoint.
	Announce(ctx context.Context, node string, note []byte) error
	// Checkpoint returns a node's newest checkpoint, waiting until it is larger
	// than size or the context ends.
	Checkpoint(ctx context.Context, node string, size uint64) ([]byte, error)
	// Envelopes returns accepted envelopes from the given number on, at least
	// one if the node has any, as many as fit the peer's limit.
	Envelopes(ctx context.Context, node string, from uint64) ([]Pulled, error)
	// Salts returns the salts of accepted envelopes from the given number on,
	// those of one envelope joined in order of place, as Envelopes does.
	Salts(ctx context.Context, node string, from uint64) ([][]byte, error)
	// Lengths returns the lengths of a node's files after so many envelopes.
	Lengths(ctx context.Context, node string, envelopes uint64) (ledger.Lengths, error)
}

// Proposal is a tree head the leader asks voters to cosign.
type Proposal struct {
	Checkpoint tlog.Checkpoint
	RaftIndex  uint64 // what the leader had applied; a voter records its own
	Term       uint64 // the leader's
}

// Pulled is an accepted envelope as one node hands it to another.
type Pulled struct {
	LogTime  uint64 // ms
	Envelope []byte
}
