package phenopacket

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// A nativeKind is a list of the schema of which each element becomes an entry, if
// the raresync member has no list of its own for it and each element says what
// the entry needs. The element stays whole in the entry's extension, with its place
// in the list: the genetic part holds what it took from the list by place, and the
// entries of one envelope stand in no order.
type nativeKind struct {
	list    string // of the packet
	instead string // of the raresync member
	mark    string // of an element in an extension
	from    string // the member that names the specimen it was made from
	of      entry.Type
	read    func(*lens, *value, *entry.Entry)
	lacks   func(*value, *entry.Entry) []string
}

// placeMark names an element's place in its list, from 0, in an extension.
const placeMark = "place"

// maxNative is how many elements a list may have to become entries.
const maxNative = 1 << 16

// nativeKinds is in the order in which their entries are made.
var nativeKinds = []nativeKind{
	{"biosamples", "specimens", "biosample", "derivedFromId", entry.TypeSpecimen, readBiosample, biosampleLacks},
	{"medicalActions", "treatments", "medicalAction", "", entry.TypeTreatment, readAction, actionLacks},
}

// cutNative takes the elements of the schema's own lists out of the clinical part
// of a packet, given what cutParts has left and taken: all of a list, or none.
// What keeps them in it is PP004.
func cutNative(left *value, taken []cut) (rest *value, parts []cut, findings []rule.Finding) {
	rest, parts = left, taken
	for _, k := range nativeKinds {
		list := left.Get(k.list)
		if n := len(list.List()); n == 0 || n > maxNative || slices.ContainsFunc(taken, func(c cut) bool { return c.of == k.of }) {
			continue
		}
		var found []cut
		whole := true
		for i, item := range list.Items {
			path := place("$."+k.list, i)
			e := entry.Entry{Facts: entry.Blank(k.of)}
			if k.read(&lens{path: path}, item, &e); item.IsObject() {
				if lacks := k.lacks(item, &e); len(lacks) > 0 {
					findings = append(findings, rule.Find("PP004", path, "no "+strings.Join(lacks, ", ")))
					whole = false
				}
			} else {
				whole = false
			}
			found = append(found, cut{partKind: k.part(), value: item, path: path, native: k.mark, place: i})
		}
		if !whole {
			continue
		}
		if rest == left {
			rest = left.Clone()
		}
		rest.Remove(k.list)
		parts = append(parts, found...)
	}
	return rest, parts, findings
}

// part reads an element as a part, and writes none of it: the extension has all.
func (k nativeKind) part() partKind {
	return partKind{name: k.instead, of: k.of, from: k.from, layout: func(l *lens, v *value, e *entry.Entry) {
		if !l.writing {
			k.read(l, v, e)
		}
	}}
}

// A native is an element of one of the schema's own lists, and its place there.
type native struct {
	nativeKind
	element *value
	place   int // -1 where the entry does not say
}

// nativeOf returns the element of the schema's own list that an entry was made
// from. Its element is nil if there is none.
func nativeOf(e entry.Entry) (n native, err error) {
	i := slices.IndexFunc(nativeKinds, func(k nativeKind) bool { return k.of == e.Of() })
	if i < 0 || len(*e.Extension()) == 0 {
		return n, nil
	}
	all, err := restore(jsontree.NewObject(), *e.Extension())
	if err != nil {
		return n, err
	}
	n = native{nativeKind: nativeKinds[i], place: -1}
	if place := all.Remove(placeMark); place != nil {
		if n.place, err = strconv.Atoi(place.Text); err != nil || place.Kind != jsontree.Number || n.place < 0 || n.place >= maxNative {
			return n, fmt.Errorf("write phenopacket: extension: %w: place %q", jsontree.ErrJSON, place.Text)
		}
	}
	if len(all.Names) == 1 {
		n.element = all.Get(n.mark)
	}
	return n, nil
}

// extension returns what the extension of the element's entry holds.
func (c cut) extension() *value {
	v := jsontree.NewObject()
	v.Set(c.native, c.value)
	v.Set(placeMark, &value{Kind: jsontree.Number, Text: strconv.Itoa(c.place)})
	return v
}

// addNative puts elements back into their lists, each at its place, and drops the
// places of elements that are not given.
func addNative(packet *value, found []native) {
	lists := jsontree.NewObject()
	for _, n := range found {
		list := lists.Get(n.list)
		if list == nil {
			list = &value{Kind: jsontree.Array}
			lists.Set(n.list, list)
		}
		if n.place < 0 || n.place < len(list.Items) && !list.Items[n.place].Empty() {
			n.place = len(list.Items) // of no known place, or of another submission
		}
		for len(list.Items) <= n.place {
			list.Items = append(list.Items, jsontree.NewObject())
		}
		list.Items[n.place] = n.element
	}
	*packet = *merge(lists, packet) // whose genetic part holds some of it
	for _, name := range lists.Names {
		list := packet.Get(name)
		list.Items = slices.DeleteFunc(list.Items, (*value).Empty)
	}
}

