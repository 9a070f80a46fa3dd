package integration

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf16"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/integration/canary"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
	"github.com/raresync/raresync/registry/identity"
	"github.com/raresync/raresync/registry/phenopacket"
)

// The sorts of markers that differ in where they may be.
const (
	fileNameMarker = "a file name" // commands tell a clerk which file they speak of
	sealedMarker   = "a sealed text"
)

// lateInAFile is how many persons a cohort has that comes late.
const lateInAFile = canaryQuota / 2

// origin is a hospital that patients come to.
type origin struct {
	*demo.Process
	good    map[string][]byte  // files that are accepted, by name
	bad     map[string]badFile // files that are refused, by name
	late    map[string][]byte  // files that come when the quota is used up
	known   []*canaryPatient   // in good
	erased  *canaryPatient     // one of them, who withdraws
	indexes map[string]uint64  // of a case of each good file, once it is in the log
	rows    [][]string         // of the file of --identities
}

// badFile is a file that is refused by a rule.
type badFile struct {
	data []byte
	rule string
}

// canaryPatient is a person all of whose identifying texts are markers.
type canaryPatient struct {
	name, phone, record, text string
	birth                     entry.Date
	document                  identity.Document
}

// birth gives each patient a month of birth that no other has, so that numbers
// made of it have no long piece in common.
func (w *canaryWorld) birth() entry.Date {
	const first, last = 1930, 2011
	if w.months == nil {
		w.months = w.mint.Order((last - first + 1) * 12)
	}
	month := w.months[0]
	w.months = w.months[1:]
	return entry.Date{Year: uint16(first + month/12), Month: uint8(month%12 + 1), Day: 17}
}

// patient makes up a person at some nodes, with a document of a type; of LOCAL
// it is the record number.
func (w *canaryWorld) patient(kind identity.Type, homes ...string) *canaryPatient {
	p := &canaryPatient{
		name:   w.marker("a name", w.mint.Name(), homes...),
		phone:  w.marker("a phone number", w.mint.Phone(), homes...),
		record: w.marker(recordMarker, "BAH"+w.mint.Code(10), homes...),
		text:   w.marker(sealedMarker, w.mint.Words(3), homes...),
		birth:  w.birth(),
	}
	p.document = identity.Document{Type: kind}
	switch kind {
	case identity.RIC:
		p.document = w.resident(p)
	case identity.PP:
		p.document.Issuer, p.document.Value = "FRA", w.mint.Code(10)
	case identity.HKM:
		p.document.Value = "H" + w.mint.Digits(8)
	case identity.TWP:
		p.document.Value = w.mint.Digits(10)
	case identity.FPR17:
		p.document.Value = "GBR" + w.mint.Digits(12)
	case identity.BC:
		p.document.Value = "U" + w.mint.Digits(9)
	case identity.LOCAL:
		p.document.Value = p.record
		return p
	}
	w.marker("a document number", p.document.Value, homes...)
	return p
}

// resident makes up a resident ID for a patient.
func (w *canaryWorld) resident(p *canaryPatient) identity.Document {
	return identity.Document{
		Type: identity.RIC, Value: generate.ResidentID(uint64(w.mint.N(1<<40)), p.name, p.record, entry.SexMale, p.birth),
	}
}

// packet is the patient's phenopacket, with a name or number wherever one fits
// that a packet may hold.
func (p *canaryPatient) packet() map[string]any {
	return map[string]any{
		"id": p.name + " " + p.record,
		"subject": map[string]any{
			"id": p.record, "alternateIds": []any{p.record}, "dateOfBirth": p.birth.String() + "T00:00:00Z", "sex": "MALE",
			"vitalStatus": map[string]any{"status": "ALIVE"},
		},
		"phenotypicFeatures": []any{map[string]any{
			"type": map[string]any{"id": "HP:0001250", "label": "Seizure"}, "description": p.text,
		}},
		"diseases": []any{map[string]any{
			"term":  map[string]any{"id": "ORPHA:33069", "label": "Dravet syndrome"},
			"onset": map[string]any{"age": map[string]any{"iso8601duration": "P1Y"}},
		}},
		"raresync": map[string]any{"diagnosisDate": "2013-02-11", "department": "神经内科", "province": "11", "firstContact": "2013-02-01"},
		"metaData": map[string]any{
			"created": "2023-01-01T00:00:00Z", "createdBy": p.name, "submittedBy": p.name, "phenopacketSchemaVersion": "2.0", "resources": []any{},
		},
	}
}

// jsonOf encodes made-up data as exports look that people read.
func jsonOf(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // maps and texts encode
	}
	return b.Bytes()
}

