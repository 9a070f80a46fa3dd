package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/table"
)

// TemplateCSV returns the empty template as CSV: the headings, "zh" or "en".
func TemplateCSV(lang string) []byte { return table.Write([][]string{headings(lang)}) }

// TemplateBook returns the empty template as XLSX: a sheet to fill in, with
// lists to choose from and cells that are text, one that explains the columns,
// and one with the diseases of the national lists.
func TemplateBook(lang string) ([]byte, error) {
	say := func(zh, en string) string { return Words{zh, en}.In(lang) }
	fill := table.Draft{Name: say("登记", "cases"), Rows: [][]string{headings(lang)}, Choices: map[int][]string{}, Prompts: map[int]string{}}
	help := table.Draft{
		Name:   helpSheet.In(lang),
		Rows:   [][]string{{say("列", "column"), say("必填", "required"), say("说明", "what it holds"), say("示例", "sample"), say("可选值", "words")}},
		Widths: []float64{18, 8, 60, 28, 60},
	}
	for i, c := range Columns() {
		var words []string
		for _, w := range c.Allowed {
			words = append(words, w.In(lang))
		}
		fill.Widths = append(fill.Widths, max(12, float64(2*len([]rune(c.Heading.In(lang))))))
		if len(words) > 0 {
			fill.Choices[i] = words
		}
		if text := c.Help.In(lang); text != "" {
			fill.Prompts[i] = text
		}
		need := ""
		if c.Required {
			need = say("是", "yes")
		}
		help.Rows = append(help.Rows, []string{c.Heading.In(lang), need, c.Help.In(lang), c.Sample, strings.Join(words, say("、", ", "))})
	}
	return table.WriteBook([]table.Draft{fill, help, diseaseSheet(say)})
}

// helpSheet and diseasesSheet are the names of the template's sheets that no patient is in.
var helpSheet, diseasesSheet = Words{"填写说明", "help"}, Words{"病种目录", "diseases"}

// ownSheet reports whether a sheet has the name of one of these.
func ownSheet(name string) bool {
	return slices.Contains([]string{helpSheet.ZH, helpSheet.EN, diseasesSheet.ZH, diseasesSheet.EN}, name)
}

// headings returns the template's headings in a language.
func headings(lang string) (heads []string) {
	for _, c := range Columns() {
		heads = append(heads, c.Heading.In(lang))
	}
	return heads
}

func diseaseSheet(say func(zh, en string) string) table.Draft {
	s := table.Draft{
		Name:   say(diseasesSheet.ZH, diseasesSheet.EN),
		Rows:   [][]string{{say("编号", "number"), say("中文名称", "Chinese name"), say("英文名称", "English name"), "ORPHA", "ICD-10"}},
		Widths: []float64{10, 36, 48, 28, 16},
	}
	for _, d := range catalog.Current().All() {
		var orpha []string
		for _, code := range d.ORPHA {
			orpha = append(orpha, code.ID)
		}
		s.Rows = append(s.Rows, []string{fmt.Sprintf("%d.%d", d.List, d.Number), strings.Join(d.ZH, "；"), strings.Join(d.EN, "; "),
			strings.Join(orpha, "; "), strings.Join(d.ICD10, "; ")})
	}
	return s
}
