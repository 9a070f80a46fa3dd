package delivery_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
	"github.com/raresync/raresync/registry/validate"
)

// intake is a daemon that makes entries and normalises identities, and keeps
// what would be sealed: each entry, and what its pseudonym is derived from.
type intake struct {
	entries map[string]string // by id
	ids     map[string]identity.Identity
	said    map[string]string // by subject: the canonical document, or the rule that refuses it
	source  entry.Source
}

func (in *intake) send(_ context.Context, files []admin.File) (out []admin.FileResult, err error) {
	for _, f := range files {
		r := admin.FileResult{Name: f.Name, Outcome: delivery.Accepted}
		if err := in.take(f); err != nil {
			r.Outcome = delivery.Refused
			var refused *rule.Refusal
			if !errors.As(err, &refused) {
				return nil, err
			}
			for _, one := range refused.Findings {
				r.Findings = append(r.Findings, delivery.Sent(one))
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func (in *intake) take(f admin.File) error {
	packets, err := phenopacket.Read(f.Name, bytes.NewReader(f.Data), phenopacket.Limits{})
	if err != nil {
		return err
	}
	for _, p := range packets {
		doc := identity.Document{Type: identity.LOCAL, Value: p.SubjectID}
		if d, ok := f.Identities[p.SubjectID]; ok {
			doc = identity.Document{Type: identity.Type(d.Type), Issuer: d.Issuer, Value: d.Value}
		}
		id, _, err := identity.Normalize(doc, identity.Options{Today: identity.Date{Year: 2026, Month: 1, Day: 1}})
		in.said[p.SubjectID] = normal(doc)
		if err != nil {
			return err
		}
		var ok bool
		if in.source, ok = entry.ParseSource(f.Source); !ok {
			return fmt.Errorf("source %q", f.Source)
		}
		e, _, err := p.Accept(phenopacket.Options{Key: [32]byte{7}, Catalog: catalog.Current(), Basis: entry.BasisStatutory, Source: in.source},
			validate.Context{Today: entry.Date{Year: 2026, Month: 1, Day: 1}, Identity: id})
		if err != nil {
			return err
		}
		for _, one := range e.All() {
			if one.Source != in.source {
				return fmt.Errorf("an entry from %s says %s", f.Source, one.Source)
			}
			one.Source = entry.SourceForm // the one field in which formats differ
			plain, err := entry.Encode(one)
			if err != nil {
				return err
			}
			in.entries[hex.EncodeToString(one.ID[:])] = string(plain)
			in.ids[hex.EncodeToString(one.ID[:])] = id
		}
	}
	return nil
}

// deliver hands in a file, and returns what the daemon made of it.
func deliver(t *testing.T, name string, raw []byte, documents map[string]admin.Document) (*intake, delivery.Report) {
	t.Helper()
	in := &intake{entries: map[string]string{}, ids: map[string]identity.Identity{}, said: map[string]string{}}
	f := delivery.File{Name: name, Raw: raw, Language: "en", Documents: func(string) map[string]admin.Document { return documents }}
	r, _, err := f.Deliver(t.Context(), in.send)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return in, r
}

// person is one patient of the list that comes in every format.
type person struct {
	record, idType, number, country, sex, birth, province, department, disease, list, orpha, diagnosed, onset, status string
	drug, drugStatus, drugStart                                                                                       string
}

var people = []person{
	{"B-1", "RIC", "110105199003077470", "", "男", "1990-03-07", "广东", "肾内科", "法布雷病", "1.27", "", "2020-05-06", "8岁", "存活", "ATC:A16AB04 阿加糖酶β", "已开始", "2020-09-01"},
	{"B-2", "HKM", "H12345678", "", "女", "1985-11-30", "香港", "神经内科", "法布雷病", "1.27", "", "2021-06", "2001-02-03", "存活", "", "", ""},
	{"B-3", "PP", "X1234567", "FRA", "男", "2001-02-03", "北京", "心内科", "法布雷病", "", "ORPHA:324", "2019-01-02", "P3M", "存活", "", "", ""},
	{"B-4", "", "", "", "女", "1979-08-09", "四川", "眼科", "法布雷病", "1.27", "ORPHA:324", "2018-12-31", "10岁", "存活", "", "", ""},
}

func rows() [][]string {
	words := map[string]string{"RIC": "居民身份证", "HKM": "港澳居民来往内地通行证", "PP": "护照"}
	out := [][]string{{"病案号", "证件类型", "证件号码", "签发国", "性别", "出生日期", "居住省份", "科室", "疾病名称", "目录编号", "ORPHA编码", "诊断日期", "起病", "生存状态", "治疗药物", "治疗状态", "治疗开始日期"}}
	for _, p := range people {
		out = append(out, []string{p.record, words[p.idType], p.number, p.country, p.sex, p.birth, p.province, p.department, p.disease, p.list, p.orpha,
			p.diagnosed, p.onset, p.status, p.drug, p.drugStatus, p.drugStart})
	}
	return out
}

type object = map[string]any

// times are the onsets of the list as FHIR and phenopackets write them.
var times = map[string][2]object{
	"8岁":         {{"onsetAge": object{"value": 8, "code": "a"}}, {"age": object{"iso8601duration": "P8Y"}}},
	"10岁":        {{"onsetString": "10岁"}, {"age": object{"iso8601duration": "P10Y"}}},
	"P3M":        {{"onsetAge": object{"value": 3, "code": "mo"}}, {"age": object{"iso8601duration": "P3M"}}},
	"2001-02-03": {{"onsetDateTime": "2001-02-03"}, {"timestamp": "2001-02-03T00:00:00Z"}},
}

func system(p person) string {
	if p.idType == "PP" {
		return "http://hl7.org/fhir/sid/passport-" + p.country
	}
	return "urn:raresync:id:" + p.idType
}

// resources are the list as FHIR.
func resources() (all []any) {
	for _, p := range people {
		ids := []any{object{"system": "urn:oid:2.16.156.10011.1.13", "value": p.record}}
		if p.number != "" {
			ids = append(ids, object{"system": system(p), "value": p.number})
		}
		all = append(all, object{"resourceType": "Patient", "id": p.record, "identifier": ids, "gender": map[string]string{"男": "male", "女": "female"}[p.sex],
			"birthDate": p.birth, "deceasedBoolean": false, "address": []any{object{"state": p.province}}})
		all = append(all, object{"resourceType": "Encounter", "subject": object{"reference": "Patient/" + p.record}, "serviceType": object{"text": p.department}})
		var codes []any
		if p.list != "" {
			codes = append(codes, object{"system": "urn:raresync:list", "code": p.list})
		}
		if p.orpha != "" {
			codes = append(codes, object{"system": "http://www.orpha.net", "code": strings.TrimPrefix(p.orpha, "ORPHA:")})
		}
		c := object{"resourceType": "Condition", "subject": object{"reference": "Patient/" + p.record}, "code": object{"coding": codes, "text": p.disease}, "recordedDate": p.diagnosed}
		maps.Copy(c, times[p.onset][0])
		all = append(all, c)
		if p.drug != "" {
			all = append(all, object{"resourceType": "MedicationStatement", "status": "active", "subject": object{"reference": "Patient/" + p.record},
				"medicationCodeableConcept": object{"coding": []any{object{"system": "http://www.whocc.no/atc", "code": "A16AB04", "display": "阿加糖酶β"}}},
				"effectiveDateTime":         p.drugStart})
		}
	}
	return all
}

// packet is one of the list as a phenopacket.
func packet(p person) object {
	disease := object{"term": object{"id": "LIST:" + p.list, "label": p.disease}, "onset": times[p.onset][1]}
	if p.list == "" {
		disease["term"] = object{"id": p.orpha, "label": p.disease}
	} else if p.orpha != "" {
		disease["raresync"] = object{"codes": []any{p.orpha}}
	}
	extra := object{"department": p.department, "province": map[string]string{"广东": "44", "香港": "81", "北京": "11", "四川": "51"}[p.province], "diagnosisDate": p.diagnosed}
	if p.drug != "" {
		extra["treatments"] = []any{object{"agent": object{"id": "ATC:A16AB04", "label": "阿加糖酶β"}, "status": "started", "start": p.drugStart}}
	}
	return object{"id": p.record, "subject": object{"id": p.record, "sex": map[string]string{"男": "MALE", "女": "FEMALE"}[p.sex], "dateOfBirth": p.birth + "T00:00:00Z",
		"vitalStatus": object{"status": "ALIVE"}}, "diseases": []any{disease}, "raresync": extra, "metaData": object{"phenopacketSchemaVersion": "2.0"}}
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func separated(t *testing.T, comma rune, rows [][]string) string {
	t.Helper()
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Comma, w.UseCRLF = comma, true
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func workbookOf(t *testing.T, rows [][]string) []byte {
	t.Helper()
	book, err := table.WriteBook([]table.Draft{{Name: "S", Rows: rows}})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func utf16File(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

// The characters of the list that are no ASCII, and their GB 18030.
const (
	characters = "β东京件份住内出别加北发号名四国地型女始存室居岁川已布广开录往心态性护断日期来案民治法活港澳照物状生男疗疾病目省眼码神科称签类糖经编肾药行证诊起身通酶阿雷香"
	inGB18030  = "a6c2b6abbea9bcfeb7ddd7a1c4dab3f6b1f0bcd3b1b1b7a2bac5c3fbcbc4b9fab5d8d0cdc5aecabcb4e6cad2bed3cbeab4a8d2d1b2bcb9e3bfaac2bccdf9d0c4ccacd0d4bba4b6cfc8d5c6dac0b4b0b8c3f1d6ceb7a8bbeeb8dbb0c4d5d5ceefd7b4c9fac4d0c1c6bcb2b2a1c4bfcaa1d1dbc2ebc9f1bfc6b3c6c7a9c0e0ccc7beadb1e0c9f6d2a9d0d0d6a4d5efc6f0c9edcda8c3b8b0a2c0d7cfe3"
)

func gb18030(t *testing.T, text string) (out []byte) {
	t.Helper()
	codes, err := hex.DecodeString(inGB18030)
	if err != nil {
		t.Fatal(err)
	}
	all := []rune(characters)
	for _, r := range text {
		if i := slices.Index(all, r); i >= 0 {
			out = append(out, codes[2*i], codes[2*i+1])
		} else {
			out = append(out, byte(r))
		}
	}
	return out
}

// formats writes the list in every format, by the name of the file.
func formats(t *testing.T) map[string][]byte {
	t.Helper()
	gb := gb18030(t, separated(t, ',', rows()))
	book := workbookOf(t, rows())
	var entries []any
	var lines bytes.Buffer
	for _, r := range resources() {
		entries = append(entries, object{"resource": r})
		lines.Write(append(marshal(t, r), '\n'))
	}
	return map[string][]byte{
		"list.csv": gb, "list.tsv": utf16File(separated(t, '\t', rows())), "list.xlsx": book,
		"list.json": marshal(t, object{"resourceType": "Bundle", "type": "collection", "entry": entries}), "list.ndjson": lines.Bytes(),
	}
}

func documents() map[string]admin.Document {
	docs := map[string]admin.Document{}
	for _, p := range people {
		if p.number != "" {
			docs[p.record] = admin.Document{Type: p.idType, Issuer: p.country, Value: p.number}
		}
	}
	return docs
}

func TestOneListGivesTheSameEntriesInEveryFormat(t *testing.T) {
	files := formats(t)
	files["list.zip"] = zipped(t, map[string][]byte{"all.ndjson": files["list.ndjson"]})
	for i, p := range people {
		files[fmt.Sprintf("p%d.json", i)] = marshal(t, packet(p))
	}
	single := map[string][]byte{}
	for i := range people {
		name := fmt.Sprintf("p%d.json", i)
		single[name] = files[name]
		delete(files, name)
	}
	files["packets.zip"] = zipped(t, single)
	var first *intake
	for _, name := range []string{"list.csv", "list.tsv", "list.xlsx", "list.json", "list.ndjson", "list.zip", "packets.zip"} {
		docs := documents()
		in, r := deliver(t, name, files[name], docs)
		if name == "packets.zip" { // each file knows its own patient alone
			in, r = deliverZip(t, name, files[name], docs)
		}
		if r.Outcome != delivery.Accepted || len(in.entries) != 5 {
			t.Errorf("%s: %s with %d entries: %v", name, r.Outcome, len(in.entries), r.Findings)
			continue
		}
		if first == nil {
			first = in
		}
		for id, plain := range first.entries {
			if in.entries[id] != plain {
				t.Errorf("%s: the entry %s differs from that of list.csv", name, id[:8])
			}
			if !in.ids[id].Equal(first.ids[id]) || !bytes.Equal(in.ids[id].X(), first.ids[id].X()) {
				t.Errorf("%s: the identity of %s differs from that of list.csv", name, id[:8])
			}
		}
	}
}

// deliverZip hands in an archive of single packets, each with its own documents.
func deliverZip(t *testing.T, name string, raw []byte, docs map[string]admin.Document) (*intake, delivery.Report) {
	t.Helper()
	in := &intake{entries: map[string]string{}, ids: map[string]identity.Identity{}, said: map[string]string{}}
	f := delivery.File{Name: name, Raw: raw, Language: "en", Documents: func(member string) map[string]admin.Document {
		i, err := strconv.Atoi(strings.Trim(member, "p.json"))
		if d, ok := docs[fmt.Sprintf("B-%d", i+1)]; err == nil && ok {
			return map[string]admin.Document{fmt.Sprintf("B-%d", i+1): d}
		}
		return nil
	}}
	r, _, err := f.Deliver(t.Context(), in.send)
	if err != nil {
		t.Fatal(err)
	}
	return in, r
}

// The vectors of identities give the same identity, or the same refusal, through
// every format.
func TestIdentityVectorsThroughEveryFormat(t *testing.T) {
	vectors := textVectors(t)
	if len(vectors) < 60 {
		t.Errorf("%d vectors", len(vectors))
	}
	list := [][]string{{"病案号", "证件类型", "证件号码", "签发国", "性别", "居住省份", "科室", "疾病名称", "目录编号", "诊断日期", "起病", "生存状态", "出生日期"}}
	got := map[string]map[string]string{}
	for _, v := range vectors {
		list = append(list, []string{v.record, v.word, v.doc.Value, v.doc.Issuer, "男", "广东", "肾内科", "法布雷病", "1.27", "2020-05-06", "8岁", "存活", ""})
		resource := object{"resourceType": "Patient", "id": v.record, "identifier": []any{object{"system": "urn:raresync:id:LOCAL", "value": v.record},
			object{"system": system(person{idType: string(v.doc.Type), country: v.doc.Issuer}), "value": v.doc.Value}}}
		one := packet(person{record: v.record, sex: "男", birth: "1990-03-07", list: "1.27", onset: "8岁"})
		docs := map[string]admin.Document{v.record: {Type: string(v.doc.Type), Issuer: v.doc.Issuer, Value: v.doc.Value}}
		for name, raw := range map[string][]byte{"v.ndjson": append(marshal(t, resource), '\n'), "v.json": marshal(t, one)} {
			in, _ := deliver(t, name, raw, docs)
			got[name] = merged(got[name], in.said)
		}
	}
	for name, raw := range map[string][]byte{"v.csv": []byte(separated(t, ',', list)), "v.xlsx": workbookOf(t, list), "v.tsv": utf16File(separated(t, '\t', list))} {
		in, _ := deliver(t, name, raw, nil)
		got[name] = in.said
	}
	for name, said := range got {
		for _, v := range vectors {
			if said[v.record] != v.want {
				t.Errorf("line %s through %s: %.80q, want %.80q", v.record, name, said[v.record], v.want)
			}
		}
	}
}

func merged(into, from map[string]string) map[string]string {
	if into == nil {
		into = map[string]string{}
	}
	maps.Copy(into, from)
	return into
}

// A vector is one of those of package identity that is a text.
type vector struct {
	record, word string // "7", for the seventh line
	doc          identity.Document
	want         string // as intake.said
}

// textVectors are the vectors that a table, too, takes for a document: not those
// of marks alone or a word, which a table takes for an empty cell, nor a passport's with an
// issuer that is no country, which FHIR has no address for.
func textVectors(t *testing.T) (out []vector) {
	t.Helper()
	f, err := os.Open("../../registry/testdata/idnorm-v1.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{"RIC": "居民身份证", "HKM": "港澳居民来往内地通行证", "TWP": "台湾居民来往大陆通行证", "PP": "护照", "BC": "出生医学证明"}
	for i, v := range rows[1:] {
		raw, err := strconv.Unquote(`"` + v[2] + `"`)
		if err != nil {
			t.Fatal(err)
		}
		doc := identity.Document{Type: identity.Type(v[0]), Issuer: v[1], Value: raw}
		if v[3] != "text" || v[4] != "demo" || words[v[0]] == "" || raw == "无" || strings.Trim(raw, " -/\u3000\u200b\t\r\n\x00") == "" || v[0] == "PP" && len(v[1]) != 3 {
			continue
		}
		out = append(out, vector{fmt.Sprint(i + 2), words[v[0]], doc, normal(doc)})
	}
	return out
}

// normal is what becomes of a document: its canonical form, or the rules that
// refuse it.
func normal(doc identity.Document) string {
	id, _, err := identity.Normalize(doc, identity.Options{Today: identity.Date{Year: 2026, Month: 1, Day: 1}})
	var refused *rule.Refusal
	if errors.As(err, &refused) {
		return refused.Code()
	}
	return string(id.X())
}
