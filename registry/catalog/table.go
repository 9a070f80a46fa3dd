package catalog

import (
	_ "embed"
	"errors"
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

var current = sync.OnceValue(carried)

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

// carried reads the embedded table. It panics on a fault: the table is part of
// the program, and tests read it.
func carried() *Catalog {
	diseases, err := parse(strings.NewReader(tableCSV))
	if err != nil {
		panic(fmt.Sprintf("catalog: embedded table: %v", err))
	}
	return build(EditionCurrent, diseases)
}

func parseRow(row []string) (Disease, error) {
	list, err1 := strconv.Atoi(row[0])
	number, err2 := strconv.Atoi(row[1])
	if err := errors.Join(err1, err2); err != nil || list < 0 || number < 0 {
		return Disease{}, fmt.Errorf("list %q, number %q", row[0], row[1])
	}
	d := Disease{
		List: list, Number: number, ZH: names(row[2]), EN: names(row[3]),
		OMIM: strings.Fields(row[6]), ICD10: strings.Fields(row[7]), ICD10Edition: row[8],
	}
	for id := range strings.FieldsSeq(row[4]) {
		d.ORPHA = append(d.ORPHA, Code{ID: "ORPHA:" + id, Relation: Relation(row[5])})
	}
	return d, nil
}

func names(cell string) []string {
	if cell == "" {
		return nil
	}
	return strings.Split(cell, "; ")
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
