package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

// CellKeys are the fields that [Cells] may give.
func CellKeys() []string {
	return []string{"sex", "birth", "province", "department", "disease", "list_number", "orpha", "omim", "icd10", "verification",
		"diagnosis_date", "onset", "status", "death_date", "death_cause", "features", "features_absent", "first_contact", "family_history",
		"consanguinity", "hospitals_before", "referred_from", "payer", "test_type", "test_result", "test_date", "test_lab", "gene",
		"hgvs_c", "hgvs_p", "hgvs_g", "zygosity", "acmg"}
}

// Cells says a case in the template's Chinese words, by field: what a row of a table
// would say. genetics is the genetic entry of the case, or nil; of its variants the
// first is said. Identities and the record number are in no entry, and are left out
// like what is not given. Dates are as [entry.Date.String] writes them.
func Cells(e entry.Entry, genetics *entry.Entry) map[string]string {
	row := cells{}
	k := e.Case
	if k == nil {
		return row
	}
	row.word("sex", k.Sex.String())
	row.put("birth", k.Birth.String())
	row.word("province", k.Province)
	row.put("department", k.Department)
	row.word("verification", k.Verification.String())
	row.put("diagnosis_date", e.EventDate.String())
	row.word("status", k.Life.Status.String())
	row.put("death_date", said(k.Life.TimeOfDeath))
	if k.Life.DeathDateUnknown {
		row.put("death_date", "不详")
	}
	row.put("death_cause", first(k.Life.Cause.ID, k.Life.Cause.Label))
	row.put("first_contact", k.FirstContact.String())
	row.word("family_history", k.FamilyHistory.String())
	row.word("consanguinity", k.Consanguinity.String())
	row.put("hospitals_before", k.HospitalsBefore.String())
	row.put("referred_from", k.ReferredFrom)
	row.put("payer", k.Payer)
	row.features(k.Features)
	if d, ok := k.Principal(); ok {
		row.disease(d)
	}
	if genetics != nil && genetics.Genetics != nil {
		row.genetics(*genetics)
	}
	return row
}

// cells are those of a row by field.
type cells map[string]string

func (c cells) put(key, text string) {
	if text != "" && text != (entry.Date{}).String() {
		c[key] = text
	}
}

// word puts the template's word for a value.
func (c cells) word(key, value string) {
	words := fieldOf(key).words
	name := words.find(value)
	for _, m := range words.meanings {
		if m.name == name && name != "" {
			value = m.words[0]
		}
	}
	c.put(key, value)
}

func (c cells) features(list []entry.Feature) {
	for _, f := range list {
		key := "features"
		if f.Excluded {
			key = "features_absent"
		}
		c.put(key, strings.TrimPrefix(c[key]+"；"+first(f.Type.ID, f.Type.Label), "；"))
	}
}

// disease puts the registered disease with its codes and its rows of the lists.
func (c cells) disease(d entry.Disease) {
	name := d.Text
	var rows []string
	for _, r := range d.Match.Counted() {
		rows = append(rows, fmt.Sprintf("%d.%d", r.List, r.Number))
		if listed, ok := catalog.Current().ByNumber(int(r.List), int(r.Number)); ok && name == "" && len(listed.ZH) > 0 {
			name = listed.ZH[0]
		}
	}
	c.put("disease", name)
	c.put("list_number", strings.Join(rows, "；"))
	for _, code := range d.Codes {
		system, id, err := catalog.NormalizeCode(code)
		if err != nil {
			continue
		}
		switch system {
		case catalog.ORPHA:
			c.put("orpha", id)
		case catalog.OMIM:
			c.put("omim", id)
		case catalog.ICD10:
			c.put("icd10", id)
		}
	}
	c.put("onset", said(d.Onset))
}

// genetics puts the test and its first variant.
func (c cells) genetics(e entry.Entry) {
	g := e.Genetics
	c.word("test_type", g.Test.String())
	c.word("test_result", g.Outcome().String())
	c.put("test_date", e.EventDate.String())
	c.put("test_lab", g.Lab)
	for _, in := range g.Interpretations {
		if len(in.Variants) > 0 {
			c.variant(in.Variants[0])
			return
		}
	}
}

func (c cells) variant(v entry.Variant) {
	c.put("gene", strings.TrimSpace(v.Gene.ID+" "+v.Gene.Label))
	for _, x := range v.Expressions {
		if key := strings.ReplaceAll(strings.ToLower(x.Syntax), ".", "_"); strings.HasPrefix(key, "hgvs_") && fieldOf(key) != nil {
			c.put(key, x.Value)
		}
	}
	c.word("zygosity", v.Zygosity.ID)
	c.word("acmg", v.ACMG.String())
}

var wholeAge = regexp.MustCompile(`^P(?:([0-9]+)Y)?(?:([0-9]+)M)?(?:([0-9]+)D)?$`)

// said is a point in a patient's life as a table says it.
func said(w entry.When) string {
	switch w.Kind {
	case entry.WhenUndetermined:
		return "不详"
	case entry.WhenAntenatal:
		return "产前"
	case entry.WhenAtBirth:
		return "出生时"
	case entry.WhenAge:
		parts := wholeAge.FindStringSubmatch(w.A)
		if parts == nil {
			return w.A
		}
		var text strings.Builder
		for i, unit := range []string{"岁", "个月", "天"} {
			if n := parts[i+1]; n != "" {
				text.WriteString(n + unit)
			}
		}
		return text.String()
	case entry.WhenTimestamp:
		return strings.SplitN(w.A, "T", 2)[0]
	case entry.WhenClass:
		return first(w.B, w.A)
	}
	return w.A
}
