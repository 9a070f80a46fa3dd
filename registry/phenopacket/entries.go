package phenopacket

import (
	"crypto/sha256"
	"slices"

	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/rule"
	"github.com/raresync/raresync/registry/validate"
)

// Options say how a packet becomes entries.
type Options struct {
	// Key is the hospital's key for entry ids.
	Key [32]byte
	// Catalog names the rows of the national lists. Required.
	Catalog *catalog.Catalog
	// Profile is the profile of all entries. Zero chooses: published for a
	// packet that names a PMID or DOI, else report.
	Profile entry.Profile
	// Basis is the legal basis of entries that are not published cases, unless
	// the packet states another.
	Basis entry.Basis
	// Source is what the packet was made from. Zero is a phenopacket. Ids do not
	// depend on it.
	Source entry.Source
}

// Entries are what one packet becomes. They have no pseudonym yet: see
// SetPseudonym.
type Entries struct {
	Case     entry.Entry
	Genetics *entry.Entry // nil if the packet holds nothing genetic
	// Parts are the follow-ups, specimens, treatments, death and referrals of the
	// raresync member, in this order and that of the packet.
	Parts []entry.Entry
	// Findings are those of reading: PR001 and PP003, DT001 for a date that
	// cannot be read, PP002 for a value of the wrong type or range, DX003 for
	// a word that no enumeration has. Package validate checks the rest.
	Findings []rule.Finding
	// Doubts are those findings of [Packet.Accept] that the hospital is to look into.
	Doubts []validate.Doubt
}

// All returns every entry, the case first.
func (e Entries) All() []entry.Entry {
	all := []entry.Entry{e.Case}
	if e.Genetics != nil {
		all = append(all, *e.Genetics)
	}
	return append(all, e.Parts...)
}

// SetPseudonym gives every entry the person's pseudonym and its strength. Ids
// do not depend on it.
func (e *Entries) SetPseudonym(value [32]byte, strength entry.Strength) {
	set := func(one *entry.Entry) {
		one.Pseudonym = entry.Pseudonym{Present: true, Value: value}
		one.Strength = strength
	}
	set(&e.Case)
	if e.Genetics != nil {
		set(e.Genetics)
	}
	for i := range e.Parts {
		set(&e.Parts[i])
	}
}

// Entries makes the packet's entries. The same packet with the same key gives
// the same ids. It returns an error only for a packet that could not be given
// back whole (PP002); whether the entries may be submitted is for
// package validate and the Findings to say.
func (p Packet) Entries(o Options) (Entries, error) {
	clinical, genetic := split(p.tree)
	findings := append(slices.Clone(p.findings), strangers(clinical, genetic)...)
	clinical, parts := cutParts(clinical)
	clinical, parts, found := cutNative(clinical, parts)
	findings = append(findings, found...)
	m := mapping{Packet: p, Options: o, lens: &lens{path: "$"}}
	var out Entries
	var err error
	if out.Case, err = m.clinicalEntry(clinical, genetic); err != nil {
		return Entries{}, err
	}
	m.Profile, m.Basis = out.Case.Profile, out.Case.Basis
	if genetic != nil {
		if out.Genetics, err = m.geneticEntry(genetic, out.Case.ID); err != nil {
			return Entries{}, err
		}
	}
	for _, cut := range parts {
		e, err := m.partEntry(cut, out.Case.ID)
		if err != nil {
			return Entries{}, err
		}
		out.Parts = append(out.Parts, e)
	}
	m.derive(parts, out.Parts)
	out.Findings = p.locate(append(findings, m.lens.findings...))
	return out, nil
}

// A mapping turns the parts of one packet into entries.
type mapping struct {
	Packet
	Options // with the case's profile and basis, once they are known
	lens    *lens
}

// blank begins an entry made from a part of the packet that belongs to the case
// with the given id; the case itself belongs to none.
func (m mapping) blank(t entry.Type, part *value, of [32]byte) entry.Entry {
	source := max(m.Source, entry.SourcePhenopacket)
	return entry.Entry{Type: t, Profile: m.Profile, Basis: m.Basis, Source: source, ID: m.id(m.Key, t, part, of)}
}

