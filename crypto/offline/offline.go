package offline

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"filippo.io/age"
)

// Errors that a caller branches on.
var (
	// ErrRecipient reports text that is no recipient of the hybrid kind.
	ErrRecipient = errors.New("not a post-quantum age recipient (age1pq1...)")
	// ErrKey reports text that is no key of the hybrid kind.
	ErrKey = errors.New("not a post-quantum age key (AGE-SECRET-KEY-PQ-1...)")
	// ErrWrongKey reports a stream sealed to another key.
	ErrWrongKey = errors.New("sealed to another key")
	// ErrDamaged reports a stream that was changed or cut short, or is none.
	ErrDamaged = errors.New("sealed stream is damaged")
)

// Recipient is the public half of a key, to seal to.
type Recipient struct{ age *age.HybridRecipient }

// ParseRecipient reads the text of a recipient, without regard to white space
// around it. It fails with ErrRecipient.
func ParseRecipient(text string) (Recipient, error) {
	r, err := age.ParseHybridRecipient(strings.TrimSpace(text))
	if err != nil {
		return Recipient{}, ErrRecipient
	}
	return Recipient{r}, nil
}

// String returns the recipient's text, some 1960 characters.
func (r Recipient) String() string { return r.age.String() }

// Key opens what was sealed to its recipient. It prints as "[offline key]".
type Key struct {
	// A function, which fmt does not look into even where it does not reach
	// Format.
	identity func() *age.HybridIdentity
}

// NewKey makes a key from the system's randomness.
func NewKey() (Key, error) {
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		return Key{}, fmt.Errorf("new offline key: %w", err)
	}
	return keyOf(identity), nil
}

// ParseKey reads a key as a key file of age holds it: lines that begin with #
// are comments. It fails with ErrKey.
func ParseKey(text string) (Key, error) {
	var found []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			found = append(found, line)
		}
	}
	if len(found) != 1 {
		return Key{}, ErrKey
	}
	identity, err := age.ParseHybridIdentity(found[0])
	if err != nil {
		return Key{}, ErrKey // not its cause, which may quote the text
	}
	return keyOf(identity), nil
}

func keyOf(identity *age.HybridIdentity) Key {
	return Key{func() *age.HybridIdentity { return identity }}
}

// Text returns the key as a line for [ParseKey]. It is the secret.
func (k Key) Text() string { return k.identity().String() }

// Recipient returns the public half.
func (k Key) Recipient() Recipient { return Recipient{k.identity().Recipient()} }

const redacted = "[offline key]"

// String returns a placeholder.
func (Key) String() string { return redacted }

// GoString returns a placeholder.
func (Key) GoString() string { return redacted }

// Format prints a placeholder whatever the verb.
func (Key) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue returns a placeholder.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// Seal returns a writer whose input only the recipient's key opens. It is
// whole when Close has returned; w stays open.
func Seal(w io.Writer, to Recipient) (io.WriteCloser, error) {
	sealed, err := age.Encrypt(w, to.age)
	if err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return sealed, nil
}

// Open returns what was sealed. It fails with ErrWrongKey or ErrDamaged, and
// so does reading.
func Open(r io.Reader, key Key) (io.Reader, error) {
	plain, err := age.Decrypt(r, key.identity())
	var noMatch *age.NoIdentityMatchError
	if errors.As(err, &noMatch) {
		return nil, fmt.Errorf("open: %w", ErrWrongKey)
	}
	if err != nil {
		return nil, fmt.Errorf("open: %w: %w", ErrDamaged, err)
	}
	return &opened{plain}, nil
}

// opened gives what goes wrong while reading its name.
type opened struct{ r io.Reader }

// Read reads on; its error is io.EOF at the authentic end alone.
func (o *opened) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = fmt.Errorf("open: %w: %w", ErrDamaged, err)
	}
	return n, err
}
