package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// third is a row of a list that there is not: data of this test.
const third = "3,1,测试病甲,Test disease A; TDA,999001 999002,narrower,OMIM:999001,Z99.9,who\n"

func TestAnEnlargedTableIsAnEditionBesideTheOld(t *testing.T) {
	c, err := ReadTable("test-2026/1", strings.NewReader("\ufeff"+tableCSV+third))
	if err != nil {
		t.Fatal(err)
	}
	d, ok := c.ByNumber(3, 1)
	if !ok || d.ZH[0] != "测试病甲" || len(d.ORPHA) != 2 || d.ORPHA[1] != (Code{"ORPHA:999002", Narrower}) || len(d.EN) != 2 {
		t.Fatalf("row 3.1 is %+v", d)
	}
	if m := c.Resolve(Query{ORPHA: "999002"}); len(m.Diseases) != 1 || m.Diseases[0] != d {
		t.Errorf("its code leads to %+v", m)
	}
	if Current().Resolve(Query{ORPHA: "999002"}).Found() || len(c.All()) != len(Current().All())+1 {
		t.Error("the editions have each other's rows")
	}
	again, err := Parse(c.Marshal())
	if err != nil || again.Hash() != c.Hash() || again.Edition() != "test-2026/1" || !bytes.Equal(again.Marshal(), c.Marshal()) {
		t.Errorf("read back as %v, %v", again, err)
	}
	var file strings.Builder
	if err := c.WriteTable(&file); err != nil || file.String() != tableCSV+third {
		t.Errorf("written as a file of %d bytes, %v; want %d", file.Len(), err, len(tableCSV+third))
	}
	if own, err := Parse(Current().Marshal()); err != nil || own.Hash() != Current().Hash() {
		t.Errorf("the table of this program: %v", err)
	}
}

func TestTablesThatNoEditionCanBeAreRefusedByName(t *testing.T) {
	const heads = "list,number,zh,en,orpha,relation,omim,icd10,icd10_edition\n"
	rows := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d,%d,病,,,,,,\n", 1+i/maxNumber, 1+i%maxNumber)
		}
		return b.String()
	}
	for name, tc := range map[string]struct{ edition, table, want string }{
		"without headings":         {"e", third, "headings are not list,number"},
		"without rows":             {"e", heads, "0 rows"},
		"of no edition":            {"", heads + third, `edition ""`},
		"of an edition in capital": {"CN", heads + third, `edition "CN"`},
		"with a row twice":         {"e", heads + third + third, "row 3.1 comes after 3.1"},
		"in another order":         {"e", heads + third + "2,1,病,,,,,,\n", "row 2.1 comes after 3.1"},
		"with list 0":              {"e", heads + "0,1,病,,,,,,\n", "lists are 1 to 9"},
		"with list 10":             {"e", heads + "10,1,病,,,,,,\n", "row 10.1: lists are 1 to 9"},
		"with a list of no number": {"e", heads + "x,1,病,,,,,,\n", `line 2: list "x"`},
		"with a negative number":   {"e", heads + "1,-1,病,,,,,,\n", `number "-1"`},
		"without a Chinese name":   {"e", heads + "1,1,,A,,,,,\n", "no Chinese name"},
		"with an empty synonym":    {"e", heads + "1,1,病; ,A,,,,,\n", `name ""`},
		"with a long name":         {"e", heads + "1,1," + strings.Repeat("病", 86) + ",,,,,,\n", "row 1.1: name"},
		"with many names":          {"e", heads + "1,1,病" + strings.Repeat("; a", maxNames) + ",,,,,,\n", "at most 32 names"},
		"with no ORPHA code":       {"e", heads + "1,1,病,,x1,exact,,,\n", `ORPHA code "ORPHA:x1"`},
		"with no relation":         {"e", heads + "1,1,病,,558,same,,,\n", `"same"`},
		"with no OMIM number":      {"e", heads + "1,1,病,,,,154700,,\n", `OMIM number "154700"`},
		"with no ICD-10 code":      {"e", heads + "1,1,病,,,,,q87.4,who\n", `ICD-10 code "q87.4"`},
		"of no ICD-10 edition":     {"e", heads + "1,1,病,,,,,Q87.4,11\n", `ICD-10 edition "11"`},
		"of too many rows":         {"e", heads + rows(maxRows+1), "4097 rows"},
		"of too many bytes":        {"e", heads + strings.Repeat(" ", MaxFileBytes), "above 196608 bytes"},
		"of a field too few":       {"e", heads + "1,1,病,,,,,\n", "wrong number of fields"},
	} {
		_, err := ReadTable(tc.edition, strings.NewReader(tc.table))
		if !errors.Is(err, ErrTable) || !strings.Contains(fmt.Sprint(err), tc.want) {
			t.Errorf("%s: got %.200v, want %s", name, err, tc.want)
		}
	}
	if _, err := Parse(make([]byte, MaxTableBytes+1)); !errors.Is(err, ErrTable) {
		t.Errorf("a table a byte too large: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	small, err := ReadTable("e", strings.NewReader(strings.Join(tableHeadings, ",")+"\n"+third))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small.Marshal())
	f.Add([]byte{0x83, 0x60})
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := Parse(in)
		if err != nil {
			return
		}
		if !bytes.Equal(c.Marshal(), in) {
			t.Errorf("%x encodes back to %x", in, c.Marshal())
		}
		for _, d := range c.All()[:min(len(c.All()), 4)] { // no look-up panics, whatever is in the table
			c.Resolve(Query{List: d.List, Number: d.Number, Name: d.ZH[0]})
			c.Search(d.ZH[0])
		}
	})
}
