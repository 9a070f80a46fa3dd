package intake

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/table"
)

// oneList is a list of patients as a hospital's clerk would type it.
var oneList = [][]string{
	{"病案号", "证件类型", "证件号码", "签发国", "性别", "出生日期", "居住省份", "科室", "疾病名称", "目录编号", "ICD-10编码", "诊断日期", "起病", "生存状态",
		"死亡日期", "表型", "已排除的表型", "家族史", "确诊前就诊医院数", "基因检测类型", "基因检测结果", "基因报告日期", "基因", "变异c.", "合子型", "ACMG分级",
		"随访日期", "随访时生存状态", "随访时病情", "姓名"},
	{"B0000001", "", "110105199003077470", "", "男", "1990-03-07", "广东", "肾内科", "法布雷病", "1.27", "E75.2", "2020-05-06", "8岁", "存活",
		"", "HP:0000093 Proteinuria；HP:0001250", "HP:0000365", "有", "3", "基因包", "致病", "2020-05-01", "HGNC:4296 GLA", "NM_000169.3:c.644A>G", "半合子", "致病",
		"2021-01-02", "存活", "稳定", "慕容晓峰"},
	{"B0000002", "护照", "X1234567", "FRA", "女", "1985-06-12", "上海市", "神经内科，二区\n东院", "戈谢病", "", "", "2019-03-05", "不详", "死亡",
		"2022-02", "", "", "不详", "", "", "", "", "", "", "", "", "", "", "", "司徒璇玑"},
	{"B0000003", "", "", "", "男", "2012-11-01", "44", "儿科", "1.法布雷病 2.戈谢病", "", "", "2013-01-01", "出生时", "失访",
		"", "", "", "", "", "全外显子组", "阴性", "", "", "", "", "", "", "", "", "欧阳文静"},
}

// onePackets says the same in the schema's own words.
var onePackets = []string{
	`{"id": "B0000001", "subject": {"id": "B0000001", "sex": "MALE", "dateOfBirth": "1990-03-07T00:00:00Z", "vitalStatus": {"status": "ALIVE"}},
	"diseases": [{"term": {"id": "LIST:1.27", "label": "法布雷病"}, "onset": {"age": {"iso8601duration": "P8Y"}}, "raresync": {"codes": ["E75.2"]}}],
	"phenotypicFeatures": [{"type": {"id": "HP:0000093", "label": "Proteinuria"}}, {"type": {"id": "HP:0001250"}}, {"type": {"id": "HP:0000365"}, "excluded": true}],
	"interpretations": [{"id": "interpretation-1", "progressStatus": "SOLVED", "diagnosis": {"disease": {"id": "LIST:1.27", "label": "法布雷病"},
		"genomicInterpretations": [{"subjectOrBiosampleId": "B0000001", "interpretationStatus": "CAUSATIVE", "variantInterpretation": {
			"acmgPathogenicityClassification": "PATHOGENIC", "variationDescriptor": {"id": "variant-1", "moleculeContext": "genomic",
			"geneContext": {"valueId": "HGNC:4296", "symbol": "GLA"}, "expressions": [{"syntax": "hgvs.c", "value": "NM_000169.3:c.644A>G"}],
			"allelicState": {"id": "GENO:0000134", "label": "hemizygous"}}}}]}}],
	"raresync": {"province": "44", "department": "肾内科", "diagnosisDate": "2020-05-06", "familyHistory": "yes", "hospitalsBefore": 3,
		"geneticTest": {"type": "panel", "result": "causative", "date": "2020-05-01"},
		"followUps": [{"visitDate": "2021-01-02", "vitalStatus": "alive", "diseaseStatus": "stable"}]},
	"metaData": {"phenopacketSchemaVersion": "2.0"}}`,
	`{"id": "B0000002", "subject": {"id": "B0000002", "sex": "FEMALE", "dateOfBirth": "1985-06-12T00:00:00Z", "vitalStatus": {"status": "DECEASED",
		"timeOfDeath": {"interval": {"start": "2022-02-01T00:00:00Z", "end": "2022-02-28T00:00:00Z"}}}},
	"diseases": [{"term": {"label": "戈谢病"}, "onset": {"ontologyClass": {"id": "NCIT:C17998", "label": "Unknown"}}}],
	"raresync": {"province": "31", "department": "神经内科，二区\n东院", "diagnosisDate": "2019-03-05", "familyHistory": "unknown"},
	"metaData": {"phenopacketSchemaVersion": "2.0"}}`,
	`{"id": "B0000003", "subject": {"id": "B0000003", "sex": "MALE", "dateOfBirth": "2012-11-01T00:00:00Z"},
	"diseases": [{"term": {"label": "法布雷病"}, "onset": {"ontologyClass": {"id": "HP:0003577", "label": "Congenital onset"}}}, {"term": {"label": "戈谢病"}}],
	"raresync": {"province": "44", "department": "儿科", "diagnosisDate": "2013-01-01", "status": "lost",
		"geneticTest": {"type": "exome", "result": "negative"}},
	"metaData": {"phenopacketSchemaVersion": "2.0"}}`,
}

var oneDocuments = []identity.Document{
	{Type: identity.RIC, Value: "110105199003077470"}, {Type: identity.PP, Issuer: "FRA", Value: "X1234567"}, {},
}

func separated(comma rune, rows [][]string) string {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma, w.UseCRLF = comma, true
	_ = w.WriteAll(rows)
	return b.String()
}

