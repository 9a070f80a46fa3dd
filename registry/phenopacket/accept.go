package phenopacket

import (
	"errors"
	"slices"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// Accept makes the packet's entries and checks them. findings hold whatever
// was found, with file and JSON path. The error is a *rule.Refusal with all
// findings that refuse; the entries are not to be submitted then.
// Birth, Consent and Catalog of the context are filled in from the packet and the
// options.
func (p Packet) Accept(o Options, ctx validate.Context) (e Entries, findings []rule.Finding, err error) {
	e, err = p.Entries(o)
	if err != nil {
		return e, nil, err
	}
	consent, found := p.consent()
	ctx.Birth, ctx.Consent, ctx.Catalog = p.birth, consent, o.Catalog
	found = append(found, validate.Entries(ctx, e.All()...)...)
	e.Doubts = validate.Doubts(append(slices.Clone(e.Findings), found...), e.All()...)
	findings = unique(append(e.Findings, p.locate(found)...))
	for _, one := range e.All() {
		var refused *rule.Refusal
		if _, err := entry.Encode(one); errors.As(err, &refused) {
			findings = append(findings, p.locate(refused.Findings)...)
		} else if err != nil {
			return e, nil, err
		}
	}
	return e, findings, rule.Refusals(findings)
}

// consent returns what the packet says of the consent it is reported under. A
// date that cannot be read is DT001; a basis that no word names is PP002, since
// the entry would be held on another than was meant.
func (p Packet) consent() (c validate.Consent, findings []rule.Finding) {
	if basis := p.tree.At("raresync", "basis"); basis.Given() && (basis.Kind != jsontree.Text || !slices.Contains(basisWords, basis.Str())) {
		findings = append(findings, rule.Find("PP002", "basis", "not one of "+listed(basisWords)))
	}
	said := p.tree.At("raresync", "consent")
	date, ok := entry.ParseDate(said.Get("date").Str())
	if !ok {
		findings = append(findings, rule.Find("DT001", "consent.date", "not YYYY, YYYY-MM or YYYY-MM-DD"))
	}
	return validate.Consent{By: said.Get("by").Str(), Date: date}, findings
}

// unique drops findings that repeat rule and place.
func unique(findings []rule.Finding) []rule.Finding {
	type key struct{ code, where string }
	seen := map[key]bool{}
	var out []rule.Finding
	for _, f := range findings {
		if k := (key{f.Code, f.Where}); !seen[k] {
			seen[k] = true
			out = append(out, f)
		}
	}
	return out
}
