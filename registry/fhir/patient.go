package fhir

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/mapping"
	"github.com/raresync/raresync/registry/rule"
)

// A Patient is one patient of a set. It holds identifiers in clear.
type Patient struct {
	// Packet is what the resources say as a phenopacket, to be read by package
	// phenopacket like any other.
	Packet []byte
	// Subject is the patient's id in the packet.
	Subject string
	// Document is the patient's; of the zero Document the subject's id is the
	// hospital's own record number.
	Document identity.Document
	// Findings are those of reading the resources.
	Findings []rule.Finding
	// At is where the Patient stands: file and path.
	At string

	places  map[string]string // packet paths to file and path
	set     *Set
	members []int // the Patient, and what is about it, by place in the set's resources
}

// builder makes a packet of the resources of one patient.
type builder struct {
	Patient
	where string // of the resource at hand

	person   object
	extra    object // the raresync member
	diseases []found
	features []found
	values   []found // measurements
	test     object
	variants map[int]*variant // by place in the set's resources
	order    []int            // of the variants
	about    []implication
	parts    map[string][]found
	samples  []sample
	family   []found    // diseases of relatives
	seen     entry.Date // last encounter
	visited  entry.Date // the encounter that gave the department
	told     int        // measurements beyond the limit
}

// found is a part of the packet with the element that it comes from.
type found struct {
	is object
	at string
}

func (b *builder) find(code, at, detail string) {
	b.Findings = append(b.Findings, rule.Find(code, at, detail))
}

// patient makes the packet of a group.
func (s *Set) patient(g *group, doubled map[int]string) Patient {
	defer s.memory.Release()
	r := s.resources[g.patient]
	b := &builder{Patient: Patient{set: s, members: append([]int{g.patient}, g.resources...)}, where: s.place(r), person: object{}, extra: object{}, test: object{}, variants: map[int]*variant{}, parts: map[string][]found{}}
	b.At, b.places = b.where, map[string]string{}
	tree := s.read(r)
	if why := doubled[g.patient]; why != "" {
		b.find("FH006", b.where, why)
	}
	b.identify(g.document, r)
	b.demography(tree)
	if len(g.resources) > s.limits.Patient {
		b.find("FM005", b.where, fmt.Sprintf("more than %d resources of one patient", s.limits.Patient))
		g.resources = nil
	}
	for _, i := range g.resources {
		b.resource(i)
	}
	b.finish()
	b.leaks(tree)
	return b.Patient
}

// identify decides who the patient is and under which id the hospital knows it.
func (b *builder) identify(d documents, r resource) {
	b.Document = d.best
	if d.other >= 0 {
		b.find("ID009", fmt.Sprintf("%s.identifier[%d]", b.where, d.other), "a second resident ID")
	}
	if d.best.Origin == identity.Numeric {
		b.find("ID004", fmt.Sprintf("%s.identifier[%d].value", b.where, d.at), "a number, no text")
	}
	switch {
	case d.numeric:
		b.find("ID004", b.where+".identifier", "a record number that is a number, no text")
	case d.record != "":
		b.Subject = d.record
	case d.best.Value != "":
		b.Subject = mapping.SubjectOf(d.best)
	case r.id != "":
		b.Subject = r.id
	default:
		b.Subject = r.url
	}
	if b.Subject == "" {
		b.find("ID001", b.where+".identifier", "neither a document nor a record number")
		b.Subject = "-" // so that the rest is looked at, too
	}
	b.person["id"] = b.Subject
	if others := slices.DeleteFunc(slices.Clone(d.all), func(id string) bool { return id == b.Subject }); len(others) > 0 {
		b.person["alternateIds"] = others
	}
}

var sexes = map[string]string{"male": "MALE", "female": "FEMALE", "other": "OTHER_SEX", "unknown": "UNKNOWN_SEX"}

// demography reads what the Patient says beside its names and numbers.
func (b *builder) demography(tree *jsontree.Value) {
	if gender := tree.Get("gender"); gender.Given() {
		b.put("$.subject.sex", b.where+".gender")
		if set(b.person, "sex", sexes[gender.Str()]); sexes[gender.Str()] == "" {
			b.find("DX003", b.where+".gender", "want male, female, other or unknown")
		}
	}
	if tree.Get("birthDate").Given() {
		at := b.where + ".birthDate"
		b.put("$.subject.dateOfBirth", at)
		b.put("$.raresync.birth", at)
		d := b.date(tree.Get("birthDate"), at)
		if set(b.person, "dateOfBirth", mapping.Born(d)); d.Known() && mapping.Born(d) == "" {
			b.extra["birth"] = d.String()
		}
	}
	b.life(tree)
	for i, a := range tree.Get("address").List() {
		code := mapping.Meaning("province", a.Get("state").Str())
		if code == "" {
			code = mapping.Meaning("province", a.Get("text").Str())
		}
		if code != "" {
			b.extra["province"] = code
			b.put("$.raresync.province", fmt.Sprintf("%s.address[%d]", b.where, i))
			break
		}
	}
	b.extend(b.extra, tree, "$.raresync")
}

