package entry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/rule"
)

// Encode returns the entry's one encoding. It refuses with FM005 an entry of
// more than MaxBytes, and returns an error for a value that has no encoding:
// a birth date with a day, an unknown enumeration value, fields that do not
// fit the type. The error names the kind of value, never the value.
func Encode(e Entry) ([]byte, error) {
	w := wire{out: make([]byte, 0, 2048)}
	w.entry(&e)
	if w.err != nil {
		return nil, fmt.Errorf("encode entry: %w", w.err)
	}
	if len(w.out) > MaxBytes {
		return nil, rule.Refuse("FM005", "", fmt.Sprintf("%d bytes, at most %d", len(w.out), MaxBytes))
	}
	return w.out, nil
}

// Decode reads what Encode wrote and nothing else: its error wraps
// cbor.ErrEncoding (ENC001). The result shares no memory with b.
func Decode(b []byte) (Entry, error) {
	if len(b) > MaxBytes {
		return Entry{}, fmt.Errorf("decode entry: %w: %d bytes, at most %d", cbor.ErrEncoding, len(b), MaxBytes)
	}
	var e Entry
	w := wire{in: cbor.NewDecoder(b)}
	w.entry(&e)
	if err := w.in.Done(); err != nil {
		return Entry{}, fmt.Errorf("decode entry: %w", err)
	}
	return e, nil
}

// ID returns an entry's id: HMAC-SHA-256 under a key that only the hospital
// has, over a label, the type, the source's own name for the thing (localID)
// and the SHA-256 of its content. Neither time nor chance enters it, so
// dropping the same file again gives the same ids.
func ID(key [32]byte, t Type, localID string, content [32]byte) [32]byte {
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("raresync/v1/entry-id\x00"))
	head := [5]byte{byte(t)}
	binary.BigEndian.PutUint32(head[1:], uint32(len(localID)))
	mac.Write(head[:])
	mac.Write([]byte(localID))
	mac.Write(content[:])
	return [32]byte(mac.Sum(nil))
}
