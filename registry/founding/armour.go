package founding

import "github.com/raresync/raresync/registry/armour"

// maxFileBytes bounds a card, draft or approval file.
const maxFileBytes = 1 << 20

// The types of the armoured files.
const (
	blockCard     = "RARESYNC CARD"
	blockDraft    = "RARESYNC DRAFT"
	blockApproval = "RARESYNC APPROVAL"
	blockGenesis  = "RARESYNC GENESIS"
)

// disarm returns the bytes of the one block of the given type in a file.
func disarm(kind string, file []byte) ([]byte, error) { return armour.Unwrap(kind, file, maxFileBytes) }
