package daemon

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/delivery"
	"github.com/raresync/raresync/registry/mapping"
)

// handsIn delivers a file as the inbox does, and returns the index of the referral in
// it.
func (p *place) handsIn(t *testing.T, name, text string, profile *mapping.Profile) uint64 {
	t.Helper()
	f := delivery.File{Name: name, Raw: []byte(text), Language: "en", Profile: profile}
	r, _, err := f.Deliver(t.Context(), func(ctx context.Context, files []admin.File) ([]admin.FileResult, error) {
		got, err := p.client.Submit(ctx, admin.Submission{Files: files, Wait: true})
		return got.Files, err
	})
	must(t, err)
	at := slices.IndexFunc(r.Entries, func(e admin.EntryRef) bool { return e.Type == "referral" })
	if r.Outcome != delivery.Accepted || at < 0 {
		t.Fatalf("%s: %s %+v, %+v", name, r.Outcome, r.Findings, r.Entries)
	}
	return r.Entries[at].Index
}

// ofREDCap is the shipped profile with a hospital's own columns.
func ofREDCap(t *testing.T) *mapping.Profile {
	t.Helper()
	text, ok := mapping.ShippedText("rarelink")
	if !ok {
		t.Fatal("no profile of RareLink")
	}
	var more strings.Builder
	more.WriteString("\n[fields.department]\nvalue = \"神经内科\"\n[fields.province]\nvalue = \"北京\"\n")
	for _, field := range []string{"referral_to", "referral_reason", "referral_date"} {
		more.WriteString(fmt.Sprintf("[fields.%s]\ncolumns = [%q]\n", field, field))
	}
	profile, err := mapping.Parse("own.toml", text+more.String())
	must(t, err)
	return profile
}

// A referral of a table, of FHIR and of REDCap reaches the hospital that it names,
// stands in the report to the patient there, and goes when the patient's entries go.
func TestAReferralOfEveryFormatIsReportedToThePatientWhereItArrived(t *testing.T) {
	places := network(t)
	for _, p := range places {
		p.cfg.Withdraw.Spread = 0
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	h1, h2, h3, reader := places["h1"], places["h2"], places["h3"], places["reader"]

	csv := "病案号,证件类型,证件号码,签发国,性别,出生日期,居住省份,科室,疾病名称,目录编号,诊断日期,起病,生存状态,转入医院,转诊原因,转诊日期\n" +
		"B1,护照,X1234567,FRA,男,1990-03-07,广东,肾内科,法布雷病,1.27,2020-05-06,8岁,存活,entity-h2,用药,2024-05-06\n"
	resource := func(kind, more string) string {
		return fmt.Sprintf(`{"resource":{"resourceType":%q,"subject":{"reference":"Patient/1"},%s}}`, kind, more)
	}
	fhir := `{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"1","gender":"male","birthDate":"1985-02-03",` +
		`"address":[{"state":"广东"}],"deceasedBoolean":false,"identifier":[{"system":"urn:raresync:id:PP:FRA","value":"Y7654321"}],"extension":[{"url":"urn:raresync:department","valueString":"肾内科"}]}},` +
		resource("Condition", `"code":{"coding":[{"system":"http://www.orpha.net","code":"324","display":"Fabry disease"}]},"recordedDate":"2021-05-06","onsetAge":{"value":8,"unit":"a","system":"http://unitsofmeasure.org","code":"a"},`+
			`"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}]}`) + "," +
		resource("ServiceRequest", `"status":"active","intent":"order","authoredOn":"2024-06-07","reasonCode":[{"text":"treatment"}],"extension":[{"url":"urn:raresync:to","valueString":"entity-h2"}]`) + "]}"
	redcap := "record_id,redcap_repeat_instrument,snomed_184099003,snomed_281053000,snomed_278844005,disease_coding,snomed_64572001_ordo,loinc_99498_8," +
		"snomed_424850005,snomed_432213005,referral_to,referral_reason,referral_date\n" +
		"102,,2010-01-01,snomed_248152002,snomed_438949009,,,,,,entity-h2,drug,2024-07-08\n" +
		"102,rarelink_5_disease,,,,ordo,ORPHA:324,hl7fhir_confirmed,snomed_410672004,2014-09-30,,,\n"
	indexes := map[string]uint64{
		"table": h1.handsIn(t, "a.csv", csv, nil), "FHIR": h1.handsIn(t, "a.json", fhir, nil),
		"REDCap": h1.handsIn(t, "redcap.csv", redcap, ofREDCap(t)),
	}
	last := max(indexes["table"], indexes["FHIR"], indexes["REDCap"])
	if got := h2.reads(t, last); !slices.Equal(got, []string{"referral", "referral", "referral"}) {
		t.Errorf("the addressed hospital lists %v", got)
	}
	if got := h3.reads(t, last); len(got) != 0 {
		t.Errorf("another hospital lists %v", got)
	}
	reader.reads(t, last)

	asks := func(p *place, document string) admin.SubjectReport {
		t.Helper()
		r, err := p.client.ReportSubject(t.Context(), admin.Subject{Document: &admin.Document{Type: "PP", Issuer: "FRA", Value: document}})
		must(t, err)
		return r
	}
	for format, document := range map[string]string{"table": "X1234567", "FHIR": "Y7654321"} {
		r := asks(h2, document)
		if len(r.Entries) != 0 || len(r.Received) != 1 || r.Received[0].Index != indexes[format] || r.Received[0].Hospital != 1 ||
			r.Received[0].Person != "" || !strings.Contains(string(r.Received[0].Content), `"entity`) && !strings.Contains(string(r.Received[0].Content), `"ENTITY`) {
			t.Errorf("%s: the addressed hospital reports %+v", format, r)
		}
		if own := asks(h1, document); len(own.Received) != 0 || len(own.Entries) != 2 {
			t.Errorf("%s: the sender reports %d entries, %d received", format, len(own.Entries), len(own.Received))
		}
	}

	withdraw := func(action, document string) {
		t.Helper()
		_, err := h1.client.Withdraw(t.Context(), admin.Withdrawal{
			Action: action, Document: &admin.Document{Type: "PP", Issuer: "FRA", Value: document}, By: "self", Scope: []string{"all"}, Now: true, Wait: true,
		})
		must(t, err)
	}
	withdraw("stop", "Y7654321")
	withdraw("erase", "X1234567")
	until(t, "the addressed hospital has forgotten the referral", func() (bool, error) {
		_, err := h2.client.Entry(t.Context(), indexes["table"])
		return problemCode(err) == admin.CodeErased, err
	})
	if r := asks(h2, "X1234567"); len(r.Received) != 0 {
		t.Errorf("after the erasure the addressed hospital reports %+v", r.Received)
	}
	if got := h2.reads(t, last); !slices.Equal(got, []string{"referral", "referral"}) {
		t.Errorf("after the erasure the addressed hospital lists %v", got)
	}
	// A stop ends use by readers; the hospital that the patient came to keeps its letter.
	if r := asks(h2, "Y7654321"); len(r.Received) != 1 || r.Received[0].State != "" {
		t.Errorf("after the stop the addressed hospital reports %+v", r.Received)
	}
}
