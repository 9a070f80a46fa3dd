package phenopacket

import "github.com/raresync/raresync/registry/jsontree"

// Levels of a document, and those that keepWrapper adds.
const (
	maxDepth  = 64
	wrapDepth = 2
)

// A value is one node of a document.
type value = jsontree.Value

// parse reads a document of at most so many levels.
func parse(depth int, raw []byte) (*value, error) {
	return jsontree.Parse(raw, jsontree.Limits{Depth: depth, Values: 400_000, Members: 4096, TextBytes: 65_536})
}