// otherWords writes the list as another system would: other words, dates and
// forms of the same numbers.
func otherWords() [][]string {
	rows := [][]string{{"某医院罕见病患者登记表（2026年）"}, slices.Clone(oneList[0])}
	words := strings.NewReplacer("1990-03-07", "1990年3月7日", "2020-05-06", "2020/5/6", "2019-03-05", "20190305", "2013-01-01", "41275",
		"110105199003077470", "１１０１０５ 19900307 7470")
	for _, row := range oneList[1:] {
		var out []string
		for _, cell := range row {
			switch cell {
			case "男":
				cell = "1"
			case "女":
				cell = "２"
			case "死亡":
				cell = "已故"
			case "8岁":
				cell = "P8Y"
			}
			out = append(out, words.Replace(cell))
		}
		rows = append(rows, out)
	}
	rows[1][0] = "病案号*"
	return rows
}

// rowsOf reads a table as submit does.
func rowsOf(t *testing.T, name string, raw []byte) (files []File) {
	t.Helper()
	book, err := table.Open(name, raw, table.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	profile, err := mapping.Choose(book, mapping.Shipped())
	if err != nil || profile == nil {
		t.Fatalf("%s: no profile knows the headings: %v", name, err)
	}
	reader := profile.Reader(name, book)
	for p := range reader.All() {
		source, _ := entry.ParseSource(string(book.Format))
		f := File{Name: fmt.Sprint(p.At()), Data: p.Packet, Source: source}
		if p.Document.Value != "" {
			f.Identities = map[string]identity.Document{p.Subject: p.Document}
		}
		if mapping.Refuses(p.Findings) {
			t.Errorf("%s: %v", name, p.Findings)
		}
		files = append(files, f)
	}
	if reader.Err() != nil || mapping.Refuses(reader.Findings) {
		t.Errorf("%s: %v, %v", name, reader.Err(), reader.Findings)
	}
	return files
}

// oneListFiles returns the list in each format, as what it becomes.
func oneListFiles(t *testing.T) map[string][]File {
	t.Helper()
	gb, err := table.EncodeGB18030(separated(',', oneList))
	if err != nil {
		t.Fatal(err)
	}
	wide := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(separated('\t', otherWords()))) {
		wide = append(wide, byte(u), byte(u>>8))
	}
	xlsx, err := table.WriteBook([]table.Draft{{Name: "登记", Rows: oneList}, {Name: "说明", Rows: [][]string{{"说明"}}}})
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]File{
		"list.csv": rowsOf(t, "list.csv", gb), "list.tsv": rowsOf(t, "list.tsv", wide), "list.xlsx": rowsOf(t, "list.xlsx", xlsx),
	}
	for i, raw := range onePackets {
		f := File{Name: fmt.Sprintf("%d.json", i), Data: []byte(raw)}
		if oneDocuments[i].Value != "" {
			f.Identities = map[string]identity.Document{fmt.Sprintf("B000000%d", i+1): oneDocuments[i]}
		}
		files["packets"] = append(files["packets"], f)
	}
	return files
}

// One patient list as GB 18030 CSV, UTF-16 TSV, XLSX and phenopackets gives the
// same entries under the same pseudonyms, so that whichever comes second adds
// nothing.
func TestOneListInFourFormatsIsTheSameEntries(t *testing.T) {
	files := oneListFiles(t)
	said := map[string][]entry.Entry{}
	all := newDesk(nil)
	for _, name := range []string{"list.csv", "list.tsv", "list.xlsx", "packets"} {
		alone := newDesk(nil)
		results, err := alone.Take(context.Background(), files[name], 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if r.Outcome != Accepted {
				t.Errorf("%s, patient %d: %s, %v", name, i+1, r.Outcome, r.Findings)
			}
		}
		for _, e := range alone.posted.entries(t) {
			want := map[string]entry.Source{"list.xlsx": entry.SourceXLSX, "packets": entry.SourcePhenopacket}[name]
			if want == 0 {
				want = entry.SourceCSV
			}
			if e.Source != want {
				t.Errorf("%s: an entry from %s", name, e.Source)
			}
			e.Source = entry.SourceForm
			said[name] = append(said[name], e)
		}
		if results, err = all.Take(context.Background(), files[name], 0); err != nil {
			t.Fatal(err)
		}
		for i, r := range results {
			if want := map[bool]Outcome{true: Accepted, false: Known}[name == "list.csv"]; r.Outcome != want {
				t.Errorf("%s after the others, patient %d: %s, want %s", name, i+1, r.Outcome, want)
			}
		}
	}
	if n := len(said["packets"]); n != 6 { // three cases, two genetics, one visit
		t.Errorf("%d entries, want 6", n)
	}
	for name, entries := range said {
		for i := range entries {
			if i >= len(said["packets"]) || !reflect.DeepEqual(entries[i], said["packets"][i]) {
				t.Errorf("%s: entry %d differs:\n%+v\n%+v", name, i, content(entries[i]), content(said["packets"][i]))
			}
		}
	}
}

func content(e entry.Entry) string {
	raw, _ := e.Content()
	return fmt.Sprintf("%s %x %s %x %s", e.Type, e.ID[:4], e.EventDate, e.Pseudonym.Value[:4], raw)
}

// A file that waits keeps what it was made from; one kept by an earlier release
// is a phenopacket.
func TestALotKeepsTheSource(t *testing.T) {
	files := oneListFiles(t)["list.csv"]
	got, _, err := unmarshalLot(marshalLot(files, entry.Report))
	if err != nil || !reflect.DeepEqual(got, files) {
		t.Errorf("got %d files, %v", len(got), err)
	}
	old := []byte{0x83, 0x01, 0x01, 0x81, 0x83, 0x41, 'a', 0x42, '{', '}', 0x80}
	got, profile, err := unmarshalLot(old)
	if err != nil || len(got) != 1 || got[0].Name != "a" || got[0].Source != 0 || profile != entry.Report {
		t.Errorf("of an earlier release: %v, %v", got, err)
	}
}
