package dataset

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/raresync/raresync/registry/entry"
)

// made is a set of n rows; hostile is the text of a disease and of a hospital's name.
func made(n int, hostile string) *Set {
	s := &Set{Genetics: true, of: func(uint32) Hospital { return Hospital{Name: hostile, Province: "31"} }}
	for i := range n {
		e := entry.Entry{Type: entry.TypeCase, ID: [32]byte{byte(i)}, Facts: entry.Blank(entry.TypeCase), EventDate: entry.Date{Year: 2020, Month: 5, Day: uint8(1 + i%28)}}
		e.Case.Sex, e.Case.Birth, e.Case.Life.Status = entry.SexFemale, entry.Date{Year: 1990, Month: 3}, entry.Alive
		e.Case.Diseases = []entry.Disease{{Text: hostile, Codes: []string{"ORPHA:324"}}}
		r := Row{Index: uint64(i * 3), Day: "2026-11-01", Hospital: uint32(1 + i%7), Person: fmt.Sprintf("%032x", i/2), Case: e}
		if i%2 == 1 {
			g := entry.Entry{Type: entry.TypeGenetics, Facts: entry.Blank(entry.TypeGenetics)}
			g.Genetics.Test, g.Genetics.Lab = entry.TestExome, "lab"
			r.Genetics = &g
		}
		s.Rows = append(s.Rows, r)
	}
	return s
}

func written(t testing.TB, s *Set, form, file string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(form, file, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEveryFormSaysTheSameRowsTwiceTheSame(t *testing.T) {
	for _, hostile := range []string{"=HYPERLINK(\"http://x\")", "<script>alert(1)</script>", "\u202eevil, \"quoted\"\r\nline", "𠮷野家 𲎯", "＝1+1", "\t@SUM(A1)"} {
		s := made(10, hostile)
		for _, form := range Forms() {
			for _, file := range Files(form) {
				if a, b := written(t, s, form, file), written(t, s, form, file); !bytes.Equal(a, b) {
					t.Errorf("%s differs from itself", file)
				}
			}
		}
		table := written(t, s, "csv", "registrations.csv")
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(table, []byte("\ufeff")))).ReadAll()
		if err != nil || len(rows) != 11 || !slices.Equal(rows[0], Columns(true)) {
			t.Fatalf("%q: %d rows, %v", hostile, len(rows), err)
		}
		for _, cell := range rows[1] {
			if bare := strings.TrimSpace(cell); bare != "" && strings.ContainsAny(bare[:1], "=+-@") {
				t.Errorf("a cell that a spreadsheet computes: %q", cell)
			}
		}
		at := slices.Index(rows[0], "disease")
		for i, line := range strings.SplitAfter(strings.TrimSuffix(string(written(t, s, "ndjson", "registrations.ndjson")), "\n"), "\n") {
			var row map[string]any
			if err := json.Unmarshal([]byte(line), &row); err != nil || row["disease"] != hostile || row["index"] != float64(i*3) || row["person"] != s.Rows[i].Person {
				t.Errorf("line %d: %v, %v", i, row["disease"], err)
			}
		}
		if got := strings.TrimPrefix(rows[1][at], "'"); got != strings.ReplaceAll(hostile, "\r\n", "\n") {
			t.Errorf("CSV says %q of %q", got, hostile)
		}
		file := written(t, s, "parquet", "registrations.parquet")
		got := fromParquet(t, file)
		if len(got) != 10 || got[3]["disease"] != hostile || got[3]["index"] != "9" || got[3]["test_lab"] != "lab" || got[2]["test_lab"] != "" {
			t.Errorf("Parquet says %v", got)
		}
		if n := bytes.Count(written(t, s, "fhir", "patients.fhir.ndjson"), []byte("\n")); n != 5 {
			t.Errorf("%d Patients of 5 persons", n)
		}
		if n := bytes.Count(written(t, s, "phenopackets", "phenopackets.ndjson"), []byte("\n")); n != 10 {
			t.Errorf("%d phenopackets", n)
		}
	}
	var none bytes.Buffer
	if err := made(1, "x").Write("xlsx", "registrations.xlsx", &none); !errors.Is(err, ErrForm) || Files("xlsx") != nil {
		t.Errorf("an unknown form: %v", err)
	}
}

// fromParquet reads a file by its columns' names.
func fromParquet(t testing.TB, file []byte) (out []map[string]string) {
	t.Helper()
	r := parquet.NewReader(bytes.NewReader(file))
	defer r.Close()
	columns := r.Schema().Columns()
	rows := make([]parquet.Row, 4)
	for {
		n, err := r.ReadRows(rows)
		for _, row := range rows[:n] {
			one := map[string]string{}
			for _, v := range row {
				if !v.IsNull() {
					one[columns[v.Column()][0]] = v.String()
				}
			}
			out = append(out, one)
		}
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWithoutTheRightNothingGeneticHasAColumn(t *testing.T) {
	s := made(4, "x")
	s.Genetics = false
	for i := range s.Rows {
		s.Rows[i].Genetics = nil
	}
	for _, form := range []string{"csv", "ndjson", "parquet"} {
		if file := written(t, s, form, Files(form)[0]); bytes.Contains(file, []byte("hgvs")) || bytes.Contains(file, []byte("test_lab")) {
			t.Errorf("%s has genetic columns", form)
		}
	}
}

func BenchmarkParquet(b *testing.B) {
	s := made(50_000, "Fabry disease")
	b.ResetTimer()
	for b.Loop() {
		if err := s.Write("parquet", "registrations.parquet", io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(s.Rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
}
