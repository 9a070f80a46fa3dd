package fhir

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/mapping"
)

// A variant is one genetic finding on its way into the interpretation.
type variant struct {
	descriptor object
	acmg       string
	rest       object
	at         string
}

// An implication says what a variant means.
type implication struct {
	of   int // place of the variant's Observation
	acmg string
	at   string
}

// LOINC codes of the components of a variant.
const (
	codeDNA      = "48004-6"
	codeProtein  = "48005-3"
	codeGenomic  = "81290-9"
	codeGene     = "48018-6"
	codeZygosity = "53034-5"
	codeMeaning  = "53037-8"
)

// answers of LOINC about variants: allelic states as a table's words, and
// classes as the packet names them.
var (
	zygosities = map[string]string{"LA6705-3": "homozygous", "LA6706-1": "heterozygous", "LA6707-9": "hemizygous", "LA6703-8": "heteroplasmic", "LA6704-6": "homoplasmic"}
	classes    = map[string]string{
		"LA6668-3": "PATHOGENIC", "LA26332-9": "LIKELY_PATHOGENIC", "LA26333-7": "UNCERTAIN_SIGNIFICANCE", "LA26334-5": "LIKELY_BENIGN", "LA6675-8": "BENIGN",
	}
)

// component returns the component of an Observation with a LOINC code.
func component(tree *jsontree.Value, code string) *jsontree.Value {
	for _, c := range tree.Get("component").List() {
		if has(c.Get("code"), "LOINC", code) {
			return c
		}
	}
	return nil
}

// answer returns what a component says: the code of its value, or its text.
func answer(c *jsontree.Value) string {
	if s := c.Get("valueString").Str(); s != "" {
		return s
	}
	value := c.Get("valueCodeableConcept")
	for _, one := range value.Get("coding").List() {
		if code := one.Get("code").Str(); code != "" {
			return code
		}
	}
	return value.Get("text").Str()
}

// genetic reads a variant or an implication; false for any other Observation.
func (b *builder) genetic(i int, r resource, tree *jsontree.Value) bool {
	v := object{"moleculeContext": "genomic"}
	var expressions []any
	for _, e := range [][2]string{{codeDNA, "hgvs.c"}, {codeProtein, "hgvs.p"}, {codeGenomic, "hgvs.g"}} {
		if text := answer(component(tree, e[0])); text != "" {
			expressions = append(expressions, object{"syntax": e[1], "value": text})
		}
	}
	if expressions != nil {
		v["expressions"] = expressions
	}
	if gene := geneOf(component(tree, codeGene).Get("valueCodeableConcept")); len(gene) > 0 {
		v["geneContext"] = gene
	}
	meaning := classes[answer(component(tree, codeMeaning))]
	if len(v) == 1 { // no variant
		if meaning == "" {
			return false
		}
		for _, from := range tree.Get("derivedFrom").List() {
			if of, why := b.set.follow(r, linkOf(from)); why == "" {
				b.about = append(b.about, implication{of, meaning, b.where})
			} else {
				b.find("FH001", b.where+".derivedFrom", why)
			}
		}
		return true
	}
	if word := zygosities[answer(component(tree, codeZygosity))]; word != "" {
		v["allelicState"] = object{"id": mapping.Meaning("zygosity", word), "label": word}
	}
	rest := object{}
	keep(rest, tree, "code", "component", "derivedFrom")
	if parts := keptComponents(tree); parts != nil {
		rest["components"] = parts
	}
	b.variants[i] = &variant{v, meaning, rest, b.where}
	b.order = append(b.order, i)
	return true
}

// keptComponents are the components of a variant that have no place of their own.
func keptComponents(tree *jsontree.Value) (kept []any) {
	for _, c := range tree.Get("component").List() {
		if has(c.Get("code"), "LOINC", codeDNA, codeProtein, codeGenomic, codeGene, codeZygosity, codeMeaning) {
			continue
		}
		if part, ok := coded(c, "").(object); ok {
			kept = append(kept, part)
		}
	}
	return kept
}

func geneOf(concept *jsontree.Value) object {
	g := object{}
	if c, ok := of(codings(concept), "HGNC"); ok {
		g["valueId"] = c.id()
		set(g, "symbol", c.label)
	}
	if text := concept.Get("text").Str(); g["symbol"] == nil && !strings.ContainsAny(text, " \t") {
		set(g, "symbol", text)
	}
	return g
}

// interpretation joins the variants into one interpretation of the registered
// disease, as a table's rows are.
func (b *builder) interpretation() object {
	for _, a := range b.about {
		if v := b.variants[a.of]; v != nil {
			v.acmg = a.acmg
		} else {
			b.find("FH005", a.at, "it rests on no variant")
		}
	}
	if len(b.order) == 0 {
		return nil
	}
	result, _ := b.test["result"].(string)
	progress, standing := mapping.Interpreted(result)
	var list []any
	for n, i := range b.order {
		v := b.variants[i]
		v.descriptor["id"] = fmt.Sprintf("variant-%d", n+1)
		in := object{"variationDescriptor": v.descriptor}
		set(in, "acmgPathogenicityClassification", v.acmg)
		if len(v.rest) > 0 {
			in["raresync"] = v.rest
		}
		list = append(list, object{"subjectOrBiosampleId": b.Subject, "interpretationStatus": standing, "variantInterpretation": in})
		b.put(fmt.Sprintf("$.interpretations[0].diagnosis.genomicInterpretations[%d]", n), v.at)
	}
	diagnosis := object{"genomicInterpretations": list}
	if len(b.diseases) > 0 && b.diseases[0].is["excluded"] == nil {
		diagnosis["disease"] = b.diseases[0].is["term"]
	}
	return object{"id": "interpretation-1", "progressStatus": progress, "diagnosis": diagnosis}
}
