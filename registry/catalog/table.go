package catalog

import (
	"crypto/sha256"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/raresync/raresync/crypto/cbor"
)

// EditionCurrent is the edition of the lists that this program carries.
const EditionCurrent = "cn-2018+2023/1"

// tableCSV is the table of EditionCurrent: list, number, zh, en, orpha,
// relation, omim, icd10, icd10_edition. Names are joined with "; ", codes with
// a space.
//
//go:embed table.csv
var tableCSV string

var current = sync.OnceValue(func() *Catalog { return build(EditionCurrent, parse(tableCSV)) })

// Current returns the newest edition. It is safe for concurrent use, as are
// all methods of a Catalog.
func Current() *Catalog { return current() }

// Edition returns the catalogue of an edition named in an entry, or false if
// this program does not carry it.
func Edition(name string) (*Catalog, bool) {
	if name != EditionCurrent {
		return nil, false
	}
	return Current(), true
}

// parse reads the embedded table. It panics on a fault: the table is part of
// the program, and tests read it.
func parse(table string) []Disease {
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil {
		panic(fmt.Sprintf("catalog: embedded table: %v", err))
	}
	diseases := make([]Disease, 0, len(rows)-1)
	for _, row := range rows[1:] {
		diseases = append(diseases, parseRow(row))
	}
	return diseases
}

func parseRow(row []string) Disease {
	d := Disease{
		List:         mustNumber(row[0]),
		Number:       mustNumber(row[1]),
		ZH:           strings.Split(row[2], "; "),
		EN:           strings.Split(row[3], "; "),
		OMIM:         strings.Fields(row[6]),
		ICD10:        strings.Fields(row[7]),
		ICD10Edition: row[8],
	}
	for id := range strings.FieldsSeq(row[4]) {
		d.ORPHA = append(d.ORPHA, Code{ID: "ORPHA:" + id, Relation: Relation(row[5])})
	}
	return d
}

func mustNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(fmt.Sprintf("catalog: embedded table: %v", err))
	}
	return n
}

// hash returns SHA-256 of the table in deterministic CBOR: an array of
// "raresync/v1/catalog", the edition and the rows.
func hash(edition string, diseases []Disease) [sha256.Size]byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, "raresync/v1/catalog")
	b = cbor.AppendText(b, edition)
	b = cbor.AppendArray(b, len(diseases))
	for i := range diseases {
		b = diseases[i].append(b)
	}
	return sha256.Sum256(b)
}

// append encodes a row as an array of 8: list, number, zh, en, ORPHA codes as
// [id, relation], OMIM, ICD-10, ICD-10 edition.
func (d *Disease) append(b []byte) []byte {
	b = cbor.AppendArray(b, 8)
	b = cbor.AppendUint(b, uint64(d.List))
	b = cbor.AppendUint(b, uint64(d.Number))
	b = appendTexts(b, d.ZH)
	b = appendTexts(b, d.EN)
	b = cbor.AppendArray(b, len(d.ORPHA))
	for _, c := range d.ORPHA {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendText(b, c.ID)
		b = cbor.AppendText(b, string(c.Relation))
	}
	b = appendTexts(b, d.OMIM)
	b = appendTexts(b, d.ICD10)
	return cbor.AppendText(b, d.ICD10Edition)
}

func appendTexts(b []byte, texts []string) []byte {
	b = cbor.AppendArray(b, len(texts))
	for _, t := range texts {
		b = cbor.AppendText(b, t)
	}
	return b
}
