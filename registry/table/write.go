package table

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/xuri/excelize/v2"
)

// Write writes a table as CSV for a spreadsheet: UTF-8 with its mark, lines
// that end in CR LF, and no cell that a spreadsheet would take for a formula.
func Write(rows [][]string) []byte { return write(rows, Harmless) }

// WriteUpload is Write for a table that a program takes: long numbers stand as they are.
func WriteUpload(rows [][]string) []byte { return write(rows, noFormula) }

func write(rows [][]string, cell func(string) string) []byte {
	var out bytes.Buffer
	out.WriteString("\ufeff")
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = cell(c)
		}
		_ = w.Write(cells) // into memory
	}
	w.Flush()
	return out.Bytes()
}

// Harmless puts an apostrophe before a text that a spreadsheet would take for a
// formula, and before a number that it would round: Open takes it away again.
func Harmless(cell string) string {
	if len(cell) > 11 && strings.Trim(cell, "0123456789") == "" {
		return "'" + cell
	}
	return noFormula(cell)
}

func noFormula(cell string) string {
	if len(cell) > 1 && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// A Draft is a sheet to be written.
type Draft struct {
	Name string
	Rows [][]string
	// Widths are the columns' in characters; of those beyond it is the usual.
	Widths []float64
	// Choices are the words of which a cell of a column, from 0, is to hold one.
	Choices map[int][]string
	// Prompts are what a spreadsheet shows beside a cell of the column.
	Prompts map[int]string
}

// maxChoiceBytes is how long a spreadsheet lets a list of words be; a longer
// one is left out.
const maxChoiceBytes = 255

// maxFilled is how many rows of a sheet get the columns' choices.
const maxFilled = 10_000

// WriteBook writes sheets as an XLSX file. All cells are text, also those that
// a person fills in later, so that no number is rounded; the first row of each
// is bold and stays in sight.
func WriteBook(sheets []Draft) ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	for i, s := range sheets {
		if err := addSheet(f, i, s); err != nil {
			return nil, fmt.Errorf("write sheet %s: %w", s.Name, err)
		}
	}
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		return nil, fmt.Errorf("write workbook: %w", err)
	}
	return out.Bytes(), nil
}

func addSheet(f *excelize.File, i int, s Draft) error {
	var err error
	if i == 0 {
		err = f.SetSheetName("Sheet1", s.Name)
	} else {
		_, err = f.NewSheet(s.Name)
	}
	if err != nil {
		return err
	}
	const text = 49 // the built-in format "@"
	plain, err := f.NewStyle(&excelize.Style{NumFmt: text, Alignment: &excelize.Alignment{Vertical: "top", WrapText: i > 0}})
	if err != nil {
		return err
	}
	bold, err := f.NewStyle(&excelize.Style{NumFmt: text, Font: &excelize.Font{Bold: true}})
	if err != nil {
		return err
	}
	columns := len(s.Rows[0])
	if err := f.SetColStyle(s.Name, "A:"+ColumnName(columns), plain); err != nil {
		return err
	}
	for n, row := range s.Rows {
		for c, cell := range row {
			if err := f.SetCellStr(s.Name, fmt.Sprint(ColumnName(c+1), n+1), cell); err != nil {
				return err
			}
		}
	}
	if err := f.SetCellStyle(s.Name, "A1", ColumnName(columns)+"1", bold); err != nil {
		return err
	}
	if err := f.SetPanes(s.Name, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	for c := range columns {
		width := 16.0
		if c < len(s.Widths) {
			width = s.Widths[c]
		}
		if err := f.SetColWidth(s.Name, ColumnName(c+1), ColumnName(c+1), width); err != nil {
			return err
		}
		if err := addChoices(f, s, c); err != nil {
			return err
		}
	}
	return nil
}

func addChoices(f *excelize.File, s Draft, column int) error {
	words, prompt := s.Choices[column], s.Prompts[column]
	if len(words) == 0 && prompt == "" {
		return nil
	}
	v := excelize.NewDataValidation(true)
	v.Sqref = fmt.Sprintf("%[1]s2:%[1]s%[2]d", ColumnName(column+1), maxFilled)
	if prompt != "" {
		v.SetInput(s.Rows[0][column], prompt)
	}
	if len(words) > 0 && len(strings.Join(words, ",")) <= maxChoiceBytes {
		if err := v.SetDropList(words); err != nil {
			return err
		}
		v.ShowErrorMessage = false // other words mean the same and are read too
	}
	return f.AddDataValidation(s.Name, v)
}
