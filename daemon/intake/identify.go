package intake

import (
	"context"
	"errors"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/rule"
)

// Labelled is a document with the name that findings about it carry.
type Labelled struct {
	Label    string
	Document identity.Document
}

// Identified is a document in canonical form with its pseudonym in this
// network, or in this hospital if it is LOCAL.
type Identified struct {
	Identity  identity.Identity
	Pseudonym pseudonym.Pseudonym
	Strength  entry.Strength
}

// Identify checks documents and asks the share holders for their pseudonyms,
// all at once. Findings are flags on what was accepted. The error is a
// *rule.Refusal with the findings on all documents, or what kept the holders
// from answering.
func (in *Intake) Identify(ctx context.Context, documents ...Labelled) ([]Identified, []rule.Finding, error) {
	out := make([]Identified, len(documents))
	var findings, refusals []rule.Finding
	for i, d := range documents {
		id, found, err := identity.Normalize(d.Document, in.identityOptions())
		var refused *rule.Refusal
		switch {
		case errors.As(err, &refused):
			refusals = append(refusals, labelled(d.Label, refused.Findings)...)
		case err != nil:
			return nil, nil, err
		}
		findings = append(findings, labelled(d.Label, found)...)
		out[i] = Identified{Identity: id, Strength: strengthOf(id)}
	}
	if err := rule.Refusals(refusals); err != nil {
		return nil, nil, err
	}
	ids := make([]identity.Identity, len(out))
	for i := range out {
		ids[i] = out[i].Identity
	}
	names, err := in.pseudonyms(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for i := range out {
		out[i].Pseudonym = names[i]
	}
	return out, findings, nil
}

func labelled(label string, findings []rule.Finding) []rule.Finding {
	for i := range findings {
		findings[i].Where = label
	}
	return findings
}

func strengthOf(id identity.Identity) entry.Strength {
	switch id.Strength() {
	case identity.Strong:
		return entry.StrengthStrong
	case identity.Weak:
		return entry.StrengthWeak
	}
	return entry.StrengthLocal
}

func (in *Intake) today() entry.Date { return entry.DateOf(in.cfg.Now().In(china)) }

func (in *Intake) identityOptions() identity.Options {
	today := in.today()
	return identity.Options{
		Today:      identity.Date{Year: int(today.Year), Month: int(today.Month), Day: int(today.Day)},
		Production: in.cfg.Production,
	}
}

// pseudonyms gives each identity its pseudonym: national ones from the share
// holders, all at once; local ones from the hospital's own key.
func (in *Intake) pseudonyms(ctx context.Context, ids []identity.Identity) ([]pseudonym.Pseudonym, error) {
	var xs [][]byte
	for _, id := range ids {
		if x := id.X(); x != nil {
			xs = append(xs, x)
		}
	}
	var national []pseudonym.Pseudonym
	if len(xs) > 0 {
		var err error
		if national, err = in.cfg.Pseudonymiser.Pseudonyms(ctx, xs); err != nil {
			return nil, err
		}
	}
	out := make([]pseudonym.Pseudonym, len(ids))
	for i, id := range ids {
		if id.X() != nil {
			out[i], national = national[0], national[1:]
			continue
		}
		out[i] = pseudonym.Local(in.cfg.Local, id.LocalKey())
	}
	return out, nil
}
