package mapping

import (
	"slices"

	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// A RefusedRow is a row as it stands, to be mended by hand.
type RefusedRow struct {
	Number int
	Cells  []string // as many as there are headings
}

// Refused reads the rows of a sheet with certain numbers again, with its
// headings, so that they can be mended and come once more. Unless withIDs,
// document numbers and the identifying columns are masked: a row that comes
// again so is refused (ID004), until somebody has filled in the number from the
// source. The record number stays, by which the row is found there.
func (p *Profile) Refused(sheet *table.Sheet, numbers map[int]bool, withIDs bool) (heads []string, refused []RefusedRow, err error) {
	rows, err := sheet.Rows()
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	var l *layout
	for row := range rows.All() {
		if l == nil || !l.fits() {
			if l = p.lay(row); l.fits() {
				heads = l.heads
			}
			continue
		}
		if !numbers[row.Number] {
			continue
		}
		cells := make([]string, max(len(heads), len(row.Cells)))
		for i := range cells {
			if cells[i] = row.Cell(i).Text; !withIDs && l.identifies(i) {
				cells[i] = rule.Mask(cells[i])
			}
		}
		refused = append(refused, RefusedRow{row.Number, cells})
	}
	return heads, refused, rows.Err()
}

// identifies reports whether a column says who a patient is, beyond the record
// number.
func (l *layout) identifies(column int) bool {
	number, ok := l.columns["id_number"]
	return ok && column == number || slices.Contains(l.identifying, column)
}
