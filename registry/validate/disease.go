package validate

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// diseases checks codes, their agreement, and what sex and age say to them.
func (c *check) diseases(e entry.Entry) {
	k := e.Case
	for i, d := range k.Diseases {
		c.codes(i, d)
		query := d.Query()
		query.Name = ""
		if !c.Catalog.Agree(query) {
			c.find("DX005", fmt.Sprintf("diseases[%d]", i), "")
		}
	}
	principal, ok := k.Principal()
	switch {
	case !ok && k.Verification != entry.Undiagnosed:
		c.find("DX001", "diseases", "")
	case k.Verification == entry.Undiagnosed && !observed(k.Features):
		c.find("DX002", "features", "")
	case ok && len(principal.Match.Rows) == 0:
		c.find("DX007", "diseases", "")
	}
	for _, row := range principal.Match.Counted() {
		c.bound(row, k, principal)
	}
}

func observed(features []entry.Feature) bool {
	for _, f := range features {
		if !f.Excluded && strings.HasPrefix(f.Type.ID, "HP:") {
			return true
		}
	}
	return false
}

// foreign is a code of a system whose form is not known here.
var foreign = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._-]{0,31}:[^\s]{1,128}$`)

// ownSystems are the prefixes whose form catalog.NormalizeCode knows.
var ownSystems = []string{"ORPHA", "ORPHANET", "OMIM", "OMIMPS", "MIM", "MONDO", "HP", "HGNC",
	"ICD10", "ICD10CM", "ICD-10", "ICD-10-CM"}

func (c *check) codes(i int, d entry.Disease) {
	if len(d.Codes) == 0 && d.Text == "" {
		c.find("DX004", fmt.Sprintf("diseases[%d]", i), "neither code nor text")
	}
	for j, code := range d.Codes {
		field := fmt.Sprintf("diseases[%d].codes[%d]", i, j)
		prefix, _, hasPrefix := strings.Cut(code, ":")
		switch {
		case prefix == "LIST":
			c.listCode(field, code)
		case hasPrefix && !containsFold(ownSystems, prefix) && foreign.MatchString(code):
			c.find("DX003", field, "a code system that is not looked up")
		default:
			if _, _, err := catalog.NormalizeCode(code); err != nil {
				c.find("DX004", field, "")
			}
		}
	}
}

func containsFold(list []string, s string) bool {
	for _, item := range list {
		if strings.EqualFold(item, s) {
			return true
		}
	}
	return false
}

func (c *check) listCode(field, code string) {
	list, number, ok := entry.ParseListCode(code)
	if !ok {
		c.find("DX004", field, "")
	} else if _, known := c.Catalog.ByNumber(list, number); !known {
		c.find("DX008", field, c.Catalog.Edition())
	}
}

// A bond ties a disease to one sex or to an early onset.
type bond struct {
	not      entry.Sex     // the sex in which it is unusual
	severity rule.Severity // W: X-linked, so carriers may be ill; Q: nearly never
	year     bool          // begins in the first year of life
}

// bonds are rows of the national lists (general medical knowledge: they flag
// and never refuse).
var bonds = map[entry.Row]bond{
	{List: 1, Number: 36}:  {not: entry.SexFemale, severity: rule.W}, // haemophilia
	{List: 1, Number: 98}:  {not: entry.SexFemale, severity: rule.W}, // Duchenne, Becker
	{List: 1, Number: 109}: {not: entry.SexFemale, severity: rule.W}, // Kennedy disease
	{List: 1, Number: 118}: {not: entry.SexFemale, severity: rule.W}, // Wiskott-Aldrich
	{List: 1, Number: 119}: {not: entry.SexFemale, severity: rule.W}, // adrenoleukodystrophy
	{List: 1, Number: 120}: {not: entry.SexFemale, severity: rule.W}, // X-linked agammaglobulinaemia
	{List: 1, Number: 121}: {not: entry.SexFemale, severity: rule.W}, // X-linked lymphoproliferative
	{List: 2, Number: 12}:  {not: entry.SexFemale, severity: rule.W}, // choroideraemia
	{List: 1, Number: 64}:  {not: entry.SexMale, severity: rule.Q},   // lymphangioleiomyomatosis
	{List: 2, Number: 72}:  {not: entry.SexMale, severity: rule.Q},   // Rett
	{List: 1, Number: 80}:  {year: true},                             // neonatal diabetes
	{List: 2, Number: 71}:  {year: true},                             // retinopathy of prematurity
}

func (c *check) bound(row entry.Row, k *entry.Case, d entry.Disease) {
	b, ok := bonds[row]
	if !ok {
		return
	}
	if b.not != entry.SexNotGiven && k.Sex == b.not {
		c.at(b.severity, "DX006", "sex", "")
	}
	if !b.year {
		return
	}
	birth := spanOf(k.Birth)
	age, isAge := parseDuration(d.Onset.A)
	late := isAge && d.Onset.Kind == entry.WhenAge && age.inYears() > 1
	if birth.known && !late {
		late = when(d.Onset, birth).surelyAfter(span{birth.first, birth.last.AddDate(1, 0, 0), true})
	}
	if late {
		c.find("DX006", "onset", "after the first year of life")
	}
}
