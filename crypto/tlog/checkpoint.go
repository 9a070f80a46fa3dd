package tlog

import (
	"fmt"
	"strconv"
	"strings"
)

// maxCheckpointText is the length of the longest checkpoint text: origin,
// decimal size, base64 root and three line ends.
const maxCheckpointText = MaxNameBytes + 19 + 44 + 3

// A Checkpoint says that the log named Origin has Size leaves and the root
// Root. Two checkpoints are the same if they compare equal.
type Checkpoint struct {
	// Origin names the log: "<network name>/<log epoch>", 1 to 255 characters
	// out of a-z, 0-9, '.', '/' and '-'.
	Origin string

	// Size is the number of leaves, at most [MaxSize].
	Size uint64

	// Root is the RFC 6962 root of the tree of Size leaves.
	Root Hash
}

// Check reports what keeps the checkpoint from being signed: an origin or
// size out of bounds, or an empty tree with another root than [EmptyRoot].
func (c Checkpoint) Check() error {
	if c.Origin == "" || len(c.Origin) > MaxNameBytes {
		return fmt.Errorf("checkpoint: %w: origin is not 1 to %d bytes", ErrMalformed, MaxNameBytes)
	}
	for _, b := range []byte(c.Origin) {
		if !isOriginByte(b) {
			return fmt.Errorf("checkpoint: %w: origin has a character outside a-z 0-9 . / -", ErrMalformed)
		}
	}
	if c.Size > MaxSize {
		return fmt.Errorf("checkpoint: %w: size above %d", ErrMalformed, MaxSize)
	}
	if c.Size == 0 && c.Root != EmptyRoot {
		return fmt.Errorf("checkpoint: %w: empty tree with another root", ErrMalformed)
	}
	return nil
}

func isOriginByte(b byte) bool {
	return 'a' <= b && b <= 'z' || '0' <= b && b <= '9' || b == '.' || b == '/' || b == '-'
}

// Text returns the note text of C2SP tlog-checkpoint: origin, size and root,
// a line each, without extension lines.
func (c Checkpoint) Text() []byte {
	text := make([]byte, 0, maxCheckpointText)
	text = append(append(text, c.Origin...), '\n')
	text = append(strconv.AppendUint(text, c.Size, 10), '\n')
	return append(strictBase64.AppendEncode(text, c.Root[:]), '\n')
}

// ParseCheckpointText reads a checkpoint as [Checkpoint.Text] writes it. Any
// other spelling, and extension lines, are [ErrMalformed].
func ParseCheckpointText(text []byte) (Checkpoint, error) {
	if len(text) > maxCheckpointText {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: %w: longer than %d bytes", ErrMalformed, maxCheckpointText)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: %w: not three lines", ErrMalformed)
	}
	size, err := parseDecimal(lines[1], MaxSize)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: size: %w", err)
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return Checkpoint{}, fmt.Errorf("parse checkpoint: root: %w", err)
	}
	c := Checkpoint{Origin: lines[0], Size: size, Root: root}
	if err := c.Check(); err != nil {
		return Checkpoint{}, fmt.Errorf("parse %w", err)
	}
	return c, nil
}
