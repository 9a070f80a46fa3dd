package catalog

import (
	"crypto/sha256"
	"slices"
)

// A Catalog is one edition of the lists with its indexes. It is immutable.
type Catalog struct {
	edition  string
	hash     [sha256.Size]byte
	diseases []Disease
	refs     map[[2]int]*Disease
	orpha    map[string][]*Disease
	omim     map[string][]*Disease
	icd10    map[string][]*Disease // by icdKey
	names    map[string][]*Disease // by nameKey
}

func build(edition string, diseases []Disease) *Catalog {
	c := &Catalog{
		edition: edition, hash: hash(edition, diseases), diseases: diseases,
		refs:  map[[2]int]*Disease{},
		orpha: map[string][]*Disease{}, omim: map[string][]*Disease{},
		icd10: map[string][]*Disease{}, names: map[string][]*Disease{},
	}
	for i := range diseases {
		c.index(&diseases[i])
	}
	return c
}

func (c *Catalog) index(d *Disease) {
	c.refs[[2]int{d.List, d.Number}] = d
	for _, code := range d.ORPHA {
		add(c.orpha, code.ID, d)
	}
	for _, id := range d.OMIM {
		add(c.omim, id, d)
	}
	for _, id := range d.ICD10 {
		add(c.icd10, icdKey(id), d)
	}
	for _, name := range slices.Concat(d.ZH, d.EN) {
		add(c.names, nameKey(name), d)
	}
}

// add enters d under key once.
func add(index map[string][]*Disease, key string, d *Disease) {
	if !slices.Contains(index[key], d) {
		index[key] = append(index[key], d)
	}
}

// Edition returns the edition's name, such as "cn-2018+2023/1".
func (c *Catalog) Edition() string { return c.edition }

// Hash returns the SHA-256 of the table's deterministic CBOR, which a
// catalogue act names.
func (c *Catalog) Hash() [32]byte { return c.hash }

// All returns every row, list 1 first, each in the order of its numbers.
func (c *Catalog) All() []Disease { return slices.Clone(c.diseases) }

// ByNumber returns the row of a list (1, 2, ...) with a number, or false.
func (c *Catalog) ByNumber(list, number int) (*Disease, bool) {
	d, ok := c.refs[[2]int{list, number}]
	return d, ok
}

// ByORPHA finds an ORPHA code in any spelling that NormalizeCode reads. Of
// several rows the one that the code names exactly is preferred; without one
// all are listed and the match is ambiguous.
func (c *Catalog) ByORPHA(code string) Match {
	id, ok := read(code, ORPHA)
	if !ok {
		return Match{}
	}
	rows := c.orpha[id]
	inexact := func(d *Disease) bool { return !slices.Contains(d.ORPHA, Code{id, Exact}) }
	if exact := slices.DeleteFunc(slices.Clone(rows), inexact); len(exact) > 0 {
		rows = exact
	}
	return match(rows, ByORPHA)
}

// ByOMIM finds an OMIM number or phenotypic series.
func (c *Catalog) ByOMIM(code string) Match {
	id, ok := read(code, OMIM, OMIMPS)
	if !ok {
		return Match{}
	}
	return match(c.omim[id], ByOMIM)
}

// ByICD10 finds an ICD-10 code by its letter and three digits; what follows
// is ignored. A row of the table that stops after two digits, such as E84,
// covers all its subdivisions.
func (c *Catalog) ByICD10(code string) Match {
	id, ok := read(code, ICD10)
	if !ok {
		return Match{}
	}
	key := icdKey(id)
	rows := slices.Clone(c.icd10[key])
	if category := key[:icdCategory]; category != key {
		rows = append(rows, c.icd10[category]...)
	}
	return match(rows, ByICD10)
}

// ByName finds a whole Chinese or English name or synonym.
func (c *Catalog) ByName(name string) Match {
	if len(name) > maxQueryBytes {
		return Match{}
	}
	return match(c.names[nameKey(name)], ByName)
}

// match returns the rows in the order of the lists, each once.
func match(rows []*Disease, by string) Match {
	if len(rows) == 0 {
		return Match{}
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, compare)
	rows = slices.Compact(rows)
	return Match{Diseases: rows, By: by, Ambiguous: len(rows) > 1}
}
