package fhir

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// MaxBytes is what the files of a set may hold together, by default.
const MaxBytes = 64 << 20

// Limits bound what a set may hold. A field of zero is its default.
type Limits struct {
	Bytes     int // of all files together; default MaxBytes
	Resources int // of all files together; default 200,000
	Patient   int // resources of one patient that are read; default 5,000
}

func (l Limits) orDefault() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Bytes, MaxBytes}, {&l.Resources, 200_000}, {&l.Patient, 5000}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// elementLimits bound one resource. An attachment is one text.
var elementLimits = jsontree.Limits{Depth: 64, Values: 100_000, Members: 4096, TextBytes: 16 << 20}

// keeping returns the limits of a resource of which only some members are kept.
func keeping(names ...string) jsontree.Limits {
	l := elementLimits
	l.Keep = map[string]bool{}
	for _, name := range names {
		l.Keep[name] = true
	}
	return l
}

// What the index and the identifiers of a Patient are made of. The rest is read
// with its patient.
var (
	indexed = keeping("resourceType", "id", "fullUrl", "resource", "request", "method", "entry", "type", "status", "verificationStatus", "coding", "code", "system", "value",
		"subject", "patient", "reference", "identifier", "derivedFrom")
	identified = keeping("resource", "identifier", "use", "type", "coding", "code", "system", "value")
)

// A Set holds the resources of some files, as text. It is not for several
// goroutines at once.
type Set struct {
	limits    Limits
	memory    jsontree.Memory // of what is looked at at present
	files     []file
	resources []resource
	bytes     int

	byURL    map[string][]int // places in resources, by fullUrl
	byName   map[string][]int // by type and id, "Patient/1"
	counted  map[string]int   // resources that are not used, by type
	about    string           // the first file, for findings on all of them
	findings []rule.Finding
	loose    int   // findings, those beyond the bound too
	strays   []int // places in resources of those that are refused because they are of no patient
}

// A resource is where one resource stands, and what must be known of it before
// it is read.
type resource struct {
	file     int
	number   int    // of its entry or line
	from, to int    // bytes of the file
	kind     string // "" of a type that is not used
	id       string
	url      string // fullUrl

	subject link // to the patient
	derived link // of an Observation without a patient, to the one that it rests on
}

// used are the types of which a packet is made, with the element that names the
// patient. A Medication is found by the resources that name it.
var used = map[string]string{
	"Patient": "", "Medication": "",
	"Condition": "subject", "Observation": "subject", "Specimen": "subject", "Consent": "patient", "MedicationStatement": "subject",
	"MedicationRequest": "subject", "Procedure": "subject", "FamilyMemberHistory": "patient", "Encounter": "subject", "DiagnosticReport": "subject",
	"ServiceRequest": "subject",
}

// NewSet returns a set without files.
func NewSet(limits Limits) *Set {
	return &Set{limits: limits.orDefault(), byURL: map[string][]int{}, byName: map[string][]int{}, counted: map[string]int{}}
}

// Add reads one file. name is the file's name as it may appear in findings.
//
// The error is a *rule.Refusal, and the set is not to be used then: FM001 for
// bytes that are not UTF-8, FM005 for what is above a limit, FH002 for a Bundle
// that answers a request or tells a history, FH007 for what is no FHIR R4 in
// JSON, or repeats a name, or is nested too deep.
func (s *Set) Add(name string, raw []byte) error {
	if s.bytes += len(raw); s.bytes > s.limits.Bytes {
		return rule.Refuse("FM005", name, fmt.Sprintf("more than %d bytes of FHIR", s.limits.Bytes))
	}
	if s.about == "" {
		s.about = name
	}
	f := file{name: name, text: strings.TrimPrefix(string(raw), "\ufeff")}
	s.files = append(s.files, f)
	return s.index(&s.files[len(s.files)-1])
}

// take enters a resource into the index.
func (s *Set) take(r resource) error {
	if len(s.resources) >= s.limits.Resources {
		return rule.Refuse("FM005", s.place(r), fmt.Sprintf("more than %d resources", s.limits.Resources))
	}
	i := len(s.resources)
	s.resources = append(s.resources, r)
	if r.url != "" {
		s.byURL[r.url] = append(s.byURL[r.url], i)
	}
	if r.id != "" {
		name := r.kind + "/" + r.id
		s.byName[name] = append(s.byName[name], i)
	}
	return nil
}

// read takes a resource apart once more. It could be read when it was indexed. What
// it returns is good until the set's memory is released.
func (s *Set) read(r resource) *jsontree.Value { return s.readAs(r, elementLimits) }

func (s *Set) readAs(r resource, limits jsontree.Limits) *jsontree.Value {
	f := s.files[r.file]
	v, _ := s.memory.Parse(f.text[r.from:r.to], limits)
	if f.form == bundle {
		return v.Get("resource")
	}
	return v
}

