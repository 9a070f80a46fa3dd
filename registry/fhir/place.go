package fhir

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/registry/rule"
)

// place names a resource for findings: its file and path.
func (s *Set) place(r resource) string {
	f := s.files[r.file]
	switch f.form {
	case bundle:
		return fmt.Sprintf("%s Bundle.entry[%d].resource", f.name, r.number)
	case lines:
		return fmt.Sprintf("%s line %d %s", f.name, r.number, r.kind)
	}
	return strings.TrimSpace(f.name + " " + r.kind)
}

// put keeps where the part of the packet at a path comes from.
func (b *builder) put(path, at string) { b.places[path] = at }

// missing are the elements in which facts are looked for, by the path in a
// packet that lacks them.
var missing = []struct{ path, element string }{
	{"$.subject.sex", ".gender"}, {"$.subject.dateOfBirth", ".birthDate"}, {"$.subject.vitalStatus", ".deceased"},
	{"$.raresync.province", ".address.state"},
	{"$.diseases[0].onset", " Condition.onset"}, {"$.diseases", " Condition"}, {"$.phenotypicFeatures", " Observation"},
	{"$.raresync.diagnosisDate", " Condition.recordedDate"}, {"$.raresync.department", " Encounter.serviceType"},
	{"$.raresync.geneticTest", " DiagnosticReport.extension"}, {"$.raresync.familyHistory", " FamilyMemberHistory"},
}

// Locate returns a finding about the packet, whose place is a JSON path, with
// file, resource and element instead.
func (p Patient) Locate(f rule.Finding) rule.Finding {
	f.Where = p.locate(f.Where)
	if strings.HasPrefix(f.Code, "ID") && f.Where == p.At {
		f.Where += ".identifier"
	}
	return f
}

func (p Patient) locate(path string) string {
	best := ""
	for prefix := range p.places {
		if len(prefix) > len(best) && begins(path, prefix) {
			best = prefix
		}
	}
	for _, m := range missing {
		if len(m.path) > len(best) && begins(path, m.path) {
			return p.At + m.element
		}
	}
	if best != "" {
		return p.places[best] + ending(path, best)
	}
	if name, ok := strings.CutPrefix(path, "$.raresync."); ok {
		return p.At + ".extension(" + name + ")"
	}
	return p.At
}

// begins reports whether a path leads into, or to, what stands at prefix.
func begins(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// ending names the element of a condition that a finding is about.
func ending(path, prefix string) string {
	switch rest := path[len(prefix):]; {
	case strings.HasPrefix(rest, ".term"), strings.HasPrefix(rest, ".type"), strings.HasPrefix(rest, ".assay"):
		return ".code"
	case strings.HasPrefix(rest, ".onset"):
		return ".onset"
	case strings.HasPrefix(prefix, "$.raresync.") && strings.HasPrefix(rest, "."):
		return "(" + rest[1:] + ")"
	}
	return ""
}
