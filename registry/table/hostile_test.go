package table

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What each hostile file may take.
const (
	mostTime   = 5 * time.Second
	mostMemory = 256 << 20
)

// workbookOf packs a sheet's XML, and other parts in place of the usual ones.
func workbookOf(sheet string, parts ...[2]string) []byte {
	all := map[string]string{
		"[Content_Types].xml": `<Types/>`,
		"_rels/.rels":         `<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":     `<workbook xmlns:r="x"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="http://x/worksheet" Target="worksheets/sheet1.xml"/>` +
			`<Relationship Id="r2" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="http://x/styles" Target="styles.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml": sheet,
		"xl/sharedStrings.xml":     `<sst><si><t>shared</t></si></sst>`,
		"xl/styles.xml":            `<styleSheet><cellXfs><xf numFmtId="0"/></cellXfs></styleSheet>`,
	}
	for _, p := range parts {
		all[p[0]] = p[1]
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		f, _ := w.Create(name)
		_, _ = io.WriteString(f, all[name])
	}
	_ = w.Close()
	return out.Bytes()
}

// sheetOf wraps rows.
func sheetOf(rows string) string {
	return `<?xml version="1.0"?><worksheet><sheetData>` + rows + `</sheetData></worksheet>`
}

// long packs a part of many alike pieces without holding it.
func long(name, begin, piece, end string, n int) []byte {
	raw := workbookOf(sheetOf(""))
	r, _ := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range r.File {
		if f.Name != name {
			_ = w.Copy(f)
		}
	}
	part, _ := w.Create(name)
	_, _ = io.WriteString(part, begin)
	block := strings.Repeat(piece, 1000)
	for range n / 1000 {
		_, _ = io.WriteString(part, block)
	}
	_, _ = io.WriteString(part, end)
	_ = w.Close()
	return out.Bytes()
}

const sheetPart = "xl/worksheets/sheet1.xml"