func (m mapping) clinicalEntry(part, genetic *value) (entry.Entry, error) {
	e := m.blank(entry.TypeCase, part, [32]byte{})
	e.Case = &entry.Case{}
	caseLayout(m.lens, part, &e)
	m.complete(&e, genetic)
	var err error
	e.Case.Extension, err = m.remainder(part, writeCase(&e))
	return e, err
}

func (m mapping) geneticEntry(part *value, of [32]byte) (*entry.Entry, error) {
	e := m.blank(entry.TypeGenetics, part, of)
	e.Genetics = &entry.Genetics{Case: of}
	geneticsLayout(m.lens, part, &e)
	var err error
	e.Genetics.Extension, err = m.remainder(part, writeGenetics(&e))
	return &e, err
}

// id returns the id of an entry made from a part of the packet. The time of
// export does not enter it, so that a fresh export of the same case is known;
// the case it belongs to does, so that a corrected case comes with all its
// parts.
func (p Packet) id(key [32]byte, t entry.Type, part *value, of [32]byte) [32]byte {
	content := part
	if meta := part.Get("metaData"); meta.Get("created") != nil {
		meta = meta.CloneTop()
		meta.Remove("created")
		content = part.CloneTop()
		content.Set("metaData", meta)
	}
	return entry.ID(key, t, p.localID, sha256.Sum256(append(content.Canonical(), of[:]...)))
}

// SourceID returns the id of the packet by its source's own name, whatever is in
// it: of a fresh export of the same case it is the same.
func (p Packet) SourceID(key [32]byte) [32]byte { return entry.ID(key, 0, p.localID, [32]byte{}) }

// complete fills in what follows from the packet without standing in it.
func (m mapping) complete(e *entry.Entry, genetic *value) {
	c := e.Case
	if e.Profile == 0 {
		e.Profile = entry.Report
		if c.Published() {
			e.Profile = entry.Published
		}
	}
	if e.Profile == entry.Published {
		e.Basis = entry.BasisNone
	}
	for i := range c.Diseases {
		c.Diseases[i].Match = c.Diseases[i].Resolve(m.Catalog)
	}
	if c.Verification == entry.VerificationNotGiven {
		c.Verification, c.Inferred = infer(c, genetic), true
	}
}

// infer concludes the verification: genetic where an interpretation is solved
// by a causative variant, undiagnosed without a disease, else clinical.
func infer(c *entry.Case, genetic *value) entry.Verification {
	if _, ok := c.Principal(); !ok {
		return entry.VerificationNotGiven
	}
	for _, in := range genetic.Get("interpretations").List() {
		for _, g := range in.At("diagnosis", "genomicInterpretations").List() {
			if in.Get("progressStatus").Str() == "SOLVED" && g.Get("interpretationStatus").Str() == "CAUSATIVE" {
				return entry.Genetic
			}
		}
	}
	return entry.Clinical
}

// remainder returns the extension: what of a part its fields do not hold. It
// makes sure that both together give the part back.
func (p Packet) remainder(part, held *value) ([]byte, error) {
	rest := subtract(part, held)
	if !merge(held, rest).Equal(part) {
		return nil, rule.Refuse("PP002", where(p.name, p.path), "a field could not be kept as it is")
	}
	if rest == nil {
		return nil, nil
	}
	return rest.Canonical(), nil
}

// strangers finds interpretations whose disease the packet does not list
// (PP003).
func strangers(clinical, genetic *value) []rule.Finding {
	listed := map[string]bool{}
	for _, d := range clinical.Get("diseases").List() {
		listed[d.At("term", "id").Str()] = true
	}
	var findings []rule.Finding
	for i, in := range genetic.Get("interpretations").List() {
		id := in.At("diagnosis", "disease", "id").Str()
		if id != "" && !listed[id] {
			findings = append(findings, rule.Find("PP003", place("$.interpretations", i)+".diagnosis.disease", ""))
		}
	}
	return findings
}
