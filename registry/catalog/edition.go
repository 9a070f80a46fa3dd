package catalog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/raresync/raresync/crypto/cbor"
)

// The limits of an edition that comes by act.
const (
	MaxTableBytes = 160_000 // of an encoded table
	MaxFileBytes  = 196_608 // of the CSV file that it is made from
	maxRows       = 4_096
	maxList       = 9 // list numbers are one digit
	maxNumber     = 999
	maxNames      = 32 // of a row in each language; and codes of each system
	maxTextBytes  = 256
)

const tableLabel = "raresync/v1/catalog"

var (
	editionName = regexp.MustCompile(`^[a-z0-9][a-z0-9+./-]{0,63}$`)
	relations   = []Relation{"", Exact, Narrower, Broader, Close, ExactNarrower, BroaderNarrower}
	icdEditions = []string{"", "cm", "who", "unstated"}
)

// ErrTable reports a table that no edition of the lists can be.
var ErrTable = errors.New("not a table of rare diseases")

// Marshal returns the table in deterministic CBOR: an array of
// "raresync/v1/catalog", the edition and the rows. [Catalog.Hash] is its SHA-256.
func (c *Catalog) Marshal() []byte { return marshal(c.edition, c.diseases) }

func marshal(edition string, diseases []Disease) []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendText(b, tableLabel)
	b = cbor.AppendText(b, edition)
	b = cbor.AppendArray(b, len(diseases))
	for i := range diseases {
		b = diseases[i].append(b)
	}
	return b
}

// Parse reads a table that [Catalog.Marshal] wrote, from whomever: it is held to
// the limits, rows ascend by list and number, each has a Chinese name, and codes
// stand in their stored form. The error is ErrTable.
func Parse(raw []byte) (*Catalog, error) {
	if len(raw) > MaxTableBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTable, len(raw), MaxTableBytes)
	}
	d := cbor.NewDecoder(raw)
	d.Array(3)
	if label := d.Text(len(tableLabel)); d.Err() == nil && label != tableLabel {
		return nil, fmt.Errorf("%w: it begins with %q", ErrTable, label)
	}
	edition := d.Text(64)
	n := d.ArrayMax(maxRows)
	var diseases []Disease
	for range n {
		if d.Err() != nil {
			break
		}
		diseases = append(diseases, readDisease(d))
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTable, err)
	}
	if err := check(edition, diseases); err != nil {
		return nil, err
	}
	return build(edition, diseases), nil
}

// readDisease reads what Disease.append wrote.
func readDisease(d *cbor.Decoder) Disease {
	d.Array(8)
	row := Disease{List: int(d.UintMax(maxList)), Number: int(d.UintMax(maxNumber)), ZH: readTexts(d), EN: readTexts(d)}
	for range d.ArrayMax(maxNames) {
		d.Array(2)
		row.ORPHA = append(row.ORPHA, Code{ID: d.Text(maxTextBytes), Relation: Relation(d.Text(maxTextBytes))})
	}
	row.OMIM, row.ICD10, row.ICD10Edition = readTexts(d), readTexts(d), d.Text(maxTextBytes)
	return row
}

func readTexts(d *cbor.Decoder) (texts []string) {
	for range d.ArrayMax(maxNames) {
		texts = append(texts, d.Text(maxTextBytes))
	}
	return texts
}

// check holds a table to what the look-ups rely on.
func check(edition string, diseases []Disease) error {
	if !editionName.MatchString(edition) {
		return fmt.Errorf("%w: edition %q: use 1 to 64 of a-z 0-9 + . / -", ErrTable, edition)
	}
	if len(diseases) == 0 || len(diseases) > maxRows {
		return fmt.Errorf("%w: %d rows, want 1 to %d", ErrTable, len(diseases), maxRows)
	}
	for i := range diseases {
		d := &diseases[i]
		if why := d.wrong(); why != "" {
			return fmt.Errorf("%w: row %s: %s", ErrTable, d.Ref(), why)
		}
		if i > 0 && compare(&diseases[i-1], d) >= 0 {
			return fmt.Errorf("%w: row %s comes after %s: rows ascend by list and number, each once", ErrTable, d.Ref(), diseases[i-1].Ref())
		}
	}
	return nil
}

// compare orders rows as the lists do.
func compare(a, b *Disease) int {
	return cmp.Or(cmp.Compare(a.List, b.List), cmp.Compare(a.Number, b.Number))
}

