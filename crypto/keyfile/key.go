package keyfile

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"filippo.io/age"
)

// ErrKey reports text that is not a file key.
var ErrKey = errors.New("not a file key")

// A Key opens and seals key files: an age identity of the hybrid
// post-quantum kind. It prints as "[file key]"; obtain one from NewKey or
// ParseKey.
//
// Nobody else can seal a file that opens with it, since the public half is
// never written down.
type Key struct {
	// A function, which fmt does not look into even where it does not reach
	// Format.
	identity func() *age.HybridIdentity
}

// NewKey makes a new file key from the system's randomness.
func NewKey() (Key, error) {
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		return Key{}, fmt.Errorf("new file key: %w", err)
	}
	return keyOf(identity), nil
}

// ParseKey reads the text of a key, "AGE-SECRET-KEY-PQ-1...", without regard to
// white space around it. It fails with ErrKey.
func ParseKey(text string) (Key, error) {
	identity, err := age.ParseHybridIdentity(strings.TrimSpace(text))
	if err != nil {
		return Key{}, ErrKey // not its cause, which may quote the text
	}
	return keyOf(identity), nil
}

func keyOf(identity *age.HybridIdentity) Key {
	return Key{func() *age.HybridIdentity { return identity }}
}

// Text returns the key as text for ParseKey, 77 characters without a line
// end. It is the secret: it belongs in the service manager's credentials.
func (k Key) Text() string { return k.identity().String() }

const redactedKey = "[file key]"

// String returns a placeholder.
func (Key) String() string { return redactedKey }

// GoString returns a placeholder.
func (Key) GoString() string { return redactedKey }

// Format prints a placeholder whatever the verb.
func (Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, redactedKey) }

// LogValue returns a placeholder.
func (Key) LogValue() slog.Value { return slog.StringValue(redactedKey) }

// MarshalJSON returns a placeholder.
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redactedKey + `"`), nil }
