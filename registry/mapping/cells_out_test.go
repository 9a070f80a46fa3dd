package mapping

import (
	"bytes"
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/table"
	"github.com/raresync/raresync/registry/validate"
)

// acceptRow takes a row of the template all the way to its entries.
func acceptRow(t *testing.T, lines ...[]string) phenopacket.Entries {
	t.Helper()
	book, err := table.Open("f.csv", table.Write(lines), table.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	profile, _ := ShippedProfile("template")
	for p := range profile.Reader("f.csv", book).All() {
		packets, err := phenopacket.Read("", bytes.NewReader(p.Packet), phenopacket.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		made, _, err := packets[0].Accept(phenopacket.Options{Catalog: catalog.Current(), Profile: entry.Report, Basis: entry.BasisStatutory},
			validate.Context{Today: entry.Date{Year: 2026, Month: 11, Day: 27}})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	t.Fatal("no patient")
	return phenopacket.Entries{}
}

// What a row says comes back in the row's own words.
func TestARowComesBackInItsWords(t *testing.T) {
	want := map[string]string{
		"sex": "男", "birth": "1990-03", "province": "广东", "department": "肾内科", "disease": "法布雷病", "list_number": "1.27", "orpha": "ORPHA:324",
		"omim": "OMIM:301500", "icd10": "E75.2", "verification": "基因诊断", "diagnosis_date": "2020-05-06", "onset": "8岁", "status": "存活",
		"first_contact": "2020-04-01", "features": "HP:0000093；HP:0001250", "features_absent": "HP:0000365", "family_history": "有",
		"consanguinity": "无", "hospitals_before": "3", "payer": "城镇职工基本医疗保险", "test_type": "基因包", "test_result": "致病",
		"test_date": "2020-05-01", "gene": "HGNC:4296 GLA", "hgvs_c": "NM_000169.3:c.644A>G", "zygosity": "半合子", "acmg": "致病",
	}
	heads, row := []string{"病案号"}, []string{"B1"}
	for _, key := range CellKeys() {
		if text, ok := want[key]; ok {
			heads, row = append(heads, head(key).ZH), append(row, text)
		}
	}
	made := acceptRow(t, heads, row)
	got := Cells(made.Case, made.Genetics)
	for key, text := range want {
		if got[key] != text {
			t.Errorf("%s: got %q, want %q", key, got[key], text)
		}
	}
	for key := range got {
		if !slices.Contains(CellKeys(), key) {
			t.Errorf("%s is none of the keys", key)
		}
		if want[key] == "" {
			t.Errorf("%s: %q was not said", key, got[key])
		}
	}
}

func TestPointsInALifeAreSaidAsATableSaysThem(t *testing.T) {
	for want, w := range map[string]entry.When{
		"不详": {Kind: entry.WhenUndetermined}, "产前": {Kind: entry.WhenAntenatal}, "出生时": {Kind: entry.WhenAtBirth},
		"2岁3个月": {Kind: entry.WhenAge, A: "P2Y3M"}, "P1W": {Kind: entry.WhenAge, A: "P1W"}, "2020-05": {Kind: entry.WhenDate, A: "2020-05"},
		"2020-05-06": {Kind: entry.WhenTimestamp, A: "2020-05-06T07:08:09Z"}, "": {},
	} {
		if got := said(w); got != want {
			t.Errorf("%+v: got %q, want %q", w, got, want)
		}
	}
}
