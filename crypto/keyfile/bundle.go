package keyfile

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/raresync/raresync/crypto/sign"
)

// Limits of a bundle.
const (
	MaxSecrets     = 64        // secrets in a bundle
	MaxSecretBytes = 128 << 10 // bytes of one secret
	MaxNameBytes   = 64        // bytes of a name
)

// Why a secret cannot be put into or taken out of a bundle.
var (
	// ErrMissing reports that a bundle has no secret of that name and kind.
	ErrMissing = errors.New("no such secret in the bundle")

	// ErrSecret reports a name or secret that a bundle cannot hold.
	ErrSecret = errors.New("secret does not fit a bundle")
)

// A Bundle is a set of named secrets, ordered by name. The zero value is
// empty and ready for use. It is not safe for concurrent use, and prints as
// "[key bundle]".
type Bundle struct {
	secrets []*secret // ascending by name
}

// A secret is a signing key, if sign is set, or any other bytes. Those are
// behind a function, which fmt does not look into even where it does not reach
// Format.
type secret struct {
	name string
	sign *sign.PrivateKey
	seed func() []byte
}

// PutSign puts a signing key under name, in place of what was there. It fails
// with ErrSecret if the name is not 1 to 64 characters of [a-z0-9._-] or the
// bundle is full.
func (b *Bundle) PutSign(name string, k *sign.PrivateKey) error {
	return b.put(&secret{name: name, sign: k})
}

// PutSeed puts a copy of any other secret under name, in place of what was
// there. It fails with ErrSecret as PutSign does, and if the secret is empty
// or has more than MaxSecretBytes.
func (b *Bundle) PutSeed(name string, seed []byte) error {
	if len(seed) == 0 || len(seed) > MaxSecretBytes {
		return fmt.Errorf("%w: %q has %d bytes, want 1 to %d", ErrSecret, name, len(seed), MaxSecretBytes)
	}
	return b.put(newSeed(name, seed))
}

func newSeed(name string, seed []byte) *secret {
	own := bytes.Clone(seed)
	return &secret{name: name, seed: func() []byte { return own }}
}

func (b *Bundle) put(s *secret) error {
	if !validName(s.name) {
		return fmt.Errorf("%w: name %q", ErrSecret, s.name)
	}
	i, found := b.search(s.name)
	if found {
		b.secrets[i] = s
		return nil
	}
	if len(b.secrets) == MaxSecrets {
		return fmt.Errorf("%w: it holds %d already", ErrSecret, MaxSecrets)
	}
	b.secrets = slices.Insert(b.secrets, i, s)
	return nil
}

// Sign returns the signing key of that name, or ErrMissing.
func (b *Bundle) Sign(name string) (*sign.PrivateKey, error) {
	i, found := b.search(name)
	if !found || b.secrets[i].sign == nil {
		return nil, fmt.Errorf("%w: signing key %q", ErrMissing, name)
	}
	return b.secrets[i].sign, nil
}

// Seed returns a copy of the other secret of that name, or ErrMissing.
func (b *Bundle) Seed(name string) ([]byte, error) {
	i, found := b.search(name)
	if !found || b.secrets[i].sign != nil {
		return nil, fmt.Errorf("%w: %q", ErrMissing, name)
	}
	return bytes.Clone(b.secrets[i].seed()), nil
}

// Delete removes the secret of that name, if there is one.
func (b *Bundle) Delete(name string) {
	if i, found := b.search(name); found {
		b.secrets = slices.Delete(b.secrets, i, i+1)
	}
}

// Names returns the names of all secrets in ascending order.
func (b *Bundle) Names() []string {
	names := make([]string, len(b.secrets))
	for i, s := range b.secrets {
		names[i] = s.name
	}
	return names
}

func (b *Bundle) search(name string) (int, bool) {
	return slices.BinarySearchFunc(b.secrets, name, func(s *secret, name string) int {
		return strings.Compare(s.name, name)
	})
}

func validName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789._-"
	return len(name) >= 1 && len(name) <= MaxNameBytes && strings.Trim(name, allowed) == ""
}

const redactedBundle = "[key bundle]"

// String returns a placeholder.
func (Bundle) String() string { return redactedBundle }

// GoString returns a placeholder.
func (Bundle) GoString() string { return redactedBundle }

// Format prints a placeholder whatever the verb.
func (Bundle) Format(s fmt.State, _ rune) { fmt.Fprint(s, redactedBundle) }

// LogValue returns a placeholder.
func (Bundle) LogValue() slog.Value { return slog.StringValue(redactedBundle) }

// MarshalJSON returns a placeholder.
func (Bundle) MarshalJSON() ([]byte, error) { return []byte(`"` + redactedBundle + `"`), nil }