// addOrigins makes up all files of some hospitals, and one patient whom all of
// them know.
func (w *canaryWorld) addOrigins(hospitals ...int) {
	var nodes []string
	for _, i := range hospitals {
		nodes = append(nodes, w.Hospitals[i].Node)
	}
	shared := w.patient(identity.RIC, nodes...)
	for _, i := range hospitals {
		o := &origin{Process: w.Hospitals[i], good: map[string][]byte{}, bad: map[string]badFile{}, late: map[string][]byte{}, indexes: map[string]uint64{}}
		w.origins = append(w.origins, o)
		w.addGood(o, shared)
		w.addBad(o)
		w.addLate(o)
	}
}

// fileName is a name for a file that is a marker itself, as clerks call a file
// after its patient.
func (w *canaryWorld) fileName(o *origin, ending string) string {
	return w.marker(fileNameMarker, w.mint.Name(), o.Node) + "-" + ending
}

// addGood makes up files of every form that is accepted.
func (w *canaryWorld) addGood(o *origin, shared *canaryPatient) {
	add := func(ending string, v any, patients ...*canaryPatient) {
		name := w.fileName(o, ending+".json")
		o.good[name] = jsonOf(v)
		for _, p := range patients {
			o.known = append(o.known, p)
			o.row(name, p)
		}
	}
	one := func(kind identity.Type) *canaryPatient { return w.patient(kind, o.Node) }
	add("shared", shared.packet(), shared)
	for _, kind := range []identity.Type{identity.RIC, identity.PP, identity.HKM, identity.TWP, identity.FPR17, identity.BC, identity.LOCAL} {
		p := one(kind)
		add(string(kind), p.packet(), p)
	}
	snake := one(identity.RIC)
	add("snake", snaked(snake.packet()), snake)
	son, father := one(identity.BC), one(identity.RIC)
	add("family", map[string]any{
		"id": son.name, "proband": son.packet(), "relatives": []any{father.packet()}, "metaData": son.packet()["metaData"],
		"pedigree": map[string]any{"persons": []any{map[string]any{"familyId": son.name, "individualId": son.record, "paternalId": father.record, "sex": "MALE"}}},
	}, son, father)
	first, second := one(identity.HKM), one(identity.LOCAL)
	add("cohort", map[string]any{
		"id": first.name, "members": []any{first.packet(), second.packet()}, "metaData": first.packet()["metaData"],
	}, first, second)
	read := one(identity.LOCAL)
	published := read.packet()
	published["metaData"].(map[string]any)["externalReferences"] = []any{map[string]any{"id": "PMID:10198255", "description": read.name}}
	add("published", published, read)
}

// row adds a patient's document to the file of --identities; a patient without
// one is known by the record number.
func (o *origin) row(file string, p *canaryPatient) {
	if d := p.document; d.Type != identity.LOCAL {
		o.rows = append(o.rows, []string{file, p.record, string(d.Type), d.Issuer, d.Value})
	}
}

// identities writes the file of --identities for some of an origin's files.
func (w *canaryWorld) identities(o *origin, name string, files map[string][]byte) (path string) {
	rows := [][]string{{"file", "subject", "type", "issuer", "value"}}
	for _, r := range o.rows {
		if _, ok := files[r[0]]; ok {
			rows = append(rows, r)
		}
	}
	return filepath.Join(w.lay(o, "identities", map[string][]byte{name: csvOf(rows...)}), name)
}

func csvOf(rows ...[]string) []byte {
	var b bytes.Buffer
	_ = csv.NewWriter(&b).WriteAll(rows) // a buffer takes everything
	return b.Bytes()
}

// snaked spells a packet's fields as protocol buffers do.
func snaked(packet map[string]any) map[string]any {
	subject := packet["subject"].(map[string]any)
	subject["date_of_birth"], subject["alternate_ids"] = subject["dateOfBirth"], subject["alternateIds"]
	delete(subject, "dateOfBirth")
	delete(subject, "alternateIds")
	for from, to := range map[string]string{"phenotypicFeatures": "phenotypic_features", "metaData": "meta_data"} {
		packet[to] = packet[from]
		delete(packet, from)
	}
	return packet
}

