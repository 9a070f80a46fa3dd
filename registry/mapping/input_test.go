package mapping

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/table"
)

func inputPage(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "INPUT.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// pageRow is a column's row of docs/INPUT.md.
func pageRow(c Column) string {
	need, holds := "", c.Help.EN
	if c.Required {
		need = "yes"
	}
	if len(c.Allowed) > 0 && c.Key != "province" {
		var words []string
		for _, w := range c.Allowed {
			words = append(words, fmt.Sprintf("%s `%s`", w.ZH, w.EN))
		}
		holds = strings.TrimPrefix(holds+"; "+strings.Join(words, ", "), "; ")
	}
	return strings.ReplaceAll(fmt.Sprintf("| `%s` | %s | %s | %s | %s | %s |", c.Key, c.Heading.ZH, c.Heading.EN, holds, c.Sample, need), "  ", " ")
}

func TestThePageListsEveryColumn(t *testing.T) {
	page := inputPage(t)
	for _, c := range Columns() {
		if row := pageRow(c); !strings.Contains(page, row+"\n") {
			t.Errorf("docs/INPUT.md lacks\n%s", row)
		}
	}
}

// The page's table and its profile are read as it says.
func TestTheSamplesOfThePageAreRead(t *testing.T) {
	page := inputPage(t)
	block := func(opening string) string {
		_, rest, ok := strings.Cut(page, opening)
		text, _, closed := strings.Cut(rest, "```")
		if !ok || !closed {
			t.Fatalf("docs/INPUT.md has no %q", opening)
		}
		return text
	}
	for name, p := range map[string]*Profile{"```csv\n病案号": nil, "```csv\nXH": nil} {
		text := strings.TrimPrefix(name, "```csv\n") + block(name)
		if strings.HasPrefix(text, "XH") {
			var err error
			if p, err = Parse("own", block("```toml\n")); err != nil {
				t.Fatal(err)
			}
		}
		all, found, r := patients(t, p, text)
		if len(all) == 0 || len(found) > 0 || r.Err() != nil {
			t.Errorf("%s: %d patients, %q, %v", name, len(all), found, r.Err())
		}
	}
}

// Whatever stands in the cells, a patient's packet is one phenopacket or has a
// finding that refuses, and what is found has its place in the table.
func FuzzRow(f *testing.F) {
	for _, c := range Columns() {
		f.Add(c.Sample, "无", "2020-01-02")
	}
	f.Add("=1+1", "\x00", "1.法布雷病；2.戈谢病")
	p, _ := ShippedProfile("template")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		raw := table.Write([][]string{headings("zh"), repeated(len(Columns()), a, b, c)})
		book, err := table.Open("f", raw, table.Limits{})
		if err != nil {
			return
		}
		r := p.Reader("f", book)
		for one := range r.All() {
			packets, err := phenopacket.Read("", bytes.NewReader(one.Packet), phenopacket.Limits{})
			if err == nil && len(packets) != 1 {
				t.Fatalf("%d packets", len(packets))
			}
			for _, f := range one.Findings {
				if f.Place.Row != 2 {
					t.Fatalf("%v is at %v", f.Code, f.Place)
				}
			}
			if err != nil && one.Subject != "" && !strings.Contains(err.Error(), "PP00") {
				t.Fatalf("the packet is none: %v", err)
			}
		}
	})
}

// FuzzTable reads any file in any shipped profile: what comes of a patient is one
// phenopacket or has a finding that refuses.
func FuzzTable(f *testing.F) {
	for _, p := range Shipped() {
		heads := p.Headings()
		f.Add(p.Name, table.Write([][]string{heads, repeated(len(heads), "1", "2020-01-02", "snomed_8116006")}))
		f.Add(p.Name, table.Write([][]string{{"", "x"}, heads, heads, repeated(len(heads), "", "E11.9", "合计")}))
	}
	f.Add("rarelink", []byte("record_id,redcap_repeat_instrument,redcap_repeat_instance,snomedct_422549004\n1,,,x\n1,rarelink_4_care_pathway,1,\n"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		p, ok := ShippedProfile(name)
		book, err := table.Open("f", raw, table.Limits{Bytes: 1 << 20, UnpackedBytes: 1 << 20})
		if !ok || err != nil {
			return
		}
		for one := range p.Reader("f", book).All() {
			packets, err := phenopacket.Read("", bytes.NewReader(one.Packet), phenopacket.Limits{})
			if !Refuses(one.Findings) && (err != nil || len(packets) != 1) {
				t.Fatalf("rows %v: %d packets, %v", one.Rows, len(packets), err)
			}
		}
	})
}

// FuzzProfile reads any text as a profile. One without an error reads a table.
func FuzzProfile(f *testing.F) {
	for _, name := range shippedNames {
		text, _ := ShippedText(name)
		f.Add(text)
	}
	f.Add("document = \"ric\"\n[fields.sex]\ncolumns = [\"XB\"]\ncodes = { \"1\" = \"男\" }\n[[diagnosis]]\nname = [\"ZD\"]\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse("f", text)
		if err != nil {
			return
		}
		heads := p.Headings()
		book, err := table.Open("f", table.Write([][]string{heads, repeated(len(heads), "1", "x", "2020-01-02")}), table.Limits{})
		if err != nil {
			return
		}
		for one := range p.Reader("f", book).All() {
			if len(one.Rows) == 0 {
				t.Fatal("a patient of no row")
			}
		}
	})
}

func repeated(n int, texts ...string) (row []string) {
	for i := range n {
		row = append(row, texts[i%len(texts)])
	}
	return row
}
