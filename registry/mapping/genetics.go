package mapping

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/table"
)

// test writes the genetic test.
func (b *builder) test() object {
	t := object{}
	set(t, "type", b.word("test_type"))
	set(t, "result", b.word("test_result"))
	set(t, "date", b.date("test_date").String())
	set(t, "lab", b.text("test_lab"))
	return t
}

// What an interpretation is by the result of the test, where the table says no
// more.
var (
	progressOf = map[string]string{"causative": "SOLVED", "negative": "UNSOLVED", "uncertain": "UNSOLVED", "pending": "IN_PROGRESS"}
	standingOf = map[string]string{"causative": "CAUSATIVE", "uncertain": "CANDIDATE"}
)

// variantKeys are the fields of which one makes a variant.
var variantKeys = []string{"gene", "gene_symbol", "hgvs_c", "hgvs_p", "hgvs_g"}

// interpretations writes one interpretation with the variants of all rows.
func (b *builder) interpretations(diseases []disease, extra object) []any {
	test, _ := extra["geneticTest"].(object)
	result, _ := test["result"].(string)
	var variants []any
	progress := ""
	for _, row := range b.rows {
		one := *b
		one.rows = []table.Row{row}
		there := false
		for _, key := range variantKeys {
			_, ok := one.cell(key)
			there = there || ok
		}
		if !there {
			continue
		}
		if progress == "" || one.known("progress") == "SOLVED" {
			progress = first(one.word("progress"), progress)
		}
		variants = append(variants, one.variant(len(variants)+1, result))
		b.Findings = one.Findings
	}
	if len(variants) == 0 {
		return nil
	}
	diagnosis := object{"genomicInterpretations": variants}
	if len(diseases) > 0 && !diseases[0].excluded {
		diagnosis["disease"] = diseases[0].object(nil)["term"]
	}
	stated, _ := Interpreted(result)
	return []any{object{
		"id":             "interpretation-1",
		"progressStatus": first(progress, stated),
		"diagnosis":      diagnosis,
	}}
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

func (b *builder) variant(n int, result string) object {
	v := object{"id": fmt.Sprintf("variant-%d", n), "moleculeContext": "genomic"}
	if gene := b.gene(); len(gene) > 0 {
		v["geneContext"] = gene
	}
	var expressions []any
	for _, syntax := range []string{"hgvs.c", "hgvs.p", "hgvs.g"} {
		if c, ok := b.cell(strings.Replace(syntax, ".", "_", 1)); ok {
			expressions = append(expressions, object{"syntax": syntax, "value": strings.ReplaceAll(halfWidth(c.Text), " ", "")})
		}
	}
	put(v, "expressions", expressions)
	if id := b.word("zygosity"); id != "" {
		v["allelicState"] = object{"id": id, "label": zygosityLabel(id)}
	}
	_, standing := Interpreted(result)
	in := object{"variationDescriptor": v}
	set(in, "acmgPathogenicityClassification", b.word("acmg"))
	return object{
		"subjectOrBiosampleId":  b.Subject,
		"interpretationStatus":  first(b.word("standing"), standing),
		"variantInterpretation": in,
	}
}

func zygosityLabel(id string) string {
	for _, m := range zygosityWords.meanings {
		if m.name == id {
			return m.words[1]
		}
	}
	return ""
}

var hgncID = regexp.MustCompile(`(?i)HGNC[:：_ ]?([1-9][0-9]{0,6})`)

var geneSymbol = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.@-]{0,31}$`)

// gene reads a gene: its HGNC id, its symbol, or both.
func (b *builder) gene() object {
	g := object{}
	text := ""
	if c, ok := b.cell("gene"); ok {
		text = halfWidth(c.Text)
	}
	if at := hgncID.FindStringSubmatchIndex(text); at != nil {
		g["valueId"] = "HGNC:" + text[at[2]:at[3]]
		text = text[:at[0]] + text[at[1]:]
	}
	if text = strings.Trim(text, " ()[],;"); text != "" && !geneSymbol.MatchString(text) {
		b.find("DX003", "gene", rule.Mask(text)+"; want an HGNC id, a symbol, or both: HGNC:4296 GLA")
		text = ""
	}
	if c, ok := b.cell("gene_symbol"); ok && text == "" {
		text = c.Text
	}
	set(g, "symbol", text)
	return g
}
