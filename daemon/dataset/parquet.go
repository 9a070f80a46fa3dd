package dataset

import (
	"io"
	"slices"
	"strconv"

	"github.com/parquet-go/parquet-go"
)

// batchRows are written to Parquet at a time, and groupRows make a row group.
const (
	batchRows = 512
	groupRows = 128 << 10
)

// parquet writes a Parquet file. Its columns stand in the order of their names; a
// cell that says nothing is null.
func (s *Set) parquet(w io.Writer) error {
	columns := slices.Sorted(slices.Values(Columns(s.Genetics)))
	group := parquet.Group{}
	for _, c := range columns {
		if isNumber(c) {
			group[c] = parquet.Uint(64)
			continue
		}
		text := parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
		if c == "person" {
			text = parquet.String() // each another
		}
		group[c] = parquet.Optional(text)
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("registration", group),
		parquet.Compression(&parquet.Snappy), parquet.CreatedBy("raresync", "1", ""), parquet.MaxRowsPerRowGroup(groupRows))
	rows := make([]parquet.Row, 0, batchRows)
	for i := range s.Rows {
		cells := s.cells(&s.Rows[i])
		row := make(parquet.Row, len(columns))
		for at, c := range columns {
			v := cells[c]
			switch {
			case isNumber(c):
				n, err := strconv.ParseUint(v, 10, 64)
				if err != nil {
					return err
				}
				row[at] = parquet.ValueOf(n).Level(0, 0, at)
			case v == "":
				row[at] = parquet.NullValue().Level(0, 0, at)
			default:
				row[at] = parquet.ByteArrayValue([]byte(v)).Level(0, 1, at)
			}
		}
		if rows = append(rows, row); len(rows) == batchRows {
			if _, err := out.WriteRows(rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	if _, err := out.WriteRows(rows); err != nil {
		return err
	}
	return out.Close()
}
