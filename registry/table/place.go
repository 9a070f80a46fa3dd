package table

import (
	"fmt"
	"strconv"
	"strings"
)

// A Place is where something stands in a file, as the person looks for it who
// has the file open.
type Place struct {
	File   string
	Sheet  string // "" in a CSV file
	Row    int    // from 1; 0 for the file or sheet as a whole
	Column int    // from 1; 0 for the row as a whole
	Head   string // the column's heading, if known
}

// String writes "cases.xlsx 病例!F12 诊断日期", leaving out what is not known.
func (p Place) String() string { return strings.TrimSpace(p.File + " " + p.Within()) }

// Within writes the place without the file's name.
func (p Place) Within() string {
	at := ""
	if p.Row > 0 {
		at = strconv.Itoa(p.Row)
		if p.Column > 0 {
			at = ColumnName(p.Column) + at
		}
	} else if p.Column > 0 {
		at = ColumnName(p.Column)
	}
	if p.Sheet != "" {
		at = p.Sheet + "!" + at
	}
	return strings.TrimSpace(at + " " + p.Head)
}

// ColumnName returns the letters of a column, from 1: A, Z, AA.
func ColumnName(n int) string {
	var letters []byte
	for ; n > 0; n = (n - 1) / 26 {
		letters = append([]byte{byte('A' + (n-1)%26)}, letters...)
	}
	return string(letters)
}

// columnOf reads the letters of a cell's reference such as "BC12". It returns
// 0 for what is none, or goes beyond the 16,384 columns of a sheet.
func columnOf(ref []byte) int {
	n := 0
	for i, c := range ref {
		if c < 'A' || c > 'Z' {
			if i == 0 || i > 3 {
				return 0
			}
			return n
		}
		n = n*26 + int(c-'A') + 1
		if i > 2 {
			return 0
		}
	}
	return n
}

// maxSheetColumns is how many columns a spreadsheet has.
const maxSheetColumns = 16_384

func tooMany(what string, limit int) string { return fmt.Sprintf("more than %d %s", limit, what) }
