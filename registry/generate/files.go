package generate

import (
	"encoding/json"
	"fmt"
	"iter"
	"math/bits"
	"math/rand/v2"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

// Options say what to make up.
type Options struct {
	Seed      uint64
	Hospitals int // at least 1; files are spread over hospitals 0 to n-1
	Patients  int
	// Today is the newest date that occurs. It must be known to the day and
	// not before 2016.
	Today   entry.Date
	Catalog *catalog.Catalog
	// Tail draws diseases as unequally as life does: a few have most of the
	// patients, most have hardly any. Without it every row occurs as often.
	Tail bool
}

// A File is one phenopacket for the inbox of one hospital.
type File struct {
	Hospital int // from 0
	// Name is the file's name, the same at both hospitals of a patient who is
	// registered at two.
	Name       string
	Raw        []byte
	ResidentID string // made up; also in the packet's subject.alternateIds
	Second     bool   // the patient has a file at another hospital before this
}

// shared is how many patients in a hundred go to a second hospital.
const shared = 10

// Files makes up the files of all patients, in the order of the patients.
func Files(o Options) iter.Seq[File] {
	return func(yield func(File) bool) {
		rows := o.Catalog.All()
		for n := range o.Patients {
			p := newPatient(o, rows, n)
			for visit, hospital := range p.hospitals {
				file := File{Hospital: hospital, Name: p.name + ".json", Raw: p.packet(visit), ResidentID: p.id, Second: visit > 0}
				if !yield(file) {
					return
				}
			}
		}
	}
}

// row returns the row of patient n: every round of patients goes through all
// rows, each round in an order of its own.
func row(o Options, rows []catalog.Disease, n int) catalog.Disease {
	round := n / len(rows)
	if o.Tail {
		n, round = rank(rand.New(rand.NewPCG(o.Seed, ^uint64(n))), len(rows)), -1 // an order for all patients
	}
	order := rand.New(rand.NewPCG(o.Seed, ^uint64(round))).Perm(len(rows))
	return rows[order[n%len(rows)]]
}

// rank draws one of n ranks from 0, about as often as 1/(rank+1) says: the power of
// two first, all as likely. No floating point, which differs between platforms.
func rank(rng *rand.Rand, n int) int {
	first := 1 << rng.IntN(bits.Len(uint(n)))
	return min(first+rng.IntN(first), n) - 1
}

// code returns the code by which a hospital would name the row: an ORPHA or
// OMIM code that leads to this row alone, else the list number.
func code(c *catalog.Catalog, d catalog.Disease) string {
	alone := func(m catalog.Match) bool {
		return len(m.Diseases) == 1 && m.Diseases[0].List == d.List && m.Diseases[0].Number == d.Number
	}
	for _, orpha := range d.ORPHA {
		if alone(c.ByORPHA(orpha.ID)) {
			return orpha.ID
		}
	}
	for _, omim := range d.OMIM {
		if alone(c.ByOMIM(omim)) {
			return omim
		}
	}
	return entry.ListCode(d.List, d.Number)
}

type object = map[string]any

// packet returns the phenopacket of one of the patient's hospitals.
func (p *patient) packet(visit int) []byte {
	block := object{
		"department": p.department[visit], "province": p.province, "firstContact": p.contact[visit].String(),
		"diagnosisDate": p.diagnosis.String(), "familyHistory": p.family, "hospitalsBefore": p.before + visit,
	}
	out := object{
		"id":                 p.name,
		"subject":            p.subject(),
		"phenotypicFeatures": p.features,
		"diseases":           []any{object{"term": p.disease, "onset": p.onset}},
		"raresync":           block,
		"metaData": object{
			"created": p.diagnosis.String() + "T00:00:00Z", "createdBy": "raresync generate",
			"phenopacketSchemaVersion": "2.0", "resources": []any{},
		},
	}
	if p.interpretation != nil {
		out["interpretations"] = []any{p.interpretation}
		block["geneticTest"] = object{"type": p.test, "date": p.diagnosis.String()}
	}
	if visit == 0 && len(p.visits) > 0 {
		block["followUps"] = p.visits
	}
	raw, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		panic(fmt.Sprintf("generate: %v", err)) // only maps, slices, texts and numbers are in it
	}
	return append(raw, '\n')
}

func (p *patient) subject() object {
	life := object{"status": "ALIVE"}
	if p.death.Known() {
		life = object{"status": "DECEASED", "timeOfDeath": object{"timestamp": p.death.String() + "T00:00:00Z"}}
	}
	return object{
		"id": p.name, "alternateIds": []any{"RIC:" + p.id}, "dateOfBirth": p.birth.String() + "T00:00:00Z",
		"sex": map[entry.Sex]string{entry.SexMale: "MALE", entry.SexFemale: "FEMALE"}[p.sex], "vitalStatus": life,
	}
}
