package audit

import (
	"fmt"
	"time"

	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Proven is what a verified receipt says.
type Proven struct {
	Index      uint64   `json:"index"`
	Hospital   uint32   `json:"hospital"`
	Sequence   uint64   `json:"sequence"`
	Place      uint32   `json:"place"`
	LogTime    string   `json:"log_time"` // RFC 3339, milliseconds
	Envelope   string   `json:"envelope"`
	Commitment string   `json:"commitment"`
	Log        string   `json:"log"`
	Checkpoint uint64   `json:"checkpoint"`
	Cosigned   string   `json:"cosigned"`
	Cosigners  []string `json:"cosigners"`
}

// Receipt verifies a proof file against the policy. leaf may be nil: then the
// file's extra data is taken for it, which nothing vouches for but the proof
// that this very leaf is in the log. The error is ErrUnverified.
func Receipt(leaf, receipt []byte, policy *tlog.Policy) (*Proven, error) {
	if leaf == nil {
		p, err := tlog.ParseProof(receipt)
		if err != nil {
			return nil, unverified("receipt: %w", err)
		}
		if leaf = p.Extra; len(leaf) == 0 {
			return nil, unverified("receipt: it holds no leaf: give one with --leaf")
		}
	}
	proof, cosignatures, err := tlog.VerifyReceipt(leaf, receipt, policy)
	if err != nil {
		return nil, unverified("receipt: %w", err)
	}
	mark, err := envelope.ParseLeaf(leaf)
	if err != nil {
		return nil, unverified("receipt: leaf: %w", err)
	}
	p := &Proven{
		Index: proof.Index, Hospital: mark.Hospital, Sequence: mark.Sequence, Place: mark.Place,
		LogTime:  time.UnixMilli(int64(mark.LogTime)).UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Envelope: mark.Envelope.String(), Commitment: fmt.Sprintf("%x", mark.Commitment),
		Log: proof.Checkpoint.Origin, Checkpoint: proof.Checkpoint.Size, Cosigned: cosigned(cosignatures),
	}
	for _, c := range cosignatures {
		p.Cosigners = append(p.Cosigners, c.Name)
	}
	return p, nil
}

// WithLeaf returns a proof file that holds its leaf as extra data, after
// checking that the proof is the leaf's.
func WithLeaf(leaf, receipt []byte) ([]byte, error) {
	p, err := tlog.ParseProof(receipt)
	if err != nil {
		return nil, unverified("receipt: %w", err)
	}
	cp := p.Checkpoint
	if err := tlog.VerifyInclusion(tlog.LeafHash(leaf), p.Index, cp.Size, p.Hashes, cp.Root); err != nil {
		return nil, unverified("receipt: %w", err)
	}
	p.Extra = leaf
	return p.Marshal(), nil
}
