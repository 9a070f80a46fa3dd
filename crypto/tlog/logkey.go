package tlog

import (
	"crypto/ed25519"
	"fmt"
)

// A LogSigner signs checkpoints as the log itself, with an Ed25519 key of
// type 0x01 under the log's origin. Each voter has its own and uses it while
// it leads. It is safe for concurrent use.
type LogSigner struct {
	key     *VKey
	private ed25519.PrivateKey
}

// NewLogSigner returns a signer for the log named origin. The key must serve
// this purpose alone.
func NewLogSigner(origin string, key ed25519.PrivateKey) (*LogSigner, error) {
	if err := (Checkpoint{Origin: origin, Root: EmptyRoot}).Check(); err != nil {
		return nil, fmt.Errorf("log signer: %w", err)
	}
	public, err := ed25519Public(key)
	if err != nil {
		return nil, fmt.Errorf("log signer: %w", err)
	}
	vkey, err := NewVKey(origin, LogEd25519, public)
	if err != nil {
		return nil, fmt.Errorf("log signer: %w", err)
	}
	return &LogSigner{key: vkey, private: key}, nil
}

// VKey returns the public half.
func (s *LogSigner) VKey() *VKey { return s.key }

// Sign returns the log's signature line. It refuses a checkpoint of another
// origin. That checkpoints are consistent with each other is for the caller
// to see to.
func (s *LogSigner) Sign(c Checkpoint) (NoteSignature, error) {
	if err := c.Check(); err != nil {
		return NoteSignature{}, fmt.Errorf("sign %w", err)
	}
	if c.Origin != s.key.name {
		return NoteSignature{}, fmt.Errorf("sign checkpoint of %s as %s: %w: another log", c.Origin, s.key.name, ErrSignature)
	}
	return NoteSignature{Name: s.key.name, KeyID: s.key.id, Blob: ed25519.Sign(s.private, c.Text())}, nil
}

func ed25519Public(key ed25519.PrivateKey) (ed25519.PublicKey, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: Ed25519 private key of %d bytes", ErrMalformed, len(key))
	}
	return key.Public().(ed25519.PublicKey), nil
}