// Patients gives the patients of the set in the order in which they stand. Those
// with a finding that refuses are given, too. It is called once.
func (s *Set) Patients() iter.Seq[Patient] {
	return func(yield func(Patient) bool) {
		groups := s.groups()
		doubled := s.doubled(groups)
		for _, g := range groups {
			if !yield(s.patient(g, doubled)) {
				return
			}
		}
		s.conclude(len(groups))
	}
}

// A group is a Patient with the resources about it.
type group struct {
	patient   int // place in resources
	resources []int
	document  documents
}

// groups finds of whom each resource is.
func (s *Set) groups() (groups []*group) {
	of := map[int]*group{}
	byNumber := map[string]int{} // identifiers of Patients
	for i, r := range s.resources {
		if r.kind != "Patient" {
			continue
		}
		g := &group{patient: i}
		tree := s.readAs(r, identified)
		g.document = readDocuments(tree)
		for _, id := range tree.Get("identifier").List() {
			if key := numberKey(id); key != "" {
				byNumber[key] = i
			}
		}
		s.memory.Release()
		groups, of[i] = append(groups, g), g
	}
	var unsaid []int
	for i, r := range s.resources {
		if used[r.kind] == "" {
			continue
		}
		whose, at, detail := s.whose(i, byNumber)
		switch g := of[whose]; {
		case detail != "":
			s.find("FH001", s.place(r)+"."+at, detail)
			s.strays = append(s.strays, i)
		case g == nil:
			unsaid = append(unsaid, i)
			s.find("FH005", s.place(r), "no "+used[r.kind])
		default:
			g.resources = append(g.resources, i)
		}
	}
	if len(groups) == 0 {
		s.strays = append(s.strays, unsaid...)
	}
	return groups
}

// Strays returns what is refused because it is of no patient of the set, for [Again]
// alone; ok is false if nothing is. It is complete after the last patient.
func (s *Set) Strays() (p Patient, ok bool) {
	return Patient{set: s, members: s.strays}, len(s.strays) > 0
}

// maxFindings bounds those on resources of no patient: where one reference leads
// nowhere, all may.
const maxFindings = 100

// find notes a finding on a resource of no patient.
func (s *Set) find(code, at, detail string) {
	if len(s.findings) < maxFindings {
		s.findings = append(s.findings, rule.Find(code, at, detail))
	}
	s.loose++
}

// whose returns the Patient that a resource is about, -1 if it does not say, or
// why its reference leads to none.
func (s *Set) whose(i int, byNumber map[string]int) (patient int, at, detail string) {
	r := s.resources[i]
	for range maxSteps {
		if r.subject.given() || !r.derived.given() {
			break
		}
		next, why := s.follow(r, r.derived)
		if why != "" {
			return -1, "derivedFrom[0]", why
		}
		r = s.resources[next]
	}
	element := used[s.resources[i].kind]
	switch l := r.subject; {
	case !l.given():
		return -1, "", ""
	case l.reference == "":
		if p, ok := byNumber[l.number]; ok {
			return p, "", ""
		}
		return -1, element, "neither a reference nor the identifier of a Patient in the file"
	default:
		found, why := s.follow(r, l)
		if why == "" && s.resources[found].kind != "Patient" {
			why = "leads to no Patient"
		}
		return found, element, why
	}
}

// doubled returns the Patients that share a document, or an id that references
// name, with another of the set: which of the two an entry were about is unclear.
func (s *Set) doubled(groups []*group) map[int]string {
	out := map[int]string{}
	first := map[string]int{}
	mark := func(key, why string, i int) {
		if j, twice := first[key]; twice {
			out[i], out[j] = why, why
		} else {
			first[key] = i
		}
	}
	for _, g := range groups {
		if id, _, err := identity.Normalize(g.document.best, identity.Options{Today: identity.Date{Year: 9999, Month: 12, Day: 31}}); err == nil {
			if x := id.X(); x != nil {
				mark("document\x00"+string(x), "another Patient has this document", g.patient)
			}
		}
		r := s.resources[g.patient]
		if r.url != "" {
			mark("url\x00"+r.url, "another Patient has this fullUrl", g.patient)
		} else if r.id != "" {
			mark("id\x00"+r.id, "another Patient has this id", g.patient)
		}
	}
	return out
}

// conclude finds what is to be said of the set as a whole.
func (s *Set) conclude(patients int) {
	if patients == 0 {
		s.findings = []rule.Finding{rule.Find("FH004", s.about, fmt.Sprintf("%d resources of some patient", s.loose))}
	} else if s.loose > maxFindings {
		s.findings = append(s.findings, rule.Find("FH005", s.about, fmt.Sprintf("%d resources like these", s.loose)))
	}
	var counts []string
	for _, kind := range slices.Sorted(maps.Keys(s.counted)) {
		counts = append(counts, fmt.Sprintf("%s %d", kind, s.counted[kind]))
	}
	if len(counts) > 0 {
		s.findings = append(s.findings, rule.Find("FH003", s.about, strings.Join(counts, ", ")))
	}
}

// Findings are those on resources that belong to no patient, complete after the
// last patient: FH001, FH003, FH004, FH005.
func (s *Set) Findings() []rule.Finding { return s.findings }
