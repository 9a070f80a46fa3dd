package staticcopy

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Format is the version of the files beside those of C2SP.
const Format = 1

// DescriptionFile is the file by which a folder is known to hold a copy.
const DescriptionFile = "copy.json"

const checkpointFile = "checkpoint"

// Most that is read of one file.
const (
	maxDescriptionBytes = 4 << 10
	maxCheckpointBytes  = tlog.MaxSignedCheckpointBytes
	maxEnvelopeBytes    = envelope.MaxBytes + 16
	maxBodiesBytes      = envelope.MaxBytes
)

// Description says what a copy is.
type Description struct {
	Format  int    `json:"format"`
	Network string `json:"network"` // id, hex
	Name    string `json:"name"`
	Bodies  bool   `json:"bodies"` // whether the sealed bodies are in it
}

func (d Description) marshal() []byte {
	raw, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(err) // texts, a number and a bool
	}
	return append(raw, '\n')
}

func parseDescription(raw []byte) (d Description, network [32]byte, err error) {
	if err := json.Unmarshal(raw, &d); err != nil {
		return d, network, fmt.Errorf("%s: %w", DescriptionFile, ErrMalformed)
	}
	id, err := hex.DecodeString(d.Network)
	switch {
	case d.Format != Format:
		return d, network, fmt.Errorf("%s: format %d, this release reads %d", DescriptionFile, d.Format, Format)
	case err != nil || len(id) != len(network):
		return d, network, fmt.Errorf("%s: %w: network", DescriptionFile, ErrMalformed)
	}
	return d, [32]byte(id), nil
}

func envelopePath(n uint64) string { return "envelope/" + tlog.PathNumber(n) }
func bodiesPath(n uint64) string   { return "bodies/" + tlog.PathNumber(n) }

// bare is an envelope without what is sealed in it.
func bare(e *envelope.Envelope) *envelope.Envelope {
	if e.Kind == envelope.KindAct {
		return e
	}
	return e.Erase(func(int) bool { return true })
}

// marshalBare is envelope/N.
func marshalBare(e *envelope.Envelope, logTime uint64) []byte {
	b := cbor.AppendArray(nil, 2)
	b = cbor.AppendUint(b, logTime)
	return cbor.AppendBytes(b, bare(e).Marshal())
}

// marshalBodies is bodies/N: of an erased entry an empty array.
func marshalBodies(bodies []seal.Body) []byte {
	b := cbor.AppendArray(nil, len(bodies))
	for i := range bodies {
		if bodies[i].Erased != nil {
			b = cbor.AppendArray(b, 0)
			continue
		}
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendBytes(b, bodies[i].Tag[:])
		b = cbor.AppendBytes(b, bodies[i].Ciphertext)
	}
	return b
}

// parseBare reads envelope/N.
func parseBare(raw []byte) (out consensus.Unsalted, err error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	out.LogTime = d.Uint()
	held := d.Bytes(envelope.MaxBytes)
	if err := d.Done(); err != nil {
		return out, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if out.Envelope, err = envelope.DecodeHeld(held); err != nil {
		return out, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return out, nil
}

// parseBodies reads bodies/N into the places that an envelope left empty.
func parseBodies(raw []byte, e *envelope.Envelope) ([]consensus.UnsaltedBody, error) {
	d := cbor.NewDecoder(raw)
	d.Array(len(e.Bodies))
	if d.Err() != nil { // before anything is allocated
		return nil, fmt.Errorf("%w: %w", ErrMalformed, d.Err())
	}
	out := make([]consensus.UnsaltedBody, len(e.Bodies))
	for i := range out {
		if d.ArrayMax(2) == 0 {
			continue
		}
		d.BytesInto(out[i].Tag[:])
		out[i].Ciphertext = d.BytesFixed(len(e.Bodies[i].Ciphertext))
		if d.Err() != nil {
			break
		}
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return out, nil
}

// temporary ends the name of a file that is not whole yet.
const temporary = ".tmp"
