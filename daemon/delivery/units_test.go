package delivery_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/delivery"
)

const twoPatients = `{"resourceType":"Bundle","type":"collection","entry":[
{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"a","identifier":[{"system":"urn:oid:2.16.156.10011.1.12","value":"B1"}],"name":[{"text":"慕容晓峰"}]}},
{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient","id":"b","gender":"male","text":{"status":"generated","div":"<div>慕容晓峰</div>"},
 "name":[{"text":"慕容晓峰"}],"telecom":[{"system":"phone","value":"13800138000"}],"address":[{"state":"广东","line":["天河路 1 号"]}],
 "identifier":[{"system":"urn:oid:2.16.156.10011.1.12","value":"refused-2"},{"system":"urn:oid:2.16.156.10011.1.3","value":"110105199003077470"}]}},
{"resource":{"resourceType":"Condition","id":"c","subject":{"reference":"urn:uuid:2","display":"慕容晓峰"},"code":{"text":"法布雷病"}}},
{"resource":{"resourceType":"Condition","id":"d","subject":{"reference":"urn:uuid:1"},"code":{"text":"别的"}}}]}`

// handIn hands a file to answer, which refuses what holds the word.
func handIn(t *testing.T, name string, raw []byte, withIDs bool) (delivery.Report, []delivery.RejectFile) {
	t.Helper()
	f := delivery.File{Name: name, Raw: raw, Language: "zh", WithIDs: withIDs}
	r, rejects, err := f.Deliver(t.Context(), answer)
	if err != nil {
		t.Fatal(err)
	}
	return r, rejects
}

func TestRefusedPatientsOfFHIRComeBackAlone(t *testing.T) {
	r, rejects := handIn(t, "f.json", []byte(twoPatients), false)
	if r.Outcome != delivery.Partly || len(rejects) != 1 || delivery.Ending(rejects[0].Data) != ".json" {
		t.Fatalf("%s with %d files", r.Outcome, len(rejects))
	}
	text := string(rejects[0].Data)
	for _, want := range []string{`"refused-2"`, `"urn:uuid:2"`, `"法布雷病"`, `"广东"`, `"110***0"`, `"male"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	for _, telling := range []string{"慕容", "13800138000", "天河路", "110105199003077470", `"B1"`, "别的"} {
		if strings.Contains(text, telling) {
			t.Errorf("%s is in %s", telling, text)
		}
	}
	if _, rejects = handIn(t, "f.json", []byte(twoPatients), true); !strings.Contains(string(rejects[0].Data), "110105199003077470") {
		t.Error("the document is masked where it is asked for")
	}
	// Mended, with the document filled in, it is taken.
	mended := strings.NewReplacer("refused-2", "B2", "110***0", "110105199003077470").Replace(text)
	if r, rejects := handIn(t, "f.json", []byte(mended), false); r.Outcome != delivery.Accepted || len(rejects) != 0 {
		t.Errorf("mended it is %s: %v", r.Outcome, r.Findings)
	}
}

func TestResourcesOfNoPatientComeBackMasked(t *testing.T) {
	const without = `{"resourceType":"Bundle","type":"collection","entry":[
{"resource":{"resourceType":"Condition","id":"c","subject":{"reference":"urn:uuid:2","display":"慕容晓峰"},"code":{"text":"法布雷病"},"note":[{"text":"13800138000"}]}},
{"resource":{"resourceType":"Observation","id":"o","status":"final","code":{"text":"别的"}}}]}`
	stray := strings.Replace(twoPatients, `"urn:uuid:1"},"code"`, `"urn:uuid:9"},"code"`, 1)
	for name, tc := range map[string]struct {
		file          string
		refused       int
		there, absent string
	}{
		"a Bundle without a Patient":       {without, 1, `"法布雷病" "c" "o" "别的"`, "慕容 13800138000"},
		"a reference that leads to nobody": {stray, 2, `"d" "别的" "urn:uuid:9" "refused-2"`, `慕容 "B1"`},
	} {
		r, rejects := handIn(t, "f.json", []byte(tc.file), false)
		if len(rejects) != 1 || r.Rows == nil || r.Rows.Refused != tc.refused {
			t.Errorf("%s: %+v with %d files", name, r.Rows, len(rejects))
			continue
		}
		for want := range strings.FieldsSeq(tc.there) {
			if !strings.Contains(string(rejects[0].Data), want) {
				t.Errorf("%s: %s is missing in %s", name, want, rejects[0].Data)
			}
		}
		for telling := range strings.FieldsSeq(tc.absent) {
			if strings.Contains(string(rejects[0].Data), telling) {
				t.Errorf("%s: %s is in %s", name, telling, rejects[0].Data)
			}
		}
	}
}

func TestRefusedFilesOfAnArchiveComeBackAlone(t *testing.T) {
	packet := func(subject string) string {
		return `{"id":"p","subject":{"id":"` + subject + `","alternateIds":["B0012345678"]},"metaData":{},"note":"13800138000"}`
	}
	var raw bytes.Buffer
	z := zip.NewWriter(&raw)
	for name, text := range map[string]string{"x/good.json": packet("S1"), "x/bad.json": packet("refused"), "f.ndjson": strings.ReplaceAll(twoPatients, "\n", " ")} {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r, rejects := handIn(t, "all.zip", raw.Bytes(), false)
	if r.Rows == nil || r.Rows.Refused != 2 || len(rejects) != 1 || delivery.Ending(rejects[0].Data) != ".zip" {
		t.Fatalf("%+v with %d files", r.Rows, len(rejects))
	}
	back, err := zip.NewReader(bytes.NewReader(rejects[0].Data), int64(len(rejects[0].Data)))
	if err != nil {
		t.Fatal(err)
	}
	var names, all []string
	for _, f := range back.File {
		from, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		names, all = append(names, f.Name), append(all, string(text))
	}
	if got := strings.Join(names, " "); got != "raresync-refused-fhir.json x/bad.json" {
		t.Errorf("it holds %s", got)
	}
	for _, telling := range []string{"13800138000", "B0012345678", "慕容", "S1"} {
		if strings.Contains(strings.Join(all, ""), telling) {
			t.Errorf("%s is in it", telling)
		}
	}
	if r, _ := handIn(t, "again.zip", rejects[0].Data, false); r.Rows == nil || r.Rows.Read != 2 {
		t.Errorf("handed in again it is %+v, %v", r.Rows, r.Findings)
	}
}

func TestFindingsOfAReportAreInOneLanguage(t *testing.T) {
	r, _ := handIn(t, "f.csv", []byte("a,b\n1,2\n"), false)
	if f := r.Findings[0]; !strings.HasPrefix(f.Detail, "没有内置的映射") || !strings.HasPrefix(f.Original, "no shipped profile") {
		t.Errorf("%+v", f)
	}
	if f := r.Findings[0].In("en"); !strings.HasPrefix(f.Detail, "no shipped profile") || f.Original != "" || !strings.HasPrefix(f.What, "A column") {
		t.Errorf("%+v", f)
	}
}