// specimenCodes are what a biosample is made of, by code.
var specimenCodes = map[string]string{
	"UBERON:0000178": "blood", "UBERON:0001969": "plasma", "UBERON:0001977": "serum", "UBERON:0001088": "urine", "UBERON:0001988": "stool",
	"UBERON:0001836": "saliva", "UBERON:0001359": "cerebrospinal fluid", "OBI:0000655": "blood", "NCIT:C12434": "blood", "NCIT:C13356": "plasma",
	"NCIT:C13325": "serum", "NCIT:C449": "DNA", "NCIT:C812": "RNA", "NCIT:C13283": "urine", "NCIT:C13234": "stool", "NCIT:C13275": "saliva",
	"NCIT:C12692": "cerebrospinal fluid", "NCIT:C12801": "tissue",
}

// readBiosample reads a biosample. What the schema has no place for stands in a
// member raresync within it, as in raresync.specimens.
func readBiosample(l *lens, v *value, e *entry.Entry) {
	l.inside(v, "raresync", func(v *value) { specimenLayout(l, v, e) })
	s := e.Specimen
	for _, name := range []string{"sampleType", "materialSample", "sampledTissue"} {
		if kind := specimenCodes[v.At(name, "id").Str()]; s.Kind == entry.SpecimenNotGiven && kind != "" {
			s.Kind = entry.SpecimenKind(slices.Index(specimenWords, kind))
		}
	}
	if !e.EventDate.Known() {
		e.EventDate = dayOf(v.At("timeOfCollection", "timestamp"))
	}
	if !s.Site.Given() {
		l.inside(v, "sampledTissue", func(v *value) { l.termFields(v, &s.Site) })
	}
}

func biosampleLacks(v *value, e *entry.Entry) (names []string) {
	s := e.Specimen
	_, counted := s.Count.Value()
	for _, need := range []struct {
		name  string
		there bool
	}{
		{"sampleType of a known code", s.Kind != entry.SpecimenNotGiven}, {"timeOfCollection.timestamp", e.EventDate.Known()},
		{"raresync.biobank", s.Biobank != ""}, {"raresync.count", counted}, {"raresync.status", s.Status != entry.SpecimenStatusNotGiven},
		{"raresync.consent", s.Consent != entry.AnswerNotGiven},
		{"individualId of the patient", v.Get("individualId") == nil || v.Get("individualId").Str() == subjectMark},
	} {
		if !need.there {
			names = append(names, need.name)
		}
	}
	return names
}

// readAction reads a treatment or a procedure. One whose intervals have all ended,
// or that was terminated, is stopped; a procedure ends on its day.
func readAction(l *lens, v *value, e *entry.Entry) {
	t := e.Treatment
	l.inside(v, "raresync", func(v *value) { treatmentLayout(l, v, e) })
	started, stopped := dayOf(v.At("procedure", "performed", "timestamp")), entry.Date{}
	if v.Get("procedure").IsObject() {
		l.inside(v, "procedure", func(v *value) { l.term(v, "code", &t.Agent) })
		stopped = started
	} else {
		l.inside(v, "treatment", func(v *value) { l.term(v, "agent", &t.Agent) })
		started, stopped = intervals(v.At("treatment", "doseIntervals"))
	}
	if !e.EventDate.Known() {
		e.EventDate = started
	}
	if t.Status == entry.TreatmentStatusNotGiven && started.Known() {
		if t.Status = entry.TreatmentStarted; stopped.Known() || v.Get("treatmentTerminationReason").IsObject() {
			t.Status = entry.TreatmentStopped
		}
	}
	if !t.Stop.Known() && t.Status == entry.TreatmentStopped {
		t.Stop = stopped
	}
	each(l, v, "adverseEvents", &t.Adverse, l.termFields)
}

// intervals returns when the first of a treatment's intervals began and the last
// ended; the end is unknown if one has none.
func intervals(list *value) (from, to entry.Date) {
	for i, item := range list.List() {
		start, end := dayOf(item.At("interval", "start")), dayOf(item.At("interval", "end"))
		if i == 0 || before(start, from) {
			from = start
		}
		if i == 0 || !end.Known() || to.Known() && before(to, end) {
			to = end
		}
	}
	return from, to
}

func before(a, b entry.Date) bool { return a.String() < b.String() }

func actionLacks(_ *value, e *entry.Entry) (names []string) {
	t := e.Treatment
	if !t.Agent.Given() {
		names = append(names, "treatment.agent or procedure.code")
	}
	if t.Status == entry.TreatmentStatusNotGiven {
		return append(names, "start of an interval, or raresync.status")
	}
	if begun := t.Status == entry.TreatmentStarted || t.Status == entry.TreatmentStopped; begun && !e.EventDate.Known() {
		names = append(names, "start of an interval")
	}
	return names
}

// dayOf returns the day of a timestamp, unknown if it has none.
func dayOf(v *value) entry.Date {
	s := v.Str()
	if len(s) < len("2006-01-02") {
		return entry.Date{}
	}
	d, _ := entry.ParseDate(s[:len("2006-01-02")])
	return d
}
