package entry

// CardStatus says whether what a card describes still grows.
type CardStatus uint8

// The statuses of cards.
const (
	CardStatusNotGiven CardStatus = iota
	CardPlanned
	CardOpen // specimens are collected, patients are enrolled
	CardClosed
	CardEnded // a biobank that was given up, a cohort that was evaluated
	cardStatusEnd
)

// Design is how the patients of a cohort are followed.
type Design uint8

// The designs.
const (
	DesignNotGiven Design = iota
	DesignProspective
	DesignRetrospective
	DesignBoth
	designEnd
)

// A Card describes a biobank, a collection of specimens or a cohort of a hospital,
// with the fields that MIABIS has for them as far as a registry needs them. It is
// about no person. A newer card of the same type and id takes the place of the one
// before, which its Supersedes names.
type Card struct {
	ID          string // the hospital's own short name of it
	Name        string
	NameEN      string
	Description string
	Within      string // of a collection: id of its biobank; of a cohort: id of the collection that keeps its specimens
	Department  string // of the hospital, that is to be asked
	Address     string // on the web

	Diseases []string // codes; none: of any disease
	Kinds    []SpecimenKind
	Storage  []Storage
	Design   Design // of a cohort

	Persons   Count // who gave specimens, or are enrolled
	Specimens Count
	Planned   Count // of a cohort: persons to be enrolled

	Status CardStatus
	Access Answer // whether others may ask for specimens or data
	Start  Date
	End    Date
}

// IsCard reports whether entries of a type are cards.
func (t Type) IsCard() bool { return t >= TypeBiobank && t <= TypeCohort }

// Limits of a card.
const (
	maxCardID   = 64  // bytes
	maxCardList = 256 // of each list
)

// CardID returns the entry id of a card, as [QueryID] does under the label
// "raresync/v1/card\0": the same card twice has one id, and one that was changed
// back has another.
func CardID(key [32]byte, t Type, c Card, supersedes [32]byte) ([32]byte, error) {
	w := wire{}
	w.cardFields(&Entry{Type: t, Card: &c, EventDate: Date{Year: 1, Month: 1, Day: 1}})
	return w.fieldsID(key, t, "card", supersedes)
}

// cardFields carries the layout.
func (w *wire) cardFields(e *Entry) {
	c := e.Card
	w.array(17)
	w.texts(&c.ID, &c.Name, &c.NameEN, &c.Description, &c.Within, &c.Department, &c.Address)
	list(w, &c.Diseases, (*wire).text)
	list(w, &c.Kinds, func(w *wire, k *SpecimenKind) { number(w, k, SpecimenBlood, specimenEnd-1) })
	list(w, &c.Storage, func(w *wire, s *Storage) { number(w, s, StorageAmbient, storageEnd-1) })
	number(w, &c.Design, 0, designEnd-1)
	number(w, &c.Persons, 0, ^Count(0))
	number(w, &c.Specimens, 0, ^Count(0))
	number(w, &c.Planned, 0, ^Count(0))
	number(w, &c.Status, 0, cardStatusEnd-1)
	number(w, &c.Access, 0, AnswerUnknown)
	w.array(2)
	w.date(&c.Start)
	w.date(&c.End)
	w.nobody(e)
	switch {
	case c.ID == "" || len(c.ID) > maxCardID:
		w.fail("a card with no id or a long one")
	case len(c.Diseases) > maxCardList || len(c.Kinds) > maxCardList || len(c.Storage) > maxCardList:
		w.fail("a card with a long list")
	}
}

// String returns the status's name, such as "open".
func (s CardStatus) String() string { return name(cardStatusNames[:], uint8(s)) }

// String returns the design's name, such as "prospective".
func (d Design) String() string { return name(designNames[:], uint8(d)) }

// ParseCardType returns the type with the given name, as String prints it, if it is
// a card's.
func ParseCardType(s string) (Type, bool) {
	for t := TypeBiobank; t <= TypeCohort; t++ {
		if t.String() == s {
			return t, true
		}
	}
	return 0, false
}

// ParseCardStatus returns the status with the given name, as String prints it; no
// name is that none is given.
func ParseCardStatus(s string) (CardStatus, bool) { return parse[CardStatus](cardStatusNames[:], s) }

// ParseDesign returns the design with the given name, as String prints it; no name
// is that none is given.
func ParseDesign(s string) (Design, bool) { return parse[Design](designNames[:], s) }

// ParseSpecimenKind returns the kind with the given name, as String prints it; no
// name is that none is given.
func ParseSpecimenKind(s string) (SpecimenKind, bool) {
	return parse[SpecimenKind](specimenNames[:], s)
}

// ParseStorage returns the storage with the given name, as String prints it; no
// name is that none is given.
func ParseStorage(s string) (Storage, bool) { return parse[Storage](storageNames[:], s) }

// ParseAnswer returns the answer with the given name, as String prints it; no name
// is that none is given.
func ParseAnswer(s string) (Answer, bool) {
	return parse[Answer]([]string{"", "yes", "no", "unknown"}, s)
}

func parse[T ~uint8](names []string, s string) (T, bool) {
	for i, n := range names {
		if n == s {
			return T(i), true
		}
	}
	return 0, false
}

var (
	cardStatusNames = [...]string{"", "planned", "open", "closed", "ended"}
	designNames     = [...]string{"", "prospective", "retrospective", "both"}
)
