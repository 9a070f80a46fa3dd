package tlog

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Limits of a proof file.
const (
	// MaxExtraBytes is the greatest length of a proof's extra data.
	MaxExtraBytes = 64 << 10

	// MaxProofBytes is the length of the longest proof file.
	MaxProofBytes = MaxSignedCheckpointBytes + (MaxExtraBytes+2)/3*4 + MaxProofHashes*45 + 128
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// A Proof says that a leaf is in the log: the inclusion proof and the signed
// checkpoint it leads to (C2SP tlog-proof). Nothing in it is verified yet; see
// [VerifyReceipt].
type Proof struct {
	// Extra is data of the application's choice, at most [MaxExtraBytes], or
	// empty. Nothing authenticates it.
	Extra []byte

	// Index is the leaf's number in the log.
	Index uint64

	// Hashes is the inclusion proof, the leaf's sibling first.
	Hashes []Hash

	// Checkpoint is the checkpoint whose root the proof leads to.
	Checkpoint SignedCheckpoint
}

// Marshal returns the proof file.
func (p Proof) Marshal() []byte {
	file := []byte(proofHeader + "\n")
	if len(p.Extra) > 0 {
		file = strictBase64.AppendEncode(append(file, "extra "...), p.Extra)
		file = append(file, '\n')
	}
	file = strconv.AppendUint(append(file, "index "...), p.Index, 10)
	file = append(file, '\n')
	for _, h := range p.Hashes {
		file = append(strictBase64.AppendEncode(file, h[:]), '\n')
	}
	file = append(file, '\n')
	return append(file, p.Checkpoint.Marshal()...)
}

// ParseProof reads a proof file. What it accepts, Marshal writes back to the
// same bytes; anything else is [ErrMalformed].
func ParseProof(file []byte) (Proof, error) {
	if len(file) > MaxProofBytes {
		return Proof{}, fmt.Errorf("parse proof: %w: longer than %d bytes", ErrMalformed, MaxProofBytes)
	}
	head, note, ok := bytes.Cut(file, []byte("\n\n"))
	if !ok {
		return Proof{}, fmt.Errorf("parse proof: %w: no empty line", ErrMalformed)
	}
	p, err := parseProofHead(string(head))
	if err != nil {
		return Proof{}, fmt.Errorf("parse proof: %w", err)
	}
	if p.Checkpoint, err = ParseSignedCheckpoint(note); err != nil {
		return Proof{}, fmt.Errorf("parse proof: %w", err)
	}
	return p, nil
}

func parseProofHead(head string) (Proof, error) {
	rest, ok := strings.CutPrefix(head, proofHeader+"\n")
	if !ok {
		return Proof{}, fmt.Errorf("%w: first line is not %s", ErrMalformed, proofHeader)
	}
	var p Proof
	var err error
	if after, ok := strings.CutPrefix(rest, "extra "); ok {
		var line string
		line, rest, _ = strings.Cut(after, "\n")
		if p.Extra, err = parseExtra(line); err != nil {
			return Proof{}, fmt.Errorf("extra: %w", err)
		}
	}
	lines := strings.Split(rest, "\n")
	index, ok := strings.CutPrefix(lines[0], "index ")
	if !ok {
		return Proof{}, fmt.Errorf("%w: no index line", ErrMalformed)
	}
	if p.Index, err = parseDecimal(index, MaxSize); err != nil {
		return Proof{}, fmt.Errorf("index: %w", err)
	}
	if p.Hashes, err = parseHashes(lines[1:]); err != nil {
		return Proof{}, err
	}
	return p, nil
}

func parseExtra(line string) ([]byte, error) {
	extra, err := decodeBase64(line)
	if err != nil {
		return nil, err
	}
	if len(extra) == 0 || len(extra) > MaxExtraBytes {
		return nil, fmt.Errorf("%w: not 1 to %d bytes", ErrMalformed, MaxExtraBytes)
	}
	return extra, nil
}

func parseHashes(lines []string) ([]Hash, error) {
	if len(lines) > MaxProofHashes {
		return nil, fmt.Errorf("%w: more than %d hashes", ErrMalformed, MaxProofHashes)
	}
	var hashes []Hash
	for i, line := range lines {
		h, err := parseHash(line)
		if err != nil {
			return nil, fmt.Errorf("hash %d: %w", i, err)
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// VerifyReceipt checks, with nothing but a policy, that a leaf is in the log:
// that the receipt, a proof file, leads from the leaf to the root of a
// checkpoint, and that the policy holds the checkpoint valid. It returns the
// parsed proof and who vouched for its checkpoint. The errors are
// [ErrMalformed], [ErrProof], [ErrSignature] and [ErrPolicy].
func VerifyReceipt(leaf, receipt []byte, policy *Policy) (Proof, []Cosignature, error) {
	p, err := ParseProof(receipt)
	if err != nil {
		return Proof{}, nil, fmt.Errorf("verify receipt: %w", err)
	}
	c := p.Checkpoint.Checkpoint
	if err := VerifyInclusion(LeafHash(leaf), p.Index, c.Size, p.Hashes, c.Root); err != nil {
		return Proof{}, nil, fmt.Errorf("verify receipt: %w", err)
	}
	cosignatures, err := policy.Verify(p.Checkpoint)
	if err != nil {
		return Proof{}, nil, fmt.Errorf("verify receipt: %w", err)
	}
	return p, cosignatures, nil
}
