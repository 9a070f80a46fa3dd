package entry

// SpecimenKind is what a specimen is made of.
type SpecimenKind uint8

// The kinds of specimens.
const (
	SpecimenNotGiven SpecimenKind = iota
	SpecimenBlood
	SpecimenPlasma
	SpecimenSerum
	SpecimenCells // blood cells, fibroblasts, cell lines
	SpecimenDNA
	SpecimenRNA
	SpecimenTissue
	SpecimenUrine
	SpecimenStool
	SpecimenSaliva // or a buccal swab
	SpecimenCSF    // cerebrospinal fluid
	SpecimenDriedBlood
	SpecimenOther
	specimenEnd
)

// SpecimenStatus says whether a specimen can still be asked for.
type SpecimenStatus uint8

// The statuses of specimens.
const (
	SpecimenStatusNotGiven SpecimenStatus = iota
	SpecimenAvailable
	SpecimenUsedUp
	SpecimenDestroyed // as after a withdrawal of consent
	SpecimenHandedOver
	SpecimenStatusUnknown // stated as not known
	specimenStatusEnd
)

// Storage is how a specimen is kept.
type Storage uint8

// The ways of keeping a specimen.
const (
	StorageNotGiven Storage = iota
	StorageAmbient
	StorageFridge   // 2 to 8 °C
	StorageFreezer  // -15 to -30 °C
	StorageDeep     // -60 °C and below
	StorageNitrogen // liquid nitrogen or its vapour
	StorageEmbedded // fixed and embedded in paraffin
	StorageOther
	storageEnd
)

// A Specimen is what a biobank keeps of a person. The day of collection is the
// entry's EventDate. Its number in the biobank stays in the hospital.
type Specimen struct {
	// Case is the entry id of the case that it was taken for.
	Case [32]byte
	// DerivedFrom is the entry id of the specimen that it was made from, as DNA
	// is from blood, or zeros.
	DerivedFrom [32]byte

	Kind    SpecimenKind
	Status  SpecimenStatus
	Count   Count // of vials or blocks
	Biobank string
	// Consent says whether the person agreed that it is kept and used.
	Consent Answer

	SPREC   string // the Standard PREanalytical Code, version 3.0 or older, as written
	Site    Term   // of the body
	Volume  Quantity
	Storage Storage

	PostMortem bool // collected after the death
	Prenatal   bool // collected before the birth

	// Extension is canonical JSON: what the source says of the specimen and
	// the fields above do not. Empty if there is nothing.
	Extension []byte
}

// A Quantity is a number, kept as written, with its unit.
type Quantity struct {
	Value string
	Unit  Term // of UCUM, as {UCUM:mL millilitre}
}

// String returns the kind's name, such as "blood".
func (k SpecimenKind) String() string { return name(specimenNames[:], uint8(k)) }

// String returns the status's name, such as "available".
func (s SpecimenStatus) String() string { return name(specimenStatusNames[:], uint8(s)) }

// String returns the storage's name, such as "liquid nitrogen".
func (s Storage) String() string { return name(storageNames[:], uint8(s)) }

var (
	specimenNames = [...]string{"", "blood", "plasma", "serum", "cells", "DNA", "RNA", "tissue", "urine", "stool", "saliva",
		"cerebrospinal fluid", "dried blood", "other"}
	specimenStatusNames = [...]string{"", "available", "used up", "destroyed", "handed over", "unknown"}
	storageNames        = [...]string{"", "ambient", "fridge", "freezer", "deep frozen", "liquid nitrogen", "embedded", "other"}
)

func (w *wire) quantity(q *Quantity) {
	w.array(2)
	w.text(&q.Value)
	w.term(&q.Unit)
}

func (w *wire) specimenFields(s *Specimen) {
	w.array(14)
	w.hash(&s.Case)
	derived := s.DerivedFrom != [32]byte{}
	w.optionalHash(&derived, &s.DerivedFrom)
	if derived && s.DerivedFrom == [32]byte{} {
		w.fail("derived from zeros")
	}
	number(w, &s.Kind, 0, specimenEnd-1)
	number(w, &s.Status, 0, specimenStatusEnd-1)
	number(w, &s.Count, 0, ^Count(0))
	w.text(&s.Biobank)
	number(w, &s.Consent, 0, AnswerUnknown)
	w.text(&s.SPREC)
	w.term(&s.Site)
	w.quantity(&s.Volume)
	number(w, &s.Storage, 0, storageEnd-1)
	w.flag(&s.PostMortem)
	w.flag(&s.Prenatal)
	w.blob(&s.Extension)
}
