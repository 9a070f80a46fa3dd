package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

// hostile is what a hospital could put where a report shows a text.
var hostile = []string{
	`=cmd|' /C calc'!A1`, "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1+1", "＝1+1", "|x", "%x", "\u00a0=1", "\ufeff=1",
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "\u202Egpj.exe", "𠀀𪚥", "a,b\"c\r\nd", "x\x00y", "' or 1", "</td><td>", "{{.Title}}", "-",
}

func hostileReport() Report {
	r := Report{Name: "x", Title: same("=title"), Size: 7, Edition: "lists", Notes: []Text{same("@note")}}
	t := Table{Title: same("+table"), Columns: []Column{{Name: "w", Title: same("=w"), Kind: Word}, {Name: "n", Title: same("n"), Kind: Number}}}
	for _, h := range hostile {
		t.Rows = append(t.Rows, []Cell{word(h), number(-5)})
	}
	t.Total = []Cell{word("All"), number(1)}
	r.Tables = []Table{t}
	return r
}

func TestCSVRunsNothingInASpreadsheet(t *testing.T) {
	var b bytes.Buffer
	if err := hostileReport().CSV(&b, "en"); err != nil {
		t.Fatal(err)
	}
	raw := b.String()
	if !strings.HasPrefix(raw, "\uFEFF") || strings.Contains(strings.ReplaceAll(raw, "\r\n", ""), "\n") && !strings.Contains(raw, "c\r\nd") {
		t.Errorf("no mark, or lines that do not end in CR LF: %q", raw[:20])
	}
	reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(raw, "\uFEFF")))
	reader.FieldsPerRecord, reader.LazyQuotes = -1, false
	lines, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	cells := 0
	for _, line := range lines {
		for _, c := range line {
			cells++
			bare := strings.TrimLeft(c, " \t\r\n\u00a0\u3000\ufeff")
			if bare == "-" || c == "-5" || bare == "" {
				continue
			}
			if strings.ContainsAny(bare[:1], "=+-@|%") || strings.HasPrefix(bare, "＝") {
				t.Errorf("a cell that a spreadsheet may run: %q", c)
			}
		}
	}
	if cells < 2*len(hostile) {
		t.Errorf("only %d cells", cells)
	}
}

func TestHTMLHasNoScriptAndLoadsNothing(t *testing.T) {
	var b bytes.Buffer
	if err := hostileReport().HTML(&b, "zh"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "<img", "src=x onerror=alert(1)>", "http:", "https:", "</td><td></td>", "<link"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is in the page", bad)
		}
	}
	for _, good := range []string{`lang="zh-CN"`, "default-src &#39;none&#39;", "𠀀𪚥", "&lt;script&gt;", "@media print"} {
		if !strings.Contains(page, good) && !strings.Contains(page, strings.ReplaceAll(good, "&#39;", "'")) {
			t.Errorf("%q is not in the page", good)
		}
	}
}

func TestJSONGivesBackWhatIsPrinted(t *testing.T) {
	r := hostileReport()
	r.Tables[0].Columns[1].Kind = People
	r.Tables[0].Total[1].N = 64
	var b bytes.Buffer
	if err := r.Published(11).JSON(&b, "en"); err != nil {
		t.Fatal(err)
	}
	var got printed
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.MinCell != 11 || got.Size != 7 || len(got.Tables[0].Rows) != len(hostile) || got.Tables[0].Rows[6][0] != hostile[6] || got.Tables[0].Rows[0][1] != nil {
		t.Errorf("%+v", got)
	}
}
