package phenopacket

import (
	"regexp"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/jsontree"
)

// geneticFields leave the clinical part whole, wherever they stand. The last
// three are where version 1 of the schema kept the same.
var geneticFields = wordSet(`interpretations files geneticTest genomicInterpretations variantInterpretation
variationDescriptor vcfRecord geneContext diagnosticMarkers variants genes htsFiles`)

// genomicLOINC are the LOINC codes under which genomic observations are
// reported as measurements.
var genomicLOINC = wordSet(`48004-6 48005-3 48013-7 48018-6 47998-0 48001-2 51958-7 51963-7 53034-5 53037-8
53041-0 62374-4 69547-8 69548-6 69551-0 81252-9 81254-5 81258-6 81290-9 81291-7`)

// variantText finds a variant or a reference sequence in running text.
var variantText = regexp.MustCompile(`(?:^|[^A-Za-z0-9])(?:` +
	`[cgmnr]\.[(\[]?[-*]?[0-9]` + // c.518G>C
	`|p\.[(\[]?(?:[A-Z][a-z]{2}|[A-Z*])[0-9]` + // p.(Arg173Pro)
	`|(?:N[CGMPRTW]|X[MPR])_[0-9]{6,}|LRG_[0-9]+|ENS[TPG][0-9]{11}` + // sequences
	`|rs[0-9]{3,}` + // dbSNP
	`)`)

// split parts a document into what is clinical and what is genetic: the
// genetic fields, measurements that are genomic observations, and any text
// that spells out a variant. Without anything genetic the second is nil.
func split(v *value) (clinical, genetic *value) {
	genetic = geneticPart(v, false)
	if genetic == nil || !hasContent(genetic) {
		return v, nil
	}
	if clinical = subtract(v, genetic); clinical == nil {
		clinical = jsontree.NewObject()
	}
	return clinical, genetic
}

// geneticPart returns what of v is genetic, or nil.
func geneticPart(v *value, within bool) *value {
	switch {
	case within || v.Kind == jsontree.Text && spellsVariant(v.Text) || genomicMeasurement(v):
		return v
	case v.Kind == jsontree.Array:
		part := &value{Kind: jsontree.Array}
		for _, item := range v.Items {
			taken := geneticPart(item, false)
			if taken == nil {
				taken = jsontree.NewObject()
			}
			part.Items = append(part.Items, taken)
		}
		return trim(part)
	case v.Kind != jsontree.Object:
		return nil
	}
	part := jsontree.NewObject()
	for i, name := range v.Names {
		if taken := geneticPart(v.Items[i], geneticFields[name]); taken != nil {
			part.Set(name, taken)
		}
	}
	if part.Empty() {
		return nil
	}
	return part
}

// spellsVariant looks for the cheap marks of a variant first: each has one of these,
// and a digit.
func spellsVariant(s string) bool {
	marked := strings.ContainsAny(s, "._") || strings.Contains(s, "rs") || strings.Contains(s, "ENS")
	return marked && strings.ContainsAny(s, "0123456789") && variantText.MatchString(s)
}

func genomicMeasurement(v *value) bool {
	system, code, _ := strings.Cut(v.At("assay", "id").Str(), ":")
	return strings.EqualFold(system, "LOINC") && genomicLOINC[code]
}

// hasContent reports whether any leaf is in v: a list of interpretations that
// is there but empty makes no genetic entry.
func hasContent(v *value) bool {
	if v.Kind != jsontree.Object && v.Kind != jsontree.Array {
		return true
	}
	return slices.ContainsFunc(v.Items, hasContent)
}