func (b *builder) life(tree *jsontree.Value) {
	life := object{}
	b.put("$.subject.vitalStatus", b.where+".deceased")
	switch {
	case tree.Get("deceasedDateTime").Given():
		life["status"] = "DECEASED"
		at := b.where + ".deceasedDateTime"
		b.put("$.subject.vitalStatus", at)
		if d := b.date(tree.Get("deceasedDateTime"), at); d.Known() {
			life["timeOfDeath"] = mapping.Point(d)
		}
	case yes(tree.Get("deceasedBoolean")) == "yes":
		life["status"] = "DECEASED"
	case yes(tree.Get("deceasedBoolean")) == "no":
		life["status"] = "ALIVE"
	}
	if len(life) > 0 {
		b.person["vitalStatus"] = life
	}
}

// resource reads one resource of the patient.
func (b *builder) resource(i int) {
	r := b.set.resources[i]
	tree := b.set.read(r)
	b.where = b.set.place(r)
	switch r.kind {
	case "Condition":
		b.condition(tree)
	case "Observation":
		b.observation(i, r, tree)
	case "DiagnosticReport":
		b.report(tree)
	case "Encounter":
		b.encounter(tree)
	case "Consent":
		b.consent(tree)
	case "FamilyMemberHistory":
		b.relative(tree)
	case "Specimen":
		b.specimen(r, tree)
	case "MedicationStatement", "MedicationRequest", "Procedure":
		b.treatment(r, tree)
	case "ServiceRequest":
		b.referral(tree)
	}
}

// finish writes the packet.
func (b *builder) finish() {
	if b.seen.Known() {
		b.person["timeAtLastEncounter"] = mapping.Point(b.seen)
	}
	if b.told > 0 {
		b.find("FH005", b.At, fmt.Sprintf("%d Observations beyond %d", b.told, maxMeasurements))
	}
	b.sortDiseases()
	b.kin()
	b.bank()
	if len(b.test) > 0 {
		b.extra["geneticTest"] = b.test
	}
	for _, name := range []string{"followUps", "specimens", "treatments", "referrals"} {
		if list := b.list(b.parts[name], "$.raresync."+name); list != nil {
			b.extra[name] = list
		}
	}
	p := object{"id": b.Subject, "subject": b.person, "metaData": object{"phenopacketSchemaVersion": "2.0"}}
	for name, parts := range map[string][]found{"diseases": b.diseases, "phenotypicFeatures": b.features, "measurements": b.values} {
		if list := b.list(parts, "$."+name); list != nil {
			p[name] = list
		}
	}
	if in := b.interpretation(); in != nil {
		p["interpretations"] = []any{in}
	}
	if len(b.extra) > 0 {
		p["raresync"] = b.extra
	}
	b.Packet = appendJSON(make([]byte, 0, 4<<10), p)
}

// list writes parts as an array, and keeps where each comes from.
func (b *builder) list(parts []found, path string) (list []any) {
	for i, f := range parts {
		list = append(list, f.is)
		b.put(fmt.Sprintf("%s[%d]", path, i), f.at)
	}
	return list
}

// leaks refuses texts of the packet in which the patient's name stands.
func (b *builder) leaks(tree *jsontree.Value) {
	var names []string
	for _, n := range tree.Get("name").List() {
		text, family := strings.TrimSpace(n.Get("text").Str()), n.Get("family").Str()
		if len([]rune(text)) >= 2 {
			names = append(names, text)
		}
		var all []string
		for _, g := range n.Get("given").List() {
			all = append(all, g.Str())
		}
		if given := strings.Join(all, ""); family != "" && given != "" {
			names = append(names, family+given, given+family, given+" "+family, family+" "+given)
		}
	}
	if !slices.ContainsFunc(names, b.written) {
		return
	}
	packet, err := b.set.memory.Parse(string(b.Packet), jsontree.Limits{Depth: 64, Values: 1 << 22, Members: 1 << 16, TextBytes: 16 << 20})
	if err != nil {
		return
	}
	packet.Remove("id")
	packet.Get("subject").Remove("id")
	packet.Get("subject").Remove("alternateIds")
	b.named(packet, "$", names)
}

// written reports whether a name stands anywhere in the packet, whose texts were
// escaped rune by rune as the name is here.
func (b *builder) written(name string) bool {
	quoted := jsontree.AppendText(nil, name)
	return bytes.Contains(b.Packet, quoted[1:len(quoted)-1])
}

// named finds texts with one of some names.
func (b *builder) named(v *jsontree.Value, path string, names []string) {
	if v.Kind == jsontree.Text && slices.ContainsFunc(names, func(n string) bool { return strings.Contains(v.Text, n) }) {
		b.find("PR001", b.locate(path), "the patient's name")
	}
	for i, item := range v.Items {
		if v.Kind == jsontree.Array {
			b.named(item, fmt.Sprintf("%s[%d]", path, i), names)
		} else {
			b.named(item, path+"."+v.Names[i], names)
		}
	}
}
