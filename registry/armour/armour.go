package armour

import (
	"encoding/pem"
	"errors"
	"fmt"
)

// Wrap returns a file with one block of the given type.
func Wrap(kind string, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})
}

// Unwrap returns the bytes of the one block of the given type in a file of at most
// limit bytes.
func Unwrap(kind string, file []byte, limit int) ([]byte, error) {
	if len(file) > limit {
		return nil, fmt.Errorf("file is larger than %d bytes", limit)
	}
	block, rest := pem.Decode(file)
	if block == nil {
		return nil, fmt.Errorf("no %s block in the file", kind)
	}
	if block.Type != kind {
		return nil, fmt.Errorf("file holds a %s, want a %s", block.Type, kind)
	}
	if next, _ := pem.Decode(rest); next != nil || len(block.Headers) != 0 {
		return nil, errors.New("file holds more than one block")
	}
	return block.Bytes, nil
}
