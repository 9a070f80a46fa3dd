package mapping

import (
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/table"
)

// What follows is how a table's cells become parts of a packet, for readers of
// other formats: the same fact is the same bytes, and so the same entry, in
// whatever format it came.

// Meaning returns what a word means in a field of tables, as the packet says
// it, or "": 男 is "male" in sex, 广东省 is "44" in province.
func Meaning(key, word string) string {
	info := fieldOf(key)
	if info == nil || info.words == nil {
		return ""
	}
	if key == "province" {
		return provinceOf(word)
	}
	return info.words.find(word)
}

// Onset reads an onset that a person wrote, as the schema's TimeElement. sure is
// false for a date of which only the year is certain.
func Onset(text string) (o map[string]any, sure, ok bool) {
	return parseOnset(table.Cell{Text: text})
}

// Point writes a known date as the schema's TimeElement.
func Point(d entry.Date) map[string]any { return pointInTime(d) }

// Born writes a date of birth that is known to the day as the schema's time. Any
// other is "", and belongs into the raresync member.
func Born(d entry.Date) string { return birthTime(d) }

// SubjectOf is the id under which a patient is known who has a document and no
// record number.
func SubjectOf(d identity.Document) string {
	return string(d.Type) + ":" + strings.ToUpper(wordKey(d.Value))
}

// Interpreted returns what an interpretation and its variants are where the
// result of the test is known and no more is said: progress and standing.
func Interpreted(result string) (progress, standing string) {
	return first(progressOf[result], "UNKNOWN_PROGRESS"), first(standingOf[result], "UNKNOWN_STATUS")
}
