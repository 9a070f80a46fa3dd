package table

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/xuri/excelize/v2"
)

const benchRows = 100_000

// benchBook is a table of 100,000 registrations, as excelize streams it.
func benchBook(b *testing.B) []byte {
	b.Helper()
	f := excelize.NewFile()
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		b.Fatal(err)
	}
	heads := []any{"病案号", "证件号码", "性别", "出生日期", "居住省份", "科室", "疾病名称", "目录编号", "诊断日期", "起病", "生存状态", "表型"}
	for i := range benchRows + 1 {
		row := heads
		if i > 0 {
			row = []any{
				fmt.Sprintf("B%07d", i), fmt.Sprintf("11010519900307%04d", i%10_000), "男", "1990-03-07", "广东", "肾内科", "法布雷病", "1.27",
				43957 + i%1000, "8岁", "存活", "HP:0000093；HP:0001250",
			}
		}
		cell, _ := excelize.CoordinatesToCellName(1, i+1)
		if err := w.SetRow(cell, row); err != nil {
			b.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Write(&out); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkXLSX reads 100,000 rows, and with the library's own streaming reader
// beside it.
func BenchmarkXLSX(b *testing.B) {
	raw := benchBook(b)
	count := func(b *testing.B, read func() int) {
		b.ReportAllocs()
		for b.Loop() {
			if n := read(); n != benchRows+1 {
				b.Fatalf("%d rows", n)
			}
		}
		b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	}
	b.Run("ours", func(b *testing.B) {
		count(b, func() (n int) {
			book, err := Open("f", raw, Limits{})
			if err != nil {
				b.Fatal(err)
			}
			rows, err := book.Sheets()[0].Rows()
			if err != nil {
				b.Fatal(err)
			}
			for range rows.All() {
				n++
			}
			if rows.Err() != nil {
				b.Fatal(rows.Err())
			}
			return n
		})
	})
	b.Run("excelize", func(b *testing.B) {
		count(b, func() (n int) {
			f, err := excelize.OpenReader(bytes.NewReader(raw))
			if err != nil {
				b.Fatal(err)
			}
			rows, err := f.Rows("Sheet1")
			if err != nil {
				b.Fatal(err)
			}
			for rows.Next() {
				if _, err := rows.Columns(excelize.Options{RawCellValue: true}); err != nil {
					b.Fatal(err)
				}
				n++
			}
			_ = rows.Close()
			return n
		})
	})
}
