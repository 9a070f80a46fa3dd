package dataset

import (
	"bufio"
	"encoding/json"
	"fmt"
	"regexp"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/fhir"
)

type object = map[string]any // encoding/json sorts its names

// resources makes the FHIR R4 resources of one kind that a row says.
type resources struct {
	file string
	of   func(*Row) []object
}

// fhirFiles are those of the form: a file of lines for each kind. Facts without an
// element stand in extensions, by the names under which they are read.
func fhirFiles() []resources {
	return []resources{
		{"patients.fhir.ndjson", patient}, {"conditions.fhir.ndjson", conditions}, {"observations.fhir.ndjson", observations},
		{"reports.fhir.ndjson", reports}, {"specimens.fhir.ndjson", specimens}, {"medications.fhir.ndjson", medications}, {"visits.fhir.ndjson", visits},
	}
}

// fhir writes one of the files. Of a person's Patients the first registration's counts.
func (s *Set) fhir(b *bufio.Writer, file string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	seen := map[string]bool{}
	for _, kind := range fhirFiles() {
		if kind.file != file {
			continue
		}
		for i := range s.Rows {
			r := &s.Rows[i]
			for _, resource := range kind.of(r) {
				if resource["resourceType"] == "Patient" {
					if seen[r.name()] {
						continue
					}
					seen[r.name()] = true
				}
				if err := e.Encode(resource); err != nil {
					return fmt.Errorf("entry %d: %w", r.Index, err)
				}
			}
		}
	}
	return nil
}

// resource begins a resource about a row's person; part tells those of a row apart.
func (r *Row) resource(kind, part string) object {
	return object{"resourceType": kind, "id": fmt.Sprintf("entry-%d%s", r.Index, part), "subject": object{"reference": "Patient/" + r.name()}}
}

// given sets an element unless there is nothing to say.
func given(into object, name, text string) {
	if text != "" {
		into[name] = text
	}
}

// extension adds a fact: a text, a whole number or true.
func extension(into object, name string, value any) {
	if value == nil || value == "" {
		return
	}
	e := object{"url": "urn:raresync:" + name}
	switch value.(type) {
	case uint32:
		e["valueInteger"] = value
	case bool:
		e["valueBoolean"] = value
	default:
		e["valueString"] = value
	}
	list, _ := into["extension"].([]object)
	into["extension"] = append(list, e)
}

// countOf is a count for an extension; nil if it was not given.
func countOf(c entry.Count) any {
	if n, ok := c.Value(); ok {
		return n
	}
	return nil
}

// concept writes codes and a name.
func concept(text string, codes ...string) object {
	c := object{}
	var list []object
	for _, id := range codes {
		if system, code, ok := fhir.Coding(id); ok {
			list = append(list, object{"system": system, "code": code})
		}
	}
	if len(list) > 0 {
		c["coding"] = list
	}
	given(c, "text", text)
	return c
}

// quantity writes a number with its unit; nil without a number.
func quantity(value string, unit entry.Term) object {
	if !number.MatchString(value) {
		return nil
	}
	q := object{"value": json.Number(value)}
	given(q, "unit", unit.Label)
	if system, code, ok := fhir.Coding(unit.ID); ok {
		q["system"], q["code"] = system, code
		if unit.Label == "" {
			q["unit"] = code
		}
	}
	return q
}

var (
	number = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?$`)
	age    = regexp.MustCompile(`^P([0-9]{1,3})([YMWD])$`)
	unitOf = map[string]string{"Y": "a", "M": "mo", "W": "wk", "D": "d"}
)

// ageOf writes a duration of one unit as an Age; nil of another.
func ageOf(duration string) object {
	m := age.FindStringSubmatch(duration)
	if m == nil {
		return nil
	}
	q := quantity(m[1], entry.Term{ID: "UCUM:" + unitOf[m[2]]})
	if q == nil { // a zero in front
		return nil
	}
	return q
}

// onset writes a point in life as the element onset[x]. What FHIR cannot say is left
// out: the form phenopackets says it.
func onset(into object, w entry.When) {
	switch w.Kind {
	case entry.WhenDate, entry.WhenTimestamp:
		into["onsetDateTime"] = w.A
	case entry.WhenAge:
		if a := ageOf(w.A); a != nil {
			into["onsetAge"] = a
		} else {
			into["onsetString"] = w.A
		}
	case entry.WhenAgeRange:
		if from, to := ageOf(w.A), ageOf(w.B); from != nil && to != nil {
			into["onsetRange"] = object{"low": from, "high": to}
		}
	}
}

func patient(r *Row) []object {
	k := r.Case.Case
	p := object{"resourceType": "Patient", "id": r.name()}
	given(p, "gender", k.Sex.String())
	given(p, "birthDate", k.Birth.String())
	death := k.Life.TimeOfDeath.A
	for _, part := range r.Parts {
		if part.Death != nil && part.EventDate.Known() {
			death = part.EventDate.String()
		}
	}
	switch {
	case k.Life.Status == entry.Dead && death != "":
		p["deceasedDateTime"] = death
	case k.Life.Status == entry.Dead:
		p["deceasedBoolean"] = true
	case k.Life.Status == entry.Alive:
		p["deceasedBoolean"] = false
	}
	return []object{p}
}

// verStatus is FHIR's system of how sure a condition is.
const verStatus = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

// conditions are a case's diseases, the one that is registered first.
func conditions(r *Row) (out []object) {
	k := r.Case.Case
	for _, excluded := range []bool{false, true} {
		for _, d := range k.Diseases {
			if d.Excluded != excluded {
				continue
			}
			part := ""
			if len(out) > 0 {
				part = fmt.Sprintf("-disease-%d", len(out)+1)
			}
			c := r.resource("Condition", part)
			if code := concept(d.Text, d.Codes...); len(code) > 0 {
				c["code"] = code
			}
			if excluded {
				c["verificationStatus"] = object{"coding": []object{{"system": verStatus, "code": "refuted"}}}
			}
			onset(c, d.Onset)
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		out = append(out, r.resource("Condition", ""))
	}
	given(out[0], "recordedDate", r.Case.EventDate.String())
	extension(out[0], "verification", k.Verification.String())
	extension(out[0], "province", k.Province)
	extension(out[0], "department", k.Department)
	return out
}