// addBad makes up files of every sort that is refused. All that can be told of
// the patient stands in them in clear.
func (w *canaryWorld) addBad(o *origin) {
	add := func(rule string, make func(p *canaryPatient) []byte) {
		p := w.patient(identity.LOCAL, o.Node)
		o.bad[w.fileName(o, "bad.json")] = badFile{make(p), rule}
	}
	told := func(p *canaryPatient, change func(map[string]any)) []byte {
		packet := p.packet()
		subject := packet["subject"].(map[string]any)
		change(subject)
		return jsonOf(packet)
	}
	open := func(p *canaryPatient) []byte {
		return told(p, func(s map[string]any) { s["姓名"], s["phone"] = p.name, p.phone })
	}
	add("PR001", open)
	add("PR001", func(p *canaryPatient) []byte {
		return told(p, func(s map[string]any) { s["note"] = "call " + p.name + " at " + p.phone })
	})
	add("PR001", func(p *canaryPatient) []byte { // as the name of a field
		return told(p, func(s map[string]any) { s[p.name+" "+p.phone] = "called" })
	})
	add("RQ001", func(p *canaryPatient) []byte {
		packet := p.packet()
		delete(packet, "raresync")
		return jsonOf(packet)
	})
	add("PP002", func(p *canaryPatient) []byte { // no JSON: a table
		return fmt.Appendf(nil, "姓名,电话,病案号\n%s,%s,%s\n", p.name, p.phone, p.record)
	})
	add("PP002", func(p *canaryPatient) []byte { return open(p)[:len(open(p))*2/3] })
	add("PP002", func(p *canaryPatient) []byte { return append(open(p), open(p)...) })
	add("PP002", func(p *canaryPatient) []byte {
		return fmt.Appendf(nil, `{"%s": {}, "%s": {"phone": "%s"}}`, p.name, p.name, p.phone)
	})
	add("PP002", func(p *canaryPatient) []byte {
		return jsonOf(map[string]any{"resourceType": "Patient", "name": p.name, "telecom": p.phone, "identifier": p.record})
	})
	add("PP002", func(p *canaryPatient) []byte { // the command reads it as FHIR, and the socket takes none
		return jsonOf(map[string]any{"resourceType": "Bundle", "type": "collection", "entry": []any{
			map[string]any{"resource": map[string]any{"resourceType": "Patient", "id": p.record, "name": []any{map[string]any{"text": p.name}},
				"telecom": []any{map[string]any{"system": "phone", "value": p.phone}}, "address": []any{map[string]any{"text": p.name}},
				"identifier": []any{map[string]any{"system": "urn:oid:2.16.156.10011.1.13", "value": p.record}}}},
			map[string]any{"resource": map[string]any{"resourceType": "Condition", "subject": map[string]any{"reference": "Patient/" + p.record},
				"code": map[string]any{"text": p.name + " " + p.phone}}},
		}})
	})
	add("PP002", func(p *canaryPatient) []byte { // deep within
		return fmt.Appendf(nil, `{"subject": %s"%s"`, bytes.Repeat([]byte(`{"x":`), 10_000), p.name)
	})
	add("FM001", func(p *canaryPatient) []byte {
		gb, ok := canary.GB18030(fmt.Sprintf(`{"id": "%s", "subject": {"id": "%s", "phone": "%s"}}`, p.name, p.record, p.phone))
		if !ok {
			panic("a name that GB 18030 has no bytes for here")
		}
		return gb
	})
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		add("FM001", func(p *canaryPatient) (b []byte) {
			for _, u := range utf16.Encode([]rune("\ufeff" + string(open(p)))) {
				b = order.AppendUint16(b, u)
			}
			return b
		})
	}
	add("FM005", func(p *canaryPatient) []byte { // larger than a file may be, with a patient at either end
		b := append(open(p), bytes.Repeat([]byte(" "), phenopacket.DefaultMaxBytes)...)
		return append(b, open(w.patient(identity.LOCAL, o.Node))...)
	})
	wrong := w.patient(identity.RIC, o.Node)
	number := wrong.document.Value
	wrong.document.Value = w.marker("a document number", number[:17]+map[bool]string{true: "1", false: "0"}[number[17] == '0'], o.Node)
	name := w.fileName(o, "bad.json")
	o.bad[name] = badFile{jsonOf(wrong.packet()), "ID002"}
	o.row(name, wrong)
}

// addLate makes up cohorts of more persons than the quota of a day has left.
func (w *canaryWorld) addLate(o *origin) {
	for range 5 {
		name := w.fileName(o, "late.json")
		var members []any
		for range lateInAFile {
			p := &canaryPatient{name: "late", birth: w.birth(), record: w.marker(recordMarker, "BAH"+w.mint.Code(10), o.Node)}
			p.document = w.resident(p)
			w.marker("a document number", p.document.Value, o.Node)
			members = append(members, p.packet())
			o.row(name, p)
		}
		o.late[name] = jsonOf(map[string]any{"id": "late", "members": members, "metaData": map[string]any{}})
	}
}

// lay writes files into a folder of the hospital's own, and returns it.
func (w *canaryWorld) lay(o *origin, folder string, files map[string][]byte) string {
	w.t.Helper()
	dir := filepath.Join(w.exports(o.Process), folder)
	must(w.t, os.MkdirAll(dir, 0o700))
	for name, raw := range files {
		must(w.t, os.WriteFile(filepath.Join(dir, name), raw, 0o600))
	}
	return dir
}
