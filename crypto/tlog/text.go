package tlog

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameBytes is the length of the longest key name and origin: the ML-DSA
// cosignature message holds each behind a length of one byte.
const MaxNameBytes = 255

var strictBase64 = base64.StdEncoding.Strict()

func encodeBase64(b []byte) string { return strictBase64.EncodeToString(b) }

// decodeBase64 reads standard padded base64. Go's decoder skips line breaks
// even in strict mode, which would give one value two spellings.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%w: line break in base64", ErrMalformed)
	}
	b, err := strictBase64.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%w: not base64", ErrMalformed)
	}
	return b, nil
}

// parseHash reads a hash as one line of base64.
func parseHash(s string) (Hash, error) {
	b, err := decodeBase64(s)
	if err != nil {
		return Hash{}, err
	}
	if len(b) != HashSize {
		return Hash{}, fmt.Errorf("%w: hash of %d bytes, want %d", ErrMalformed, len(b), HashSize)
	}
	return Hash(b), nil
}

// parseDecimal reads an ASCII decimal without sign or leading zeros.
func parseDecimal(s string, limit uint64) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("%w: not a decimal number", ErrMalformed)
	}
	if n > limit {
		return 0, fmt.Errorf("%w: number above %d", ErrMalformed, limit)
	}
	return n, nil
}

// checkName checks a key name by C2SP signed-note: not empty, valid UTF-8, no
// Unicode spaces, no plus sign, no ASCII control characters.
func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: name is empty", ErrMalformed)
	case len(name) > MaxNameBytes:
		return fmt.Errorf("%w: name is longer than %d bytes", ErrMalformed, MaxNameBytes)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: name is not UTF-8", ErrMalformed)
	}
	for _, r := range name {
		if unicode.IsSpace(r) || r == '+' || r < 0x20 {
			return fmt.Errorf("%w: name contains a space, plus sign or control character", ErrMalformed)
		}
	}
	return nil
}
