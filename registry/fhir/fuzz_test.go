package fhir_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/phenopacket"
	"github.com/raresync/raresync/registry/rule"
)

// What is read becomes packets that are read or refused by name, and what they
// become comes back; nothing makes it fall over.
func FuzzWhatIsReadBecomesPackets(f *testing.F) {
	f.Add([]byte(bundle("collection", life...)))
	f.Add([]byte(patient("1", ric) + "\n" + condition("Patient/1")))
	f.Add([]byte(`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient"}}]}`))
	f.Add([]byte(`{"resourceType":"List","entry":[{"item":{"reference":"#"}}]}`))
	for _, name := range []string{"evco_fhir_patient.json", "Specimen-101.json"} {
		if raw, err := os.ReadFile(filepath.Join(os.Getenv("RARESYNC_TESTDATA"), "fhir", name)); err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		set := fhir.NewSet(fhir.Limits{Bytes: 1 << 20, Resources: 1000, Patient: 100})
		var refused *rule.Refusal
		if err := set.Add("f", raw); err != nil {
			if !errors.As(err, &refused) || !slices.Contains([]string{"FM001", "FM005", "FH002", "FH007"}, refused.Code()) {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		for p := range set.Patients() {
			packets, err := phenopacket.Read("", bytes.NewReader(p.Packet), phenopacket.Limits{})
			if errors.As(err, &refused) {
				continue
			}
			if err != nil || len(packets) != 1 {
				t.Fatalf("no packet: %v", err)
			}
			if _, findings, err := packets[0].Accept(options, today); err != nil && !errors.As(err, &refused) {
				t.Fatalf("neither accepted nor refused: %v, %v", err, findings)
			}
		}
	})
}
