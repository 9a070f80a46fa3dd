package tlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Limits of a signed checkpoint. C2SP signed-note asks for at least 16
// signatures; nine voters and their leader make 19.
const (
	// MaxSignatures is the greatest number of signatures on a checkpoint.
	MaxSignatures = 64

	// MaxSignedCheckpointBytes is the length of the longest signed checkpoint:
	// 64 ML-DSA-44 cosignatures with names of any length fit.
	MaxSignedCheckpointBytes = 256 << 10
)

const (
	signaturePrefix = "— " // U+2014, U+0020
	keyIDSize       = 4
)

// A NoteSignature is one signature line of a note (C2SP signed-note). It is
// only a claim until the key it names has verified it.
type NoteSignature struct {
	// Name is the key's name.
	Name string

	// KeyID tells keys of one name and their algorithms apart.
	KeyID uint32

	// Blob is what follows the key id, at least one byte: a signature, or a
	// timestamp and a signature.
	Blob []byte
}

// A SignedCheckpoint is a checkpoint and what was signed under it. Its
// signatures are unverified; see [Policy.Verify].
type SignedCheckpoint struct {
	Checkpoint

	// Signatures are the lines in their order, 1 to [MaxSignatures], no two
	// with the same name and key id.
	Signatures []NoteSignature
}

// Marshal returns the signed note: the checkpoint's text, an empty line, and
// a line per signature.
func (s SignedCheckpoint) Marshal() []byte {
	note := append(s.Text(), '\n')
	for _, sig := range s.Signatures {
		blob := binary.BigEndian.AppendUint32(make([]byte, 0, keyIDSize+len(sig.Blob)), sig.KeyID)
		blob = append(blob, sig.Blob...)
		note = append(note, signaturePrefix+sig.Name+" "...)
		note = append(strictBase64.AppendEncode(note, blob), '\n')
	}
	return note
}

// ParseSignedCheckpoint reads a signed checkpoint. What it accepts, Marshal
// writes back to the same bytes; anything else is [ErrMalformed], as are two
// signatures with one name and key id. Signatures of unknown keys are kept.
func ParseSignedCheckpoint(note []byte) (SignedCheckpoint, error) {
	if len(note) > MaxSignedCheckpointBytes {
		return SignedCheckpoint{}, fmt.Errorf("parse signed checkpoint: %w: longer than %d bytes", ErrMalformed, MaxSignedCheckpointBytes)
	}
	text, lines, ok := bytes.Cut(note, []byte("\n\n"))
	if !ok {
		return SignedCheckpoint{}, fmt.Errorf("parse signed checkpoint: %w: no empty line", ErrMalformed)
	}
	c, err := ParseCheckpointText(append(bytes.Clone(text), '\n'))
	if err != nil {
		return SignedCheckpoint{}, fmt.Errorf("parse signed checkpoint: %w", err)
	}
	sigs, err := parseSignatures(string(lines))
	if err != nil {
		return SignedCheckpoint{}, fmt.Errorf("parse signed checkpoint: %w", err)
	}
	return SignedCheckpoint{Checkpoint: c, Signatures: sigs}, nil
}

func parseSignatures(lines string) ([]NoteSignature, error) {
	body, ok := strings.CutSuffix(lines, "\n")
	if !ok {
		return nil, fmt.Errorf("%w: last line does not end", ErrMalformed)
	}
	if strings.Count(body, "\n") >= MaxSignatures {
		return nil, fmt.Errorf("%w: more than %d signatures", ErrMalformed, MaxSignatures)
	}
	var sigs []NoteSignature
	for line := range strings.SplitSeq(body, "\n") {
		sig, err := parseSignature(line)
		if err != nil {
			return nil, fmt.Errorf("signature %d: %w", len(sigs), err)
		}
		for _, earlier := range sigs {
			if earlier.Name == sig.Name && earlier.KeyID == sig.KeyID {
				return nil, fmt.Errorf("signature %d: %w: second one by its key", len(sigs), ErrMalformed)
			}
		}
		sigs = append(sigs, sig)
	}
	return sigs, nil
}

func parseSignature(line string) (NoteSignature, error) {
	rest, ok := strings.CutPrefix(line, signaturePrefix)
	if !ok {
		return NoteSignature{}, fmt.Errorf("%w: does not start with a dash", ErrMalformed)
	}
	name, encoded, _ := strings.Cut(rest, " ")
	if err := checkName(name); err != nil {
		return NoteSignature{}, err
	}
	blob, err := decodeBase64(encoded)
	if err != nil {
		return NoteSignature{}, err
	}
	if len(blob) <= keyIDSize {
		return NoteSignature{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(blob))
	}
	return NoteSignature{
		Name:  name,
		KeyID: binary.BigEndian.Uint32(blob),
		Blob:  blob[keyIDSize:],
	}, nil
}
