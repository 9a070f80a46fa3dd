package phenopacket

import (
	"regexp"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// Locate returns findings of package validate, whose places are named after
// the entry's fields, with the file and the JSON path instead.
func (p Packet) Locate(findings []rule.Finding) []rule.Finding {
	return p.locate(findings)
}

func (p Packet) locate(findings []rule.Finding) []rule.Finding {
	var out []rule.Finding
	for _, f := range findings {
		path := f.Where
		if !strings.HasPrefix(path, "$") {
			path = p.native(jsonPath(path))
		}
		f.Where = where(p.name, p.path+strings.TrimPrefix(path, "$"))
		out = append(out, f)
	}
	return out
}

// native returns the path of a part in the schema's own list, if that is where
// the packet has such parts.
func (p Packet) native(path string) string {
	for _, k := range nativeKinds {
		rest, ok := strings.CutPrefix(path, "$.raresync."+k.instead)
		if ok && len(p.tree.At("raresync", k.instead).List()) == 0 && p.tree.Get(k.list) != nil {
			return "$." + k.list + rest
		}
	}
	return path
}

// places rewrites the beginning of a field's name. The first that fits is
// taken; a name that none fits stands in the raresync member.
var places = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`^diseases\[(\d+)\]\.codes\[\d+\]`), "$.diseases[$1].term.id"},
	{regexp.MustCompile(`^diseases\[(\d+)\]\.Text`), "$.diseases[$1].term.label"},
	{regexp.MustCompile(`^diseases`), "$.diseases"},
	{regexp.MustCompile(`^features\[(\d+)\]\.type`), "$.phenotypicFeatures[$1].type.id"},
	{regexp.MustCompile(`^features`), "$.phenotypicFeatures"},
	{regexp.MustCompile(`^birth`), "$.subject.dateOfBirth"},
	{regexp.MustCompile(`^sex`), "$.subject.sex"},
	{regexp.MustCompile(`^timeOfDeath`), "$.subject.vitalStatus.timeOfDeath"},
	{regexp.MustCompile(`^status`), "$.subject.vitalStatus.status"},
	{regexp.MustCompile(`^lastEncounter`), "$.subject.timeAtLastEncounter"},
	{regexp.MustCompile(`^onset`), "$.diseases[0].onset"},
	{regexp.MustCompile(`^references`), "$.metaData.externalReferences"},
	{regexp.MustCompile(`^interpretations\[(\d+)\]\.variants\[(\d+)\]`),
		"$.interpretations[$1].diagnosis.genomicInterpretations[$2].variantInterpretation.variationDescriptor"},
	{regexp.MustCompile(`^interpretations`), "$.interpretations"},
	{regexp.MustCompile(`^test\b`), "$.raresync.geneticTest.type"},
	{regexp.MustCompile(`^(result|lab)`), "$.raresync.geneticTest.$1"},
	{regexp.MustCompile(`^reportDate`), "$.raresync.geneticTest.date"},
	{regexp.MustCompile(`^`), "$.raresync."},
}

// jsonPath returns the JSON path of a field, named as package validate does.
func jsonPath(field string) string {
	if field == "" {
		return "$"
	}
	for _, place := range places {
		if place.from.MatchString(field) {
			// In the template $. is no reference to a group.
			return place.from.ReplaceAllString(field, strings.Replace(place.to, "$.", "$$.", 1))
		}
	}
	return "$"
}
