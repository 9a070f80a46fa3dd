package integration

import (
	"encoding/csv"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/table"
)

// tableHeads are the headings of the origins' tables, as an administrator would
// export them: with all that must stay.
var tableHeads = []string{"病案号", "姓名", "联系电话", "证件类型", "证件号码", "签发国", "性别", "出生日期", "居住省份", "科室", "疾病名称", "目录编号",
	"诊断日期", "起病", "生存状态"}

// tableRow is a patient's row.
func tableRow(p *canaryPatient) []string {
	return []string{p.record, p.name, p.phone, map[identity.Type]string{identity.RIC: "居民身份证", identity.PP: "护照", identity.HKM: "港澳居民来往内地通行证"}[p.document.Type],
		p.document.Value, p.document.Issuer, "男", p.birth.String(), "北京", "神经内科", "法布雷病", "1.27", "2013-02-11", "1岁", "存活"}
}

// tableOf writes rows in one of the forms in which they come.
func (w *canaryWorld) tableOf(form string, rows ...[]string) (raw []byte) {
	w.t.Helper()
	text := func(comma rune) string {
		var b strings.Builder
		c := csv.NewWriter(&b)
		c.Comma = comma
		must(w.t, c.WriteAll(append([][]string{{"患者登记表"}, tableHeads}, rows...)))
		return b.String()
	}
	var err error
	switch form {
	case "gb.csv":
		raw, err = table.EncodeGB18030(text(','))
	case "wide.tsv":
		raw = []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(text('\t'))) {
			raw = append(raw, byte(u), byte(u>>8))
		}
	case "book.xlsx":
		raw, err = table.WriteBook([]table.Draft{{Name: "登记", Rows: append([][]string{tableHeads}, rows...)}})
	default:
		raw = []byte(text(','))
	}
	must(w.t, err)
	return raw
}

// tablesComeIn takes tables of every form through every command that reads some,
// good rows and bad ones, and hands the bad ones back.
func (w *canaryWorld) tablesComeIn(o *origin) {
	w.t.Helper()
	good := map[string][]byte{}
	for _, as := range []struct {
		form string
		kind identity.Type
	}{{"gb.csv", identity.RIC}, {"wide.tsv", identity.PP}, {"book.xlsx", identity.HKM}, {"plain.csv", identity.LOCAL}} {
		p := w.patient(as.kind, o.Node)
		row := tableRow(p)
		if as.kind == identity.LOCAL {
			row[4] = ""
		}
		good[w.fileName(o, as.form)] = w.tableOf(as.form, row)
	}
	dir := w.lay(o, "tables", good)
	w.wants(0, o.Process, "", "validate", dir)
	w.wants(0, o.Process, "", "submit", dir, "-o", "json")
	w.wants(0, o.Process, "", "submit", dir, "--lang", "zh")

	changed := func(column int, change func(p *canaryPatient) string) []string {
		p := w.patient(identity.RIC, o.Node)
		row := tableRow(p)
		row[column] = change(p)
		return row
	}
	own := func(p *canaryPatient) string { return p.document.Value }
	bad := [][]string{
		changed(4, func(p *canaryPatient) string { return p.document.Value[:17] + "*" }),
		changed(9, func(p *canaryPatient) string { return "科室 " + p.name }),
		changed(10, func(p *canaryPatient) string { return p.name + " 的法布雷病" }),
		changed(6, own), changed(7, own), changed(8, own), changed(11, own), changed(12, func(p *canaryPatient) string { return p.phone }), changed(14, own), changed(3, own),
		changed(0, func(*canaryPatient) string { return "" })[:8], // cut off
	}
	back := filepath.Join(w.exports(o.Process), "back")
	files := map[string][]byte{}
	for _, form := range []string{"gb.csv", "book.xlsx"} {
		name := w.fileName(o, form)
		files[name] = w.tableOf(form, bad...)
		path := filepath.Join(w.lay(o, "bad-tables", files), name)
		w.wants(7, o.Process, "", "validate", path, "-o", "json")
		w.wants(7, o.Process, "", "submit", path, "--rejects", back)
		w.wants(7, o.Process, "", "submit", path, "--rejects", back, "--with-ids", "--lang", "zh")
		w.wants(0, o.Process, "", "mapping", "test", path)
		w.wants(0, o.Process, "", "mapping", "init", path)
	}
	p := w.patient(identity.RIC, o.Node)
	for _, broken := range []struct { // no table, or no longer
		ending string
		raw    []byte
	}{
		{"page.xlsx", []byte("<html><table><tr><td>" + p.name + "</td><td>" + p.phone + "</td></tr></table></html>")},
		{"cut.xlsx", w.tableOf("book.xlsx", tableRow(p))[:900]},
		{"bytes.csv", append(w.tableOf("plain.csv", tableRow(p)), 0xff, 0xff)},
		{"bare.csv", []byte(strings.Join(tableRow(p), ",") + "\n")},
		{"quote.csv", []byte(strings.Join(tableHeads, ",") + "\n\"" + strings.Join(tableRow(p), ",") + strings.Repeat("\n", 1<<21))},
	} {
		name := w.fileName(o, broken.ending)
		path := filepath.Join(w.lay(o, "broken-tables", map[string][]byte{name: broken.raw}), name)
		w.wants(7, o.Process, "", "validate", path, "-o", "jsonl")
		w.wants(7, o.Process, "", "submit", path, "--rejects", back)
		if broken.ending != "quote.csv" { // its headings can be drafted
			w.wants(7, o.Process, "", "mapping", "init", path)
		}
		w.wants(7, o.Process, "", "mapping", "test", path)
	}
}
