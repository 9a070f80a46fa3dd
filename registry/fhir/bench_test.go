package fhir_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/fhir"
)

// benchFile is an export of 2,000 patients with what a hospital's system writes
// about them, a resource on each line.
func benchFile(b *testing.B) []byte {
	b.Helper()
	var out bytes.Buffer
	for i := range 2000 {
		for _, resource := range []string{
			`{"resourceType":"Patient","id":"p%[1]d","meta":{"versionId":"3","lastUpdated":"2024-05-06T07:08:09.123+08:00"},"identifier":[{"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:oid:1.2.36.146.595.217.0.1","value":"B%07[1]d"}],"name":[{"use":"official","family":"张","given":["三"]}],"telecom":[{"system":"phone","value":"139%08[1]d","use":"mobile"}],"gender":"male","birthDate":"1990-03-07","address":[{"use":"home","text":"某市某区某路","state":"广东"}]}`,
			`{"resourceType":"Condition","id":"c%[1]d","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}]},"code":{"coding":[{"system":"http://www.orpha.net","code":"324","display":"Fabry disease"},{"system":"http://hl7.org/fhir/sid/icd-10","code":"E75.2","display":"Other sphingolipidosis"}],"text":"法布雷病"},"subject":{"reference":"Patient/p%[1]d"},"onsetDateTime":"1998","recordedDate":"2020-05-06"}`,
			`{"resourceType":"Observation","id":"o%[1]d","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"2160-0","display":"Creatinine [Mass/volume] in Serum or Plasma"}]},"subject":{"reference":"Patient/p%[1]d"},"encounter":{"reference":"Encounter/e%[1]d"},"effectiveDateTime":"2021-02-03T08:00:00+08:00","valueQuantity":{"value":1.%[1]d,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},"referenceRange":[{"low":{"value":0.6,"unit":"mg/dL"},"high":{"value":1.2,"unit":"mg/dL"}}]}`,
			`{"resourceType":"Observation","id":"h%[1]d","status":"final","code":{"coding":[{"system":"http://human-phenotype-ontology.org","code":"HP:0000093","display":"Proteinuria"}]},"subject":{"reference":"Patient/p%[1]d"},"effectiveDateTime":"2021-02-03","valueBoolean":true}`,
			`{"resourceType":"Encounter","id":"e%[1]d","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"Patient/p%[1]d"},"period":{"start":"2021-02-03T08:00:00+08:00","end":"2021-02-03T09:00:00+08:00"},"serviceType":{"text":"肾内科"}}`,
			`{"resourceType":"MedicationStatement","id":"m%[1]d","status":"active","medicationCodeableConcept":{"coding":[{"system":"http://www.whocc.no/atc","code":"A16AB04","display":"agalsidase beta"}]},"subject":{"reference":"Patient/p%[1]d"},"effectivePeriod":{"start":"2020-09-01"},"dosage":[{"text":"每两周一次","doseAndRate":[{"doseQuantity":{"value":70,"unit":"mg"}}]}]}`,
			`{"resourceType":"ImagingStudy","id":"i%[1]d","status":"available","subject":{"reference":"Patient/p%[1]d"},"series":[{"uid":"2.16.124.113543.6003.1154777499.30246.19789.3503430045","modality":{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"CT"},"numberOfInstances":1,"instance":[{"uid":"2.16.124.113543.6003.189642796.63084.16748.2599092903","number":1}]}]}`,
		} {
			fmt.Fprintf(&out, resource+"\n", i)
		}
	}
	return out.Bytes()
}

func readAll(b *testing.B, raws ...[]byte) (patients, bytes int) {
	set := fhir.NewSet(fhir.Limits{})
	for i, raw := range raws {
		if err := set.Add(fmt.Sprintf("%d.json", i), raw); err != nil {
			b.Fatal(err)
		}
	}
	for p := range set.Patients() {
		patients, bytes = patients+1, bytes+len(p.Packet)
	}
	return patients, bytes
}

// BenchmarkNDJSON reads an export into packets, and with the standard library
// beside it into maps.
func BenchmarkNDJSON(b *testing.B) {
	raw := benchFile(b)
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if n, _ := readAll(b, raw); n != 2000 {
				b.Fatalf("%d patients", n)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			for line := range bytes.Lines(raw) {
				var v any
				if err := json.Unmarshal(line, &v); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkRealFiles does the same with the published files that tests are given.
func BenchmarkRealFiles(b *testing.B) {
	files := realFiles(b)
	var raws [][]byte
	size := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := fhir.NewSet(fhir.Limits{}).Add(name, files[name]); err == nil {
			raws = append(raws, files[name])
			size += len(files[name])
		}
	}
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, raw := range raws {
				readAll(b, raw)
			}
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, raw := range raws {
				var v any
				_ = json.Unmarshal(raw, &v) // some have lines
			}
		}
	})
}
