package dataset

import (
	"bufio"
	"encoding/json"
	"fmt"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

type object = map[string]any // encoding/json sorts its names

// fhir writes FHIR R4 resources, one on a line: Patients, each person's first
// registration counting, or Conditions. Nothing genetic is in them.
func (s *Set) fhir(b *bufio.Writer, file string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	seen := map[string]bool{}
	for i := range s.Rows {
		r := &s.Rows[i]
		resource := condition(r)
		if file == Files("fhir")[0] {
			if seen[r.name()] {
				continue
			}
			seen[r.name()] = true
			resource = patient(r)
		}
		if err := e.Encode(resource); err != nil {
			return fmt.Errorf("entry %d: %w", r.Index, err)
		}
	}
	return nil
}

func patient(r *Row) object {
	k := r.Case.Case
	p := object{"resourceType": "Patient", "id": r.name()}
	switch k.Sex {
	case entry.SexMale:
		p["gender"] = "male"
	case entry.SexFemale:
		p["gender"] = "female"
	case entry.SexOther:
		p["gender"] = "other"
	case entry.SexUnknown:
		p["gender"] = "unknown"
	}
	if k.Birth.Known() {
		p["birthDate"] = k.Birth.String()
	}
	switch k.Life.Status {
	case entry.Alive:
		p["deceasedBoolean"] = false
	case entry.Dead:
		p["deceasedBoolean"] = true
	}
	return p
}

// systems are the addresses by which FHIR knows code systems.
var systems = map[catalog.System]string{
	catalog.ORPHA: "http://www.orpha.net", catalog.OMIM: "http://www.omim.org", catalog.ICD10: "http://hl7.org/fhir/sid/icd-10",
}

func condition(r *Row) object {
	c := object{
		"resourceType": "Condition", "id": fmt.Sprintf("entry-%d", r.Index), "subject": object{"reference": "Patient/" + r.name()},
	}
	if r.Case.EventDate.Known() {
		c["recordedDate"] = r.Case.EventDate.String()
	}
	d, ok := r.Case.Case.Principal()
	if !ok {
		return c
	}
	coding := []object{}
	for _, code := range d.Codes {
		system, id, err := catalog.NormalizeCode(code)
		if address := systems[system]; err == nil && address != "" {
			coding = append(coding, object{"system": address, "code": id})
		}
	}
	code := object{}
	if len(coding) > 0 {
		code["coding"] = coding
	}
	if d.Text != "" {
		code["text"] = d.Text
	}
	if len(code) > 0 {
		c["code"] = code
	}
	return c
}
