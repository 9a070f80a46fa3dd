package config

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed raresync.toml
var defaults string

// The lines of the annotated file that differ from node to node.
const (
	idLine     = `id = "hospital-1"`
	listenLine = `#node = ""`
)

// DefaultsTOML returns the annotated file: every key with its default, after
// a hash, beneath the words that explain it. Only node.id must be set.
func DefaultsTOML() []byte { return []byte(defaults) }

// InitialTOML returns the annotated file for a new node that listens at listen,
// or only dials out if that is "".
func InitialTOML(id, listen string) []byte {
	text := strings.Replace(defaults, idLine, fmt.Sprintf("id = %q", id), 1)
	if listen != "" {
		text = strings.Replace(text, listenLine, fmt.Sprintf("node = %q", listen), 1)
	}
	return []byte(text)
}
