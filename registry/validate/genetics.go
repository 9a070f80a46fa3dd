package validate

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/entry"
)

// hgvs is the outline of an HGVS description: a sequence with or without a
// gene in brackets, the kind of coordinate, and a change. It is no full
// grammar: GN001 is a flag.
var (
	sequence = regexp.MustCompile(`^(?:(?:N[CGMPRTW]|X[MPR])_[0-9]{4,}(?:\.[0-9]+)?|LRG_[0-9]+(?:[tp][0-9]+)?|` +
		`ENS[TPG][0-9]{11}(?:\.[0-9]+)?)(?:\([^()]{1,40}\))?:`)
	nucleotide = regexp.MustCompile(`^[cgmnor]\.[(\[]?[(]?[-*?]?[0-9?].*(?:>|del|dup|ins|inv|con|=|\||\[[0-9])`)
	protein    = regexp.MustCompile(`^p\.(?:[(\[]?(?:[A-Z][a-z]{2}|[A-Z*])[0-9]+|\(?[?=]|0|\(?Met1)`)
)

func (c *check) genetics(e entry.Entry) {
	c.notFuture("reportDate", spanOf(e.EventDate))
	c.text("lab", e.Genetics.Lab)
	for i, in := range e.Genetics.Interpretations {
		for j, v := range in.Variants {
			c.variant(fmt.Sprintf("interpretations[%d].variants[%d]", i, j), v)
		}
	}
}

func (c *check) variant(field string, v entry.Variant) {
	located := v.VCF.Assembly != ""
	described := v.VCF.Given()
	for k, x := range v.Expressions {
		if !strings.HasPrefix(strings.ToLower(x.Syntax), "hgvs") {
			continue
		}
		described = true
		on := sequence.FindString(x.Value)
		located = located || on != ""
		change := x.Value[len(on):]
		if !nucleotide.MatchString(change) && !protein.MatchString(change) {
			c.find("GN001", fmt.Sprintf("%s.expressions[%d]", field, k), "")
		}
	}
	if described && !located {
		c.find("GN003", field, "")
	}
	if v.Standing == entry.StandingCausative && (v.ACMG == entry.ACMGBenign || v.ACMG == entry.ACMGLikelyBenign) {
		c.find("GN004", field, "")
	}
}

// verified asks for a genetic result where the diagnosis is said to rest on one.
func (c *check) verified(p patient) {
	if p.clinical == nil || p.clinical.Case.Verification != entry.Genetic {
		return
	}
	for _, g := range p.genetics {
		if r := g.Genetics.Outcome(); r != entry.ResultNotGiven && r != entry.Pending {
			return
		}
	}
	c.find("GN002", "verification", "")
}