// hostile are files made to do harm, with the rule that refuses each. "" stands
// for a file that is read, and harms nothing.
func hostile() map[string]struct {
	raw  []byte
	rule string
} {
	type file = struct {
		raw  []byte
		rule string
	}
	sheet := func(rows string) []byte { return workbookOf(sheetOf(rows)) }
	part := func(name, text string) []byte { return workbookOf(sheetOf(""), [2]string{name, text}) }
	laughs := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>`
	outside := `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>`
	many := bytes.Repeat([]byte("PK\x01\x02"), 100_000)
	return map[string]file{
		"a row index beyond all":        {sheet(`<row r="2147483647"><c r="A1"><v>1</v></c></row>`), "FM005"},
		"a row index beyond a number":   {sheet(`<row r="99999999999999999999"><c><v>1</v></c></row>`), "FM007"},
		"rows that go back":             {sheet(`<row r="5"/><row r="4"/>`), "FM007"},
		"a negative row":                {sheet(`<row r="-1"/>`), "FM007"},
		"a column beyond the last":      {sheet(`<row r="1"><c r="ZZZZ1"><v>1</v></c></row>`), "FM007"},
		"the last column":               {sheet(`<row r="1"><c r="XFD1"><v>1</v></c></row>`), "FM005"},
		"cells that go back":            {sheet(`<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>`), "FM007"},
		"a shared text that is nowhere": {sheet(`<row r="1"><c t="s"><v>4294967296</v></c></row>`), "FM007"},
		"a negative shared text":        {sheet(`<row r="1"><c t="s"><v>-1</v></c></row>`), "FM007"},
		"a number that is none":         {sheet(`<row r="1"><c><v>1;DROP</v></c></row>`), "FM007"},
		"entities that grow":            {workbookOf(laughs), "FM007"},
		"an entity from outside":        {workbookOf(outside), "FM007"},
		"an entity in the texts":        {part("xl/sharedStrings.xml", `<sst><si><t>&a;</t></si></sst>`), "FM007"},
		"a type in the list of sheets":  {part("xl/workbook.xml", laughs), "FM007"},
		"levels without end":            {long(sheetPart, "<worksheet>", "<a>", "", 1_000_000), "FM007"},
		"an attribute without end":      {long(sheetPart, `<worksheet a="`, "aaaaaaaaaa", `"/>`, 1_000_000), "FM007"},
		"a text without end":            {long(sheetPart, `<worksheet><sheetData><row><c t="str"><v>`, "ab<!-- -->cdefgh", ``, 1_000_000), "FM005"},
		"a part cut off":                {workbookOf(`<worksheet><sheetData><row r="1"><c><v>1</v></c></row>`), "FM007"},
		"a part in UTF-16":              {workbookOf("\xff\xfe<\x00a\x00/\x00>\x00"), "FM007"},
		"text that is not UTF-8":        {sheet(`<row r="1"><c t="str"><v>` + "\xb7\xa8" + `</v></c></row>`), "FM007"},
		"texts that are not UTF-8":      {part("xl/sharedStrings.xml", "<sst><si><t>\xb7\xa8</t></si></sst>"), "FM001"},
		"a bomb of one part":            {long(sheetPart, "<worksheet>", strings.Repeat(" ", 1000), "</worksheet>", 80_000), "FM005"},
		"a bomb of texts":               {long("xl/sharedStrings.xml", "<sst>", "<si><t/></si>", "</sst>", 4_200_000), "FM005"},
		"a bomb of styles":              {long("xl/styles.xml", "<styleSheet><cellXfs>", `<xf numFmtId="14"/>`, "</cellXfs></styleSheet>", 300_000), "FM005"},
		"two million columns":           {long(sheetPart, "<worksheet><sheetData><row>", "<c><v>1</v></c>", "</row></sheetData></worksheet>", 2_000_000), "FM005"},
		"a million empty rows":          {long(sheetPart, "<worksheet><sheetData>", "<row/>", "</sheetData></worksheet>", 1_200_000), "FM005"},
		"a sheet that is nowhere":       {part("xl/workbook.xml", `<workbook><sheets><sheet name="S" r:id="r9"/></sheets></workbook>`), "FM007"},
		"a sheet outside the archive":   {part("xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" TargetMode="External" Target="http://127.0.0.1/x"/></Relationships>`), "FM007"},
		"a sheet above the archive":     {part("xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="../../../etc/passwd"/></Relationships>`), "FM007"},
		"no sheet":                      {part("xl/workbook.xml", `<workbook/>`), "FM007"},
		"a list of parts without end":   {append([]byte(zipMagic), many...), "FM005"},
		"another archive":               {zipped("a.txt", "x"), "FM007"},
		"ten million columns of CSV":    {bytes.Repeat([]byte(","), 10_000_000), "FM005"},
		"a mark that is never closed":   {[]byte("a,\"" + strings.Repeat("b,\n", 4_000_000)), "FM005"},
		"a cell of a megabyte":          {[]byte("a\n" + strings.Repeat("b", 900_000) + "\n"), "FM005"},
		"two million rows of CSV":       {bytes.Repeat([]byte("a\n"), 2_000_000), "FM005"},
		"zeros":                         {make([]byte, 1<<20), "FM001"},
		"noise":                         {noise(1 << 20), "FM001"},
		"a formula":                     {[]byte("a,b\n=cmd|' /C calc'!A0,1\n"), ""},
		"a colour to the last column":   {sheet(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="XFD1" s="0"/></row>`), ""},
	}
}

func zipped(name, text string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, _ := w.Create(name)
	_, _ = io.WriteString(f, text)
	_ = w.Close()
	return out.Bytes()
}

// noise is the same bytes each time, none of which are text.
func noise(n int) []byte {
	raw, x := make([]byte, n), uint32(2463534242)
	for i := range raw {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		raw[i] = byte(x>>8) | 0x80
	}
	raw[0] = 0xff
	return raw
}

func TestHostileWorkbooks(t *testing.T) {
	debug.SetMemoryLimit(mostMemory) // the collector works harder before that
	defer debug.SetMemoryLimit(1 << 62)
	files := hostile()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			tc := files[name]
			if code := refusedBy(drain(tc.raw, Limits{})); (code == "<nil>") != (tc.rule == "") {
				t.Errorf("with all limits: %s", code)
			}
			before, began := peak(t), cpu(t)
			err := drain(tc.raw, Limits{Ratio: 1 << 30, UnpackedBytes: 64 << 20}) // not the ratio alone shall save us
			if took := cpu(t) - began; took > mostTime {
				t.Errorf("took %s", took)
			}
			if grown := peak(t) - before; grown > mostMemory {
				t.Errorf("took %d MiB", grown>>20)
			}
			if got := refusedBy(err); got != tc.rule && (tc.rule != "" || err != nil) {
				t.Errorf("got %v, want %s", err, tc.rule)
			}
			if err != nil && (strings.Contains(err.Error(), "root:") || len(err.Error()) > 300) {
				t.Errorf("the refusal says too much: %v", err)
			}
		})
	}
}

// drain reads all rows, and keeps none.
func drain(raw []byte, limits Limits) error {
	book, err := Open("f", raw, limits)
	if err != nil {
		return err
	}
	for _, s := range book.Sheets() {
		rows, err := s.Rows()
		if err != nil {
			return err
		}
		for range rows.All() {
		}
		if rows.Err() != nil {
			return rows.Err()
		}
	}
	return nil
}

// cpu is the time that the process has worked.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// peak is the most memory that the process has had.
func peak(t *testing.T) (bytes int64) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &bytes); err == nil {
			return bytes << 10
		}
	}
	t.Fatal("the system tells no peak")
	return 0
}
