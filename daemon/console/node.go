package console

import (
	"context"
	"time"

	"github.com/raresync/raresync/daemon/admin"
)

// Node is what the console asks of the node that it is served by. All of it but the
// queries is on the log for every node to read.
type Node interface {
	// Agreement says what the network's voters have signed last, checked by this node,
	// and which nodes are known to have it.
	Agreement(ctx context.Context) (Agreement, error)
	// Envelopes returns at most n envelopes, the newest first, from the one before a
	// number; 0 is the newest of all.
	Envelopes(before uint64, n int) ([]Envelope, error)
	// Leaf is the public mark of an entry.
	Leaf(index uint64) (admin.Leaf, error)
	// Receipt proves that an entry is in the log, a C2SP tlog-proof.
	Receipt(index uint64) (string, error)
	// Checkpoint is the newest one, a C2SP signed note; Policy is what verifies it.
	Checkpoint() (string, error)
	Policy() (string, error)
	// Nodes says where the nodes of the network stand.
	Nodes(ctx context.Context) (admin.NetworkStatus, error)
	// Queries are the quality queries.
	Queries(ctx context.Context) ([]admin.Query, error)
	// Asks reports whether this institution asks hospitals about their entries.
	Asks() bool
	// Ask asks the hospital of an entry, and CloseQuery closes such a query of this
	// institution. Both wait for the receipt: what takes longer than their context is on
	// its way.
	Ask(ctx context.Context, q admin.Question) (admin.QueryResult, error)
	CloseQuery(ctx context.Context, index uint64) (admin.QueryResult, error)
}

// Agreement is what voters have signed, and who agrees: a node that has cosigned that
// tree or a larger one, or says that it has verified a checkpoint of one.
type Agreement struct {
	Size    uint64 // tree size of the newest checkpoint
	Root    string // hex, of that tree
	Time    string // RFC 3339, median of the cosignatures
	Agree   []string
	Without []Without // the other nodes of the roster
	Checked bool      // this node has verified the cosignatures, and its own copy has that root
	Why     [2]string // it has not, in English and in Chinese; nothing if it has
}

// Without is a node that is not known to agree.
type Without struct {
	Node  string
	Heard bool
	Size  uint64 // of the newest checkpoint that it says it has, if it was heard
}

// Envelope is one of the log.
type Envelope struct {
	Number   uint64
	Act      bool
	Hospital uint32
	Name     [2]string // of the institution, in English and in Chinese
	Sequence uint64
	First    uint64 // index of its first entry
	Entries  uint32
	LogTime  time.Time
}
