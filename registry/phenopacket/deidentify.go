package phenopacket

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// What stands in place of an identifier. docs/DEIDENTIFICATION.md lists every
// replacement; a change here is a change there.
const (
	subjectMark = "subject"  // the patient; an export puts its own id here
	withheld    = "withheld" // a person other than the patient, or an address
)

// A deidentifier replaces what identifies the patient, relatives and staff.
// The same identifier gets the same replacement throughout one packet.
type deidentifier struct {
	names    map[string]string // identifier to replacement
	counts   map[string]int    // per sort of replacement
	own      []string          // identifiers of this patient and packet
	findings []rule.Finding
}

// deidentify changes a packet in place and returns what it found on the way.
func deidentify(packet *value) []rule.Finding {
	d := &deidentifier{names: map[string]string{}, counts: map[string]int{}}
	subject := packet.Get("subject")
	id := packet.Get("id").Str()
	d.own = append(d.own, id, subject.Get("id").Str())
	for _, alternate := range subject.Get("alternateIds").List() {
		d.own = append(d.own, alternate.Str())
	}
	d.names[subject.Get("id").Str()] = subjectMark

	packet.Set("id", jsontree.TextOf(subjectMark))
	d.birth(subject, packet.Get("raresync"))
	d.subject(subject)
	d.biosamples(packet)
	d.specimens(packet)
	d.interpretations(packet)
	d.files(packet)
	d.metaData(packet.Get("metaData"))
	keepPMID(packet, id)
	d.wrapper(packet.At("raresync", "family"))
	d.wrapper(packet.At("raresync", "cohort"))
	dropTitles(packet)
	return d.findings
}

// alias returns the replacement for an identifier of a sort, such as
// "biosample-1".
func (d *deidentifier) alias(id, sort string) string {
	if _, ok := d.names[id]; !ok {
		d.counts[sort]++
		d.names[id] = fmt.Sprintf("%s-%d", sort, d.counts[sort])
	}
	return d.names[id]
}

// replace gives a member its alias, if the member is there and not empty.
func (d *deidentifier) replace(v *value, name, sort string) {
	if id := v.Get(name); id != nil && id.Str() != "" {
		v.Set(name, jsontree.TextOf(d.alias(id.Str(), sort)))
	}
}

// withhold replaces members whatever they hold.
func withhold(v *value, names ...string) {
	for _, name := range names {
		if v.Get(name) != nil {
			v.Set(name, jsontree.TextOf(withheld))
		}
	}
}

func (d *deidentifier) subject(subject *value) {
	subject.Set("id", jsontree.TextOf(subjectMark))
	subject.Remove("alternateIds")
	born := subject.Get("dateOfBirth")
	if born == nil {
		return
	}
	t, err := time.Parse(time.RFC3339, born.Str())
	if err != nil || t.Year() < 1 {
		subject.Remove("dateOfBirth")
		d.findings = append(d.findings, rule.Find("DT001", "$.subject.dateOfBirth", "not an RFC 3339 time"))
		return
	}
	subject.Set("dateOfBirth", jsontree.TextOf(birthText(entry.DateOf(t))))
}

// birth moves a date of birth known to the month or day from the raresync
// member to the subject, where deidentification finds it.
func (d *deidentifier) birth(subject, extra *value) {
	born := extra.Get("birth")
	if born == nil {
		return
	}
	date, ok := entry.ParseDate(born.Str())
	if !ok {
		d.findings = append(d.findings, rule.Find("DT001", "$.raresync.birth", "not YYYY, YYYY-MM or YYYY-MM-DD"))
	}
	if !ok || date.Precision() != entry.PrecisionYear {
		extra.Remove("birth")
	}
	if ok && date.Precision() >= entry.PrecisionMonth && subject.Get("dateOfBirth") == nil {
		subject.Set("dateOfBirth", jsontree.TextOf(birthText(date)))
	}
}

// birthText writes a birth date known to the month as the schema wants it: a
// time, whose day says nothing.
func birthText(d entry.Date) string { return fmt.Sprintf("%04d-%02d-01T00:00:00Z", d.Year, d.Month) }

func (d *deidentifier) biosamples(packet *value) {
	for _, sample := range packet.Get("biosamples").List() {
		d.replace(sample, "id", "biosample")
		d.replace(sample, "individualId", "relative")
		d.replace(sample, "derivedFromId", "biosample")
		d.files(sample)
	}
}

