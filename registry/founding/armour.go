package founding

import (
	"encoding/pem"
	"errors"
	"fmt"
)

// maxFileBytes bounds a card, draft or approval file.
const maxFileBytes = 1 << 20

// The types of the armoured files.
const (
	blockCard     = "RARESYNC CARD"
	blockDraft    = "RARESYNC DRAFT"
	blockApproval = "RARESYNC APPROVAL"
	blockGenesis  = "RARESYNC GENESIS"
)

func armour(kind string, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})
}

// disarm returns the bytes of the one block of the given type in a file.
func disarm(kind string, file []byte) ([]byte, error) {
	if len(file) > maxFileBytes {
		return nil, fmt.Errorf("file is larger than %d bytes", maxFileBytes)
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