// wrong says what is wrong with a row, or nothing.
func (d *Disease) wrong() string {
	switch {
	case d.List < 1 || d.List > maxList || d.Number < 1 || d.Number > maxNumber:
		return fmt.Sprintf("lists are 1 to %d, numbers 1 to %d", maxList, maxNumber)
	case len(d.ZH) == 0:
		return "it has no Chinese name"
	case max(len(d.ZH), len(d.EN), len(d.ORPHA), len(d.OMIM), len(d.ICD10)) > maxNames:
		return fmt.Sprintf("at most %d names and codes of a kind", maxNames)
	case !slices.Contains(icdEditions, d.ICD10Edition):
		return fmt.Sprintf("ICD-10 edition %q", d.ICD10Edition)
	}
	for _, name := range slices.Concat(d.ZH, d.EN) {
		if name == "" || len(name) > maxTextBytes || !utf8.ValidString(name) || nameKey(name) == "" || strings.ContainsFunc(name, isControl) {
			return fmt.Sprintf("name %q", name)
		}
	}
	for _, c := range d.ORPHA {
		if !stored(c.ID, ORPHA) || !slices.Contains(relations, c.Relation) {
			return fmt.Sprintf("ORPHA code %q, %q", c.ID, string(c.Relation))
		}
	}
	for _, id := range d.OMIM {
		if !stored(id, OMIM, OMIMPS) {
			return fmt.Sprintf("OMIM number %q", id)
		}
	}
	for _, id := range d.ICD10 {
		if !stored(id, ICD10) {
			return fmt.Sprintf("ICD-10 code %q", id)
		}
	}
	return ""
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// stored reports whether a code of one of the systems stands in its stored form.
func stored(code string, systems ...System) bool {
	id, ok := read(code, systems...)
	return ok && id == code
}

// ReadTable makes an edition from a CSV file in UTF-8 with the headings list,
// number, zh, en, orpha, relation, omim, icd10 and icd10_edition; several names
// are joined with "; ", several codes with a space. The error is ErrTable, or the
// reader's.
func ReadTable(edition string, r io.Reader) (*Catalog, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read table: %w", err)
	}
	if len(raw) > MaxFileBytes {
		return nil, fmt.Errorf("%w: above %d bytes", ErrTable, MaxFileBytes)
	}
	diseases, err := parse(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrTable, err)
	}
	if err := check(edition, diseases); err != nil { // by row, which people understand
		return nil, err
	}
	return Parse(marshal(edition, diseases))
}

var tableHeadings = strings.Fields("list number zh en orpha relation omim icd10 icd10_edition")

// parse reads the rows of a table.
func parse(table io.Reader) ([]Disease, error) {
	r := csv.NewReader(table)
	r.FieldsPerRecord = len(tableHeadings)
	head, err := r.Read()
	if err != nil || !slices.Equal(head, tableHeadings) {
		return nil, fmt.Errorf("its headings are not %s: %v", strings.Join(tableHeadings, ","), err)
	}
	rows, err := r.ReadAll()
	if err != nil {
		return nil, err
	}
	diseases := make([]Disease, len(rows))
	for i, row := range rows {
		if diseases[i], err = parseRow(row); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
	}
	return diseases, nil
}

// WriteTable writes the CSV file that [ReadTable] reads. A row whose ORPHA codes
// relate to it in several ways has no place in one.
func (c *Catalog) WriteTable(w io.Writer) error {
	out := csv.NewWriter(w)
	rows := [][]string{tableHeadings}
	for i := range c.diseases {
		row, err := c.diseases[i].line()
		if err != nil {
			return fmt.Errorf("write table: row %s: %w", c.diseases[i].Ref(), err)
		}
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}

func (d *Disease) line() ([]string, error) {
	var codes []string
	relation := Relation("")
	for i, c := range d.ORPHA {
		if i > 0 && c.Relation != relation {
			return nil, fmt.Errorf("its ORPHA codes are %q and %q", string(relation), string(c.Relation))
		}
		relation = c.Relation
		codes = append(codes, strings.TrimPrefix(c.ID, string(ORPHA)+":"))
	}
	return []string{
		strconv.Itoa(d.List), strconv.Itoa(d.Number), strings.Join(d.ZH, "; "), strings.Join(d.EN, "; "), strings.Join(codes, " "),
		string(relation), strings.Join(d.OMIM, " "), strings.Join(d.ICD10, " "), d.ICD10Edition,
	}, nil
}

// hash returns SHA-256 of the table as Marshal writes it.
func hash(edition string, diseases []Disease) [sha256.Size]byte {
	return sha256.Sum256(marshal(edition, diseases))
}