func (d *deidentifier) interpretations(packet *value) {
	for i, in := range packet.Get("interpretations").List() {
		if d.embedsOwn(in.Get("id").Str()) {
			in.Set("id", jsontree.TextOf(fmt.Sprintf("interpretation-%d", i+1)))
		}
		for _, g := range in.At("diagnosis", "genomicInterpretations").List() {
			d.replace(g, "subjectOrBiosampleId", "biosample")
		}
	}
}

// embedsOwn reports whether s contains an identifier of this packet, set off
// by anything but letters and digits.
func (d *deidentifier) embedsOwn(s string) bool {
	for _, own := range d.own {
		if containsWord(s, own) {
			return true
		}
	}
	return false
}

func containsWord(s, word string) bool {
	if word == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if !alphanumeric(s, start-1) && !alphanumeric(s, end) {
			return true
		}
		from = start + 1
	}
}

func alphanumeric(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	c := s[i]
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// files withholds addresses; the individuals in a file get their aliases and
// the samples' names in it new ones.
func (d *deidentifier) files(v *value) {
	for _, file := range v.Get("files").List() {
		withhold(file, "uri")
		ids := file.Get("individualToFileIdentifiers")
		if !ids.IsObject() {
			continue
		}
		renamed := jsontree.NewObject()
		for i, person := range ids.Names {
			renamed.Set(d.alias(person, "relative"), jsontree.TextOf(d.alias(ids.Items[i].Str(), "sample")))
		}
		file.Set("individualToFileIdentifiers", renamed)
	}
}

func (d *deidentifier) metaData(meta *value) {
	if !meta.IsObject() {
		return
	}
	withhold(meta, "createdBy", "submittedBy")
	for _, update := range meta.Get("updates").List() {
		withhold(update, "updatedBy", "comment")
	}
}

// wrapper treats what surrounded the packet in a Family or Cohort.
func (d *deidentifier) wrapper(w *value) {
	if !w.IsObject() {
		return
	}
	w.Remove("id")
	for _, person := range w.At("pedigree", "persons").List() {
		withhold(person, "familyId")
		for _, name := range []string{"individualId", "paternalId", "maternalId"} {
			if person.Get(name).Str() != "0" { // "0" is nobody, in pedigree files
				d.replace(person, name, "relative")
			}
		}
	}
	d.files(w)
	d.metaData(w.Get("metaData"))
}

// dropTitles removes the titles of external references wherever they stand: a
// title may name the variant.
func dropTitles(v *value) {
	for i, item := range v.Items {
		if v.Kind == jsontree.Object && item.IsObject() && (v.Names[i] == "reference" || v.Names[i] == "externalReference") {
			item.Remove("description")
		}
		if v.Kind == jsontree.Object && v.Names[i] == "externalReferences" {
			for _, reference := range item.List() {
				reference.Remove("description")
			}
		}
		dropTitles(item)
	}
}

var pmidInID = regexp.MustCompile(`^PMID[_:-]([0-9]{1,9})(?:[^0-9]|$)`)

// keepPMID turns a publication in the packet's id into a reference: the rest
// of the id names the person.
func keepPMID(packet *value, id string) {
	found := pmidInID.FindStringSubmatch(id)
	meta := packet.Get("metaData")
	if found == nil || !meta.IsObject() {
		return
	}
	pmid := "PMID:" + found[1]
	references := meta.Get("externalReferences")
	if references == nil || references.Kind != jsontree.Array {
		references = &value{Kind: jsontree.Array}
		meta.Set("externalReferences", references)
	}
	for _, reference := range references.Items {
		if reference.Get("id").Str() == pmid || reference.Get("reference").Str() == pmid {
			return
		}
	}
	added := jsontree.NewObject()
	added.Set("id", jsontree.TextOf(pmid))
	references.Items = append(references.Items, added)
}

// identifierFields hold subjectMark where they mean the patient.
var identifierFields = wordSet("subjectOrBiosampleId individualId paternalId maternalId")

// nameSubject puts the id of an export in place of subjectMark.
func nameSubject(v *value, id string) {
	for i, item := range v.Items {
		if v.Kind == jsontree.Object && item.Str() == subjectMark && identifierFields[v.Names[i]] {
			v.Items[i] = jsontree.TextOf(id)
		}
		if v.Kind == jsontree.Object && v.Names[i] == "individualToFileIdentifiers" && item.Get(subjectMark) != nil {
			item.Set(id, item.Remove(subjectMark))
		}
		nameSubject(v.Items[i], id)
	}
}
