package validate

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
)

// Longest texts of a card, in bytes.
const (
	maxCardID    = 64
	maxCardName  = 200
	maxCardProse = 4000
)

// Card checks a card of a type: what it must say (CD002) and may not say (CD003),
// that the card it belongs to is there (CD004), its codes, dates and texts. others
// reports whether the hospital has a card of a type with an id.
func Card(ctx Context, t entry.Type, k entry.Card, others func(t entry.Type, id string) bool) []rule.Finding {
	c := &check{Context: ctx}
	biobank, collection, cohort := t == entry.TypeBiobank, t == entry.TypeCollection, t == entry.TypeCohort
	for _, f := range []struct {
		field            string
		given            bool
		needed, possible bool
	}{
		{"id", strings.TrimSpace(k.ID) != "", true, true},
		{"name", strings.TrimSpace(k.Name) != "", true, true},
		{"department", k.Department != "", biobank, true},
		{"within", k.Within != "", false, !biobank},
		{"diseases", len(k.Diseases) > 0, cohort, true},
		{"specimens", len(k.Kinds) > 0, collection, !cohort},
		{"storage", len(k.Storage) > 0, false, !cohort},
		{"specimen_count", k.Specimens != 0, false, !cohort},
		{"design", k.Design != entry.DesignNotGiven, cohort, cohort},
		{"planned", k.Planned != 0, false, cohort},
		{"status", k.Status != entry.CardStatusNotGiven, true, true},
	} {
		switch {
		case f.needed && !f.given:
			c.find("CD002", f.field, "a "+t.String()+" card needs it")
		case f.given && !f.possible:
			c.find("CD003", f.field, "of a "+t.String()+" card")
		}
	}
	within := entry.TypeBiobank
	if cohort {
		within = entry.TypeCollection
	}
	if k.Within != "" && !biobank && !others(within, k.Within) {
		c.find("CD004", "within", "no "+within.String()+" card of this id")
	}
	for i, code := range k.Diseases {
		c.codes(i, entry.Disease{Codes: []string{code}})
	}
	start, end := spanOf(k.Start), spanOf(k.End)
	c.notFuture("end", end)
	if start.surelyAfter(end) {
		c.find("DT002", "end", "before the start")
	}
	c.cardTexts(k)
	return c.findings
}

// cardTexts looks at the length of texts, and for personal numbers in them.
func (c *check) cardTexts(k entry.Card) {
	for _, text := range []struct {
		field, said string
		most        int
	}{
		{"id", k.ID, maxCardID}, {"name", k.Name, maxCardName}, {"name_en", k.NameEN, maxCardName}, {"description", k.Description, maxCardProse},
		{"within", k.Within, maxCardID}, {"department", k.Department, maxCardName}, {"address", k.Address, maxCardName},
	} {
		if len(text.said) > text.most {
			c.find("FM005", text.field, fmt.Sprintf("%d bytes, at most %d", len(text.said), text.most))
		}
		c.text(text.field, text.said)
	}
}
