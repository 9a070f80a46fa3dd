package delivery

import (
	"bytes"
	"path/filepath"
	"strings"

	"github.com/raresync/raresync/registry/archive"
	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/table"
)

// A Kind says how a file is taken.
type Kind uint8

// The kinds.
const (
	Packets     Kind = iota // a phenopacket, Family or Cohort: as a whole
	Rows                    // a table, row by row
	Collections             // FHIR, patient by patient, or an archive, file by file
)

// KindOf tells how a file is taken, by its name or, of another name, by what is in
// it.
func KindOf(name string, raw []byte) Kind {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv", ".tsv", ".txt", ".xlsx", ".xls":
		return Rows
	case ".zip", ".ndjson":
		return Collections
	}
	switch {
	case fhir.Is(raw), archive.Is(raw) && !bytes.Contains(raw, []byte("[Content_Types].xml")):
		return Collections
	case table.Is(raw) && strings.ToLower(filepath.Ext(name)) != ".json":
		return Rows
	}
	return Packets
}

// MaxBytes is the largest file of a kind.
func (k Kind) MaxBytes() int {
	switch k {
	case Rows:
		return table.MaxBytes
	case Collections:
		return fhir.MaxBytes
	}
	return phenopacket.DefaultMaxBytes
}
