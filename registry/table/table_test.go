package table

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"github.com/raresync/raresync/registry/rule"
)

// lines reads a file as its rows: "2: a|b", with the kind of a cell that is no
// text behind it.
func lines(t *testing.T, raw []byte) ([]string, error) {
	t.Helper()
	book, err := Open("f", raw, Limits{})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range book.Sheets() {
		rows, err := s.Rows()
		if err != nil {
			return out, err
		}
		for row := range rows.All() {
			var cells []string
			for _, c := range row.Cells {
				cells = append(cells, c.Text+strings.Repeat("'", int(c.Kind)))
			}
			out = append(out, fmt.Sprintf("%d: %s", row.Number, strings.Join(cells, "|")))
		}
		if err := rows.Err(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func refusedBy(err error) string {
	var r *rule.Refusal
	if errors.As(err, &r) {
		return r.Code()
	}
	return fmt.Sprint(err)
}

func gb18030(t *testing.T, text string) []byte {
	t.Helper()
	raw, err := EncodeGB18030(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func utf16Of(text string, high int, mark bool) []byte {
	var raw []byte
	units := utf16.Encode([]rune(text))
	if mark {
		units = append([]uint16{0xfeff}, units...)
	}
	for _, u := range units {
		pair := [2]byte{}
		pair[high], pair[1-high] = byte(u>>8), byte(u)
		raw = append(raw, pair[:]...)
	}
	return raw
}

const sample = "病案号,姓名,诊断\r\nB1,慕容晓峰,\"法布雷病,\r\n肾型\"\r\n\r\nB2,𠮷田,㐀䶵\r\n"

func TestOneTableInEveryEncoding(t *testing.T) {
	want := []string{"1: 病案号|姓名|诊断", "2: B1|慕容晓峰|法布雷病,\n肾型", "4: B2|𠮷田|㐀䶵"}
	tabs := strings.ReplaceAll(strings.ReplaceAll(sample, "\"法布雷病,\r\n肾型\"", "X"), ",", "\t")
	wantTabs := []string{want[0], "2: B1|慕容晓峰|X", want[2]}
	for name, tc := range map[string]struct {
		raw      []byte
		encoding string
		want     []string
	}{
		"UTF-8":               {[]byte(sample), UTF8, want},
		"UTF-8 with its mark": {[]byte("\ufeff" + sample), UTF8, want},
		"GB 18030":            {gb18030(t, sample), GB18030, want},
		"GB 18030 with mark":  {gb18030(t, "\ufeff"+sample), GB18030, want},
		"UTF-16LE with mark":  {utf16Of(sample, 1, true), UTF16LE, want},
		"UTF-16BE with mark":  {utf16Of(sample, 0, true), UTF16BE, want},
		"UTF-16LE":            {utf16Of(sample, 1, false), UTF16LE, want},
		"UTF-16BE":            {utf16Of(sample, 0, false), UTF16BE, want},
		"tabs":                {[]byte(tabs), UTF8, wantTabs},
		"tabs in UTF-16":      {utf16Of(tabs, 1, true), UTF16LE, wantTabs},
	} {
		got, err := lines(t, tc.raw)
		book, opening := Open("f", tc.raw, Limits{})
		if err != nil || opening != nil || !slices.Equal(got, tc.want) || book.Encoding != tc.encoding {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestWhatNoEncodingHasIsPlaced(t *testing.T) {
	text := []byte(sample)
	for name, tc := range map[string]struct {
		raw  []byte
		want string
	}{
		"a damaged byte in UTF-8":     {bytes.Replace(text, []byte("晓"), []byte("\xe6\x99 "), 1), "byte 34, line 2: not UTF-8"},
		"a cut character in GB 18030": {append(gb18030(t, sample), 0xb7), "byte 71, line 6: not GB18030"},
		"bytes that GB 18030 lacks":   {append(gb18030(t, "姓名,诊断\n"), 0xff, 0xff, '\n'), "byte 10, line 2: not GB18030"},
		"half a unit in UTF-16":       {append(utf16Of(sample, 1, true), 0x41), "byte 92, line 6: not UTF-16LE"},
		"a lone surrogate":            {append(utf16Of("a,b\n", 1, true), 0x00, 0xd8, 0x41, 0x00), "byte 10, line 2: not UTF-16LE"},
		"a zero byte":                 {[]byte("a,b\nc,\x00d\n" + strings.Repeat("e,f\n", 99)), "byte 6, line 2: not UTF-8"},
	} {
		_, err := lines(t, tc.raw)
		if refusedBy(err) != "FM001" || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %s", name, err, tc.want)
		}
	}
}

// book writes a workbook with excelize, which knows what spreadsheets write.
func book(t *testing.T, fill func(f *excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var out bytes.Buffer
	if err := f.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestAWorkbookTellsNumbersFromText(t *testing.T) {
	raw := book(t, func(f *excelize.File) {
		day, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		must(t, err)
		custom := `yyyy"年"m"月"d"日"`
		chinese, err := f.NewStyle(&excelize.Style{CustomNumFmt: &custom})
		must(t, err)
		must(t,
			f.SetCellStr("Sheet1", "A2", "110105199003077475"), f.SetCellFloat("Sheet1", "B2", 110105199003077475, -1, 64),
			f.SetCellInt("Sheet1", "C2", 44931), f.SetCellInt("Sheet1", "D2", 44931), f.SetCellStyle("Sheet1", "D2", "D2", day),
			f.SetCellInt("Sheet1", "E2", 45292), f.SetCellStyle("Sheet1", "E2", "E2", chinese),
			f.SetCellBool("Sheet1", "F2", true), f.SetCellStr("Sheet1", "H2", " a\r\nb<&> "),
			f.SetCellFloat("Sheet1", "A4", 1.5, -1, 64), f.SetCellFormula("Sheet1", "B4", "1/0"),
		)
	})
	want := []string{"2: 110105199003077475|110105199003077470'|44931'|2023-01-05''|2024-01-01''|TRUE||a\r\nb<&>", "4: 1.5'|'''"}
	if got, err := lines(t, raw); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
}

func TestSeveralSheetsAndHiddenOnes(t *testing.T) {
	raw := book(t, func(f *excelize.File) {
		_, err := f.NewSheet("病例")
		must(t, err, f.SetCellStr("病例", "B3", "x"))
		_, err = f.NewSheet("hidden")
		must(t, err, f.SetSheetVisible("hidden", false))
	})
	b, err := Open("f", raw, Limits{})
	must(t, err)
	var got []string
	for _, s := range b.Sheets() {
		got = append(got, fmt.Sprint(s.Name, s.Hidden))
	}
	if want := []string{"Sheet1false", "病例false", "hiddentrue"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatIsNoTableIsNamed(t *testing.T) {
	for name, tc := range map[string]struct{ raw, rule, says string }{
		"an old workbook":   {oleMagic + strings.Repeat("\x00", 512), "FM007", ".xls"},
		"a web page":        {"<html><table><tr><td>1</td></tr></table></html>", "FM007", "web page"},
		"a page in UTF-16":  {string(utf16Of("<html><table>", 1, true)), "FM007", "web page"},
		"XML of Excel 2003": {`<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">`, "FM007", "Excel 2003"},
		"a PDF":             {"%PDF-1.7", "FM007", "PDF"},
		"nothing":           {"", "FM007", "empty"},
		"a cut archive":     {zipMagic + "abc", "FM007", "copied completely"},
	} {
		_, err := lines(t, []byte(tc.raw))
		if refusedBy(err) != tc.rule || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: got %v", name, err)
		}
		if !Is([]byte(tc.raw)) {
			t.Errorf("%s would go to another reader", name)
		}
	}
	if Is([]byte(" {\"id\": 1}")) || Is([]byte("\ufeff[1]")) {
		t.Error("JSON is taken for a table")
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rows := [][]string{{"病案号", "公式"}, {"110105199003077475", "=1+1"}, {"11010519491231002X", "-x"}, {"00123", "a\"b,c\nd"}}
	want := []string{"1: 病案号|公式", "2: 110105199003077475|=1+1", "3: 11010519491231002X|-x", "4: 00123|a\"b,c\nd"}
	got, err := lines(t, Write(rows))
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("CSV: got %q, %v", got, err)
	}
	if raw := Write(rows); bytes.Contains(raw, []byte(",=")) || bytes.Contains(raw, []byte(",-")) {
		t.Errorf("a spreadsheet would compute this: %s", raw)
	}
	raw, err := WriteBook([]Draft{{Name: "登记", Rows: rows, Choices: map[int][]string{1: {"有", "无"}}}, {Name: "说明", Rows: rows[:1]}})
	must(t, err)
	got, err = lines(t, raw)
	if err != nil || !slices.Equal(got, append(want, want[0])) {
		t.Errorf("XLSX: got %q, %v", got, err)
	}
}
