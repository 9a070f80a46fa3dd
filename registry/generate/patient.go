package generate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
)

// A patient is one made-up person with everything that is in their files.
type patient struct {
	rng       *rand.Rand
	name, id  string
	hospitals []int

	sex                     entry.Sex
	born, onsetAt, found    time.Time
	today                   time.Time
	birth, diagnosis, death entry.Date
	contact                 [2]entry.Date
	department              [2]string
	province, family        string
	before                  int

	disease, onset object
	features       []any
	interpretation object // nil without a genetic test
	test           string
	visits         []any
}

// newPatient makes up patient n from the seed and n alone.
func newPatient(o Options, rows []catalog.Disease, n int) *patient {
	p := &patient{rng: rand.New(rand.NewPCG(o.Seed, uint64(n))), name: fmt.Sprintf("patient-%06d", n+1)}
	d := row(o, rows, n)
	p.today, _ = o.Today.Span()
	p.chooseHospitals(o.Hospitals, n)
	p.choosePerson([2]int{d.List, d.Number})
	p.id = ResidentID(o.Seed, p.name+".json", p.name, p.sex, p.birth)
	p.disease = object{"id": code(o.Catalog, d), "label": strings.TrimSpace(d.ZH[0])}
	p.chooseFeatures()
	if p.rng.IntN(100) < 60 {
		p.chooseGenetics()
	}
	p.chooseCourse()
	return p
}

func (p *patient) chooseHospitals(hospitals, n int) {
	p.hospitals = []int{n % hospitals}
	other := p.rng.IntN(max(hospitals-1, 1))
	if p.rng.IntN(100) < shared && hospitals > 1 {
		p.hospitals = append(p.hospitals, (n+1+other)%hospitals)
	}
}

func pick[T any](p *patient, from []T) T { return from[p.rng.IntN(len(from))] }

// choosePerson sets sex, birth, onset and diagnosis: registration began with
// the diagnoses of 2015.
func (p *patient) choosePerson(key [2]int) {
	p.sex = entry.SexMale + entry.Sex(p.rng.IntN(2))
	if bound, ok := sexOf[key]; ok {
		p.sex = bound
	}
	start := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)
	p.found = start.AddDate(0, 0, p.rng.IntN(int(p.today.Sub(start)/(24*time.Hour))))
	months := p.ageAtOnset()
	if newbornRows[key] {
		months = p.rng.IntN(3)
	}
	delay := p.rng.IntN(p.rng.IntN(100) + 1) // months to the diagnosis, mostly few
	p.onsetAt = p.found.AddDate(0, -delay, 0)
	p.born = p.onsetAt.AddDate(0, -months, -p.rng.IntN(28))
	p.birth, p.diagnosis = entry.DateOf(p.born), entry.DateOf(p.found)
	p.onset = object{"age": object{"iso8601duration": fmt.Sprintf("P%dY%dM", months/12, months%12)}}
	p.province = pick(p, provinces)
	p.family = pick(p, []string{"yes", "no", "no", "no", "unknown"})
	p.before = p.rng.IntN(6)
	for i := range p.contact {
		p.department[i] = pick(p, departments)
		at := p.found.AddDate(0, 0, -p.rng.IntN(60))
		p.contact[i] = entry.DateOf(at)
	}
}

// ageAtOnset returns months: a third of the patients fall ill in their first
// year, a third as children, a third as adults.
func (p *patient) ageAtOnset() int {
	switch p.rng.IntN(3) {
	case 0:
		return p.rng.IntN(12)
	case 1:
		return 12 + p.rng.IntN(17*12)
	}
	return 18*12 + p.rng.IntN(50*12)
}

// chooseFeatures draws up to 15 features, about a third looked for and absent.
func (p *patient) chooseFeatures() {
	for i, at := range p.rng.Perm(len(features))[:3+p.rng.IntN(13)] {
		f := object{"type": object{"id": features[at].id, "label": features[at].label}}
		switch {
		case i > 0 && p.rng.IntN(3) == 0:
			f["excluded"] = true
		case p.rng.IntN(3) == 0:
			s := pick(p, severities)
			f["severity"] = object{"id": s.id, "label": s.label}
		}
		p.features = append(p.features, f)
	}
}

// chooseGenetics makes up a substitution in the coding part of a gene.
func (p *patient) chooseGenetics() {
	g := pick(p, genes)
	bases := "ACGT"
	from := p.rng.IntN(4)
	to := (from + 1 + p.rng.IntN(3)) % 4
	change := fmt.Sprintf("%s:c.%d%c>%c", g.transcript, 1+p.rng.IntN(3000), bases[from], bases[to])
	zygosity := pick(p, []term{{"GENO:0000135", "heterozygous"}, {"GENO:0000136", "homozygous"}})
	status, class, progress := "CAUSATIVE", pick(p, []string{"PATHOGENIC", "LIKELY_PATHOGENIC"}), "SOLVED"
	if p.rng.IntN(4) == 0 {
		status, class, progress = "CANDIDATE", "UNCERTAIN_SIGNIFICANCE", "UNSOLVED"
	}
	p.test = pick(p, []string{"panel", "exome", "exome", "genome", "single gene"})
	p.interpretation = object{
		"id": p.name + "-interpretation", "progressStatus": progress,
		"diagnosis": object{"disease": p.disease, "genomicInterpretations": []any{object{
			"subjectOrBiosampleId": p.name, "interpretationStatus": status,
			"variantInterpretation": object{
				"acmgPathogenicityClassification": class,
				"variationDescriptor": object{
					"id": fmt.Sprintf("variant-%08x", p.rng.Uint32()), "moleculeContext": "genomic",
					"geneContext":  object{"valueId": g.hgnc, "symbol": g.symbol},
					"expressions":  []any{object{"syntax": "hgvs.c", "value": change}},
					"allelicState": object{"id": zygosity.id, "label": zygosity.label},
				},
			},
		}}},
	}
}

// chooseCourse makes up visits every few months after the diagnosis, and for
// one patient in twenty a death after the last of them.
func (p *patient) chooseCourse() {
	at := p.found
	for range p.rng.IntN(5) {
		at = at.AddDate(0, 3+p.rng.IntN(9), p.rng.IntN(28))
		if !at.Before(p.today) {
			break
		}
		p.visits = append(p.visits, object{
			"visitDate": entry.DateOf(at).String(), "vitalStatus": "alive",
			"diseaseStatus": pick(p, []string{"stable", "stable", "improved", "worse"}),
			"measurements": []any{object{
				"assay": object{"id": "LOINC:29463-7", "label": "Body weight"},
				"value": object{"quantity": object{
					"unit": object{"id": "UCUM:kg", "label": "kilogram"}, "value": 3 + p.rng.IntN(80)}},
			}},
		})
	}
	if after := at.AddDate(0, 1, 0); p.rng.IntN(20) == 0 && after.Before(p.today) {
		p.death = entry.DateOf(after)
	}
}
