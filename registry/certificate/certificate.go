package certificate

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/envelope"
)

// Limits of a certificate.
const (
	MaxBytes = 64 << 20 // a file
	maxNodes = 100_000
	version  = 1

	block = "RARESYNC ERASURE PROOF"
)

// ErrMalformed reports a file that is no certificate, or whose text is not that
// of its proofs.
var ErrMalformed = errors.New("not an erasure certificate")

// Certificate says who declares that a withdrawal is carried out.
type Certificate struct {
	Network   string
	NetworkID [32]byte
	Maker     string // node that made it
	Envelope  uint64 // number of the withdrawal's envelope, as the maker says

	Nodes []Node // every node ever entitled, as the maker says

	// SaltsExpiry is when the last backup with salts expires that any of them
	// declared, in ms; 0 = none did.
	SaltsExpiry uint64

	Checkpoint []byte // signed note
	Withdrawal Proven
}

// Node is a node that had a right to a copy.
type Node struct {
	ID          string
	Institution uint32
	Name        string  // of the institution
	Removed     bool    // it is no member any more, and can attest nothing
	Receipt     *Proven // nil: it has not declared
}

// Proven is an act with the proof that it lies in the log.
type Proven struct {
	Index    uint64 // of its leaf
	Leaf     []byte // 90 bytes
	Envelope []byte // as sent
	Hashes   []tlog.Hash
}

// Marshal returns the certificate's file: the text, and all that is in it, with
// the proofs, in one armoured block.
func (c *Certificate) Marshal() ([]byte, error) {
	text, err := c.Text()
	if err != nil {
		return nil, err
	}
	return append([]byte(text+"\n"), pem.EncodeToMemory(&pem.Block{Type: block, Bytes: c.encode()})...), nil
}

// Parse reads a file. The text in it is the one that its block makes, to the
// byte; nothing else is checked.
func Parse(file []byte) (*Certificate, error) {
	if len(file) > MaxBytes {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrMalformed, MaxBytes)
	}
	i := bytes.Index(file, []byte("-----BEGIN "))
	if i < 0 {
		return nil, fmt.Errorf("%w: it holds no proof", ErrMalformed)
	}
	b, _ := pem.Decode(file[i:])
	if b == nil || b.Type != block || len(b.Headers) != 0 {
		return nil, fmt.Errorf("%w: it holds no %s", ErrMalformed, block)
	}
	c, err := decode(b.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	again, err := c.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(again, file) {
		return nil, fmt.Errorf("%w: its text is not the one that its proofs make: it was changed", ErrMalformed)
	}
	return c, nil
}

func (c *Certificate) encode() []byte {
	b := cbor.AppendArray(nil, 9)
	b = cbor.AppendUint(b, version)
	b = cbor.AppendText(b, c.Network)
	b = cbor.AppendBytes(b, c.NetworkID[:])
	b = cbor.AppendText(b, c.Maker)
	b = cbor.AppendUint(b, c.Envelope)
	b = cbor.AppendUint(b, c.SaltsExpiry)
	b = cbor.AppendBytes(b, c.Checkpoint)
	b = c.Withdrawal.append(b)
	b = cbor.AppendArray(b, len(c.Nodes))
	for i := range c.Nodes {
		n := &c.Nodes[i]
		b = cbor.AppendArray(b, 5)
		b = cbor.AppendText(b, n.ID)
		b = cbor.AppendUint(b, uint64(n.Institution))
		b = cbor.AppendText(b, n.Name)
		b = cbor.AppendBool(b, n.Removed)
		if n.Receipt == nil {
			b = cbor.AppendArray(b, 0)
			continue
		}
		b = cbor.AppendArray(b, 1)
		b = n.Receipt.append(b)
	}
	return b
}

func decode(raw []byte) (*Certificate, error) {
	c := &Certificate{}
	d := cbor.NewDecoder(raw)
	d.Array(9)
	if v := d.Uint(); d.Err() == nil && v != version {
		return nil, fmt.Errorf("version %d is not known: use a newer raresync", v)
	}
	c.Network = d.Text(64)
	d.BytesInto(c.NetworkID[:])
	c.Maker = d.Text(32)
	c.Envelope = d.Uint()
	c.SaltsExpiry = d.Uint()
	c.Checkpoint = d.Bytes(tlog.MaxSignedCheckpointBytes)
	c.Withdrawal = readProven(d)
	for range d.ArrayMax(maxNodes) {
		var n Node
		d.Array(5)
		n.ID, n.Institution, n.Name, n.Removed = d.Text(32), d.Uint32(), d.Text(128), d.Bool()
		if d.ArrayMax(1) == 1 {
			p := readProven(d)
			n.Receipt = &p
		}
		if d.Err() != nil {
			break
		}
		c.Nodes = append(c.Nodes, n)
	}
	return c, d.Done()
}

func (p *Proven) append(b []byte) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendUint(b, p.Index)
	b = cbor.AppendBytes(b, p.Leaf)
	b = cbor.AppendBytes(b, p.Envelope)
	flat := make([]byte, 0, len(p.Hashes)*len(tlog.Hash{}))
	for i := range p.Hashes {
		flat = append(flat, p.Hashes[i][:]...)
	}
	return cbor.AppendBytes(b, flat)
}

func readProven(d *cbor.Decoder) (p Proven) {
	d.Array(4)
	p.Index = d.Uint()
	p.Leaf = d.BytesFixed(envelope.LeafBytes)
	p.Envelope = d.Bytes(envelope.MaxBytes)
	flat := d.Bytes(tlog.MaxProofHashes * len(tlog.Hash{}))
	if len(flat)%len(tlog.Hash{}) != 0 {
		d.Fail("a proof of %d bytes", len(flat))
		return p
	}
	for ; len(flat) > 0; flat = flat[len(tlog.Hash{}):] {
		p.Hashes = append(p.Hashes, tlog.Hash(flat))
	}
	return p
}
