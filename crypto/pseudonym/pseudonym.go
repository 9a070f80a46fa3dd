package pseudonym

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

const (
	redacted   = "pseudonym(redacted)"
	localLabel = "raresync/v1/local\x00"
)

// Pseudonym stands for one person: nationally if it came out of the OPRF,
// within one hospital if Local made it. It is personal data. Every way of
// printing it shows a placeholder, except from an unexported field of another
// type, where fmt calls no methods; Hex is for those who mean it.
type Pseudonym [32]byte

// Local returns the pseudonym of a hospital's own record number, for a person
// without an identity number: HMAC-SHA-256 under a key that never leaves the
// hospital, over "raresync/v1/local" ‖ 0x00 ‖ recordNumber. It never enters
// the OPRF and links to nothing outside the hospital.
func Local(key [32]byte, recordNumber []byte) Pseudonym {
	m := hmac.New(sha256.New, key[:])
	m.Write([]byte(localLabel))
	m.Write(recordNumber)
	return Pseudonym(m.Sum(nil))
}

// Hex returns the pseudonym in 64 lower-case hexadecimal digits.
func (p Pseudonym) Hex() string { return hex.EncodeToString(p[:]) }

// String returns a placeholder.
func (p Pseudonym) String() string { return redacted }

// Format writes the placeholder whatever the verb.
func (p Pseudonym) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns the placeholder.
func (p Pseudonym) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns the placeholder; JSON and other encodings use it.
func (p Pseudonym) MarshalText() ([]byte, error) { return []byte(redacted), nil }
