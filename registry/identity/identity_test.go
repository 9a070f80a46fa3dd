package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/rule"
)

const sample = "11010519491231002X" // the standard's

func must(t *testing.T, kind Type, value string) Identity {
	t.Helper()
	id, _, err := Normalize(Document{Type: kind, Value: value}, Options{Today: vectorDay})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestNothingPrintsTheNumber(t *testing.T) {
	doc := Document{Type: RIC, Value: sample}
	id := must(t, RIC, sample)
	type holder struct {
		id  Identity
		ids []Identity
		Pub Identity
	}
	var out bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("logged", "id", id, "doc", doc, "holder", holder{id, []Identity{id}, id})
	slog.New(slog.NewTextHandler(&out, nil)).Info("logged", "id", id, "doc", &doc, "holder", holder{id: id})
	for _, v := range []any{id, &id, []Identity{id}, holder{id, []Identity{id}, id}, map[string]Identity{"a": id}, doc, &doc, []Document{doc}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprint(&out, id.String(), id.GoString(), fmt.Errorf("about %v", id))
	for _, secret := range []string{sample, "19491231", fmt.Sprintf("%x", sample), fmt.Sprintf("%d", []byte(sample[6:10]))[1:]} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("printed output holds %q", secret)
		}
	}
	if !strings.Contains(out.String(), "identity(RIC)") {
		t.Error("printed output does not name the type")
	}
}

func TestARefusalDoesNotRepeatTheValue(t *testing.T) {
	for _, v := range readVectors(t) {
		_, findings, err := Normalize(v.doc, v.opt)
		said := fmt.Sprint(findings, err)
		if len(v.doc.Value) > 6 && strings.Contains(said, v.doc.Value) {
			t.Errorf("%s: %s", v.title, said)
		}
	}
	_, _, err := Normalize(Document{Type: sample, Value: sample}, Options{Today: vectorDay})
	if err == nil || strings.Contains(err.Error(), sample) {
		t.Errorf("a number in the type column: %v", err)
	}
	if got := fmt.Sprint(Document{Type: sample}); got != "document(?)" {
		t.Errorf("a number in the type column prints as %s", got)
	}
}

func TestWhatADocumentStates(t *testing.T) {
	id := must(t, RIC, sample)
	if y, m, d, ok := id.BirthDate(); y != 1949 || m != 12 || d != 31 || !ok {
		t.Errorf("birth date: got %d-%d-%d %v", y, m, d, ok)
	}
	if sex, ok := id.Sex(); sex != Female || !ok {
		t.Errorf("sex: got %v %v, want female", sex, ok)
	}
	if sex, ok := must(t, RIC, "810000199003075174").Sex(); sex != Male || !ok {
		t.Errorf("sex: got %v %v, want male", sex, ok)
	}
	for name, silent := range map[string]Identity{"travel permit": must(t, HKM, "H12345678"), "zero": {}} {
		if _, _, _, ok := silent.BirthDate(); ok {
			t.Errorf("%s states a birth date", name)
		}
		if _, ok := silent.Sex(); ok {
			t.Errorf("%s states a sex", name)
		}
	}
	if (Identity{}).X() != nil || (Identity{}).Equal(Identity{}) {
		t.Error("the zero identity enters the OPRF or equals itself")
	}
}

func TestStrength(t *testing.T) {
	mother := &Document{Type: HKM, Value: "H12345678"}
	for name, tc := range map[string]struct {
		doc  Document
		want Strength
	}{
		"resident ID":                  {Document{Type: RIC, Value: sample}, Strong},
		"Hong Kong permit":             {*mother, Strong},
		"Taiwan permit":                {Document{Type: TWP, Value: "12345678"}, Strong},
		"foreigner's card of 2017":     {Document{Type: FPR17, Value: "GBR110189901010"}, Strong},
		"passport changes at renewal":  {Document{Type: PP, Issuer: "USA", Value: "123456789"}, Weak},
		"birth certificate":            {Document{Type: BC, Value: "A123456789"}, Weak},
		"newborn by mother's document": {Document{Type: NBM, Mother: mother, BirthDate: Date{2024, 5, 1}, Order: 1}, Weak},
		"record number":                {Document{Type: LOCAL, Value: "42"}, Local},
	} {
		id, findings, err := Normalize(tc.doc, Options{Today: vectorDay})
		if err != nil || id.Strength() != tc.want {
			t.Errorf("%s: got %v %v, want %v", name, id.Strength(), err, tc.want)
		}
		if flagged := len(findings) == 1 && findings[0].Code == "ID010"; flagged != (tc.want != Strong) {
			t.Errorf("%s: findings %v", name, findings)
		}
	}
}

func TestAllRefusalsAreGivenTogether(t *testing.T) {
	_, _, err := Normalize(Document{Type: RIC, Value: "110105194913320021"}, Options{Today: vectorDay})
	var refusal *rule.Refusal
	if !errors.As(err, &refusal) || len(refusal.Findings) != 2 ||
		refusal.Findings[0].Code != "ID002" || refusal.Findings[1].Code != "ID003" {
		t.Errorf("got %v, want ID002 and ID003", err)
	}
}

func TestTodayIsRequired(t *testing.T) {
	_, _, err := Normalize(Document{Type: RIC, Value: sample}, Options{})
	var refusal *rule.Refusal
	if !errors.As(err, &refusal) || refusal.Code() != "ID003" {
		t.Errorf("without a date of today: got %v, want ID003", err)
	}
}

func TestLongInputIsRefused(t *testing.T) {
	for name, doc := range map[string]Document{
		"value":      {Type: RIC, Value: strings.Repeat(" ", maxRawBytes) + sample},
		"issuer":     {Type: PP, Issuer: strings.Repeat(" ", maxRawBytes) + "USA", Value: "123456789"},
		"local":      {Type: LOCAL, Value: strings.Repeat("1", maxRawBytes+1)},
		"no mother":  {Type: NBM, BirthDate: Date{2024, 5, 1}, Order: 1},
		"no newborn": {Type: NBM, Mother: &Document{Type: NBM, Mother: &Document{Type: RIC, Value: sample}}, Order: 1},
	} {
		if _, _, err := Normalize(doc, Options{Today: vectorDay}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestMothersFlagsStay(t *testing.T) {
	first := "16010518990101001"
	mother := &Document{Type: RIC, Value: first + string(CheckDigit(first))}
	_, findings, err := Normalize(Document{Type: NBM, Mother: mother, BirthDate: Date{1920, 5, 1}, Order: 1}, Options{Today: vectorDay})
	if err != nil || len(findings) != 2 || findings[0].Code != "ID005" {
		t.Errorf("got %v %v, want ID005 and ID010", findings, err)
	}
}
