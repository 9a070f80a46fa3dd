package phenopacket

import (
	"errors"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// Accept makes the packet's entries and checks them. findings hold whatever
// was found, with file and JSON path. The error is a *rule.Refusal with all
// findings that refuse; the entries are not to be submitted then. Birth and
// Catalog of the context are filled in from the packet and the options.
func (p Packet) Accept(o Options, ctx validate.Context) (e Entries, findings []rule.Finding, err error) {
	e, err = p.Entries(o)
	if err != nil {
		return e, nil, err
	}
	ctx.Birth, ctx.Catalog = p.birth, o.Catalog
	findings = unique(append(e.Findings, p.locate(validate.Entries(ctx, e.All()...))...))
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
