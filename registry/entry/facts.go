package entry

// Facts are what an entry says of a person's disease: exactly one of them is
// set in an entry of these types, and in a correction.
type Facts struct {
	Case      *Case
	Genetics  *Genetics
	FollowUp  *FollowUp
	Specimen  *Specimen
	Treatment *Treatment
	Death     *Death
	Referral  *Referral
}

// Of returns the type that the facts are of, or 0 if there are none or several.
func (f Facts) Of() Type {
	return onlyOne([]set{
		{TypeCase, f.Case != nil}, {TypeGenetics, f.Genetics != nil}, {TypeFollowUp, f.FollowUp != nil},
		{TypeSpecimen, f.Specimen != nil}, {TypeTreatment, f.Treatment != nil}, {TypeDeath, f.Death != nil},
		{TypeReferral, f.Referral != nil},
	})
}

// set says whether the fields of a type are there.
type set struct {
	of    Type
	there bool
}

// onlyOne returns the type whose fields are there, or 0 if there are none or
// several.
func onlyOne(sets []set) (of Type) {
	for _, s := range sets {
		switch {
		case s.there && of != 0:
			return 0
		case s.there:
			of = s.of
		}
	}
	return of
}

// Any reports whether any fact is set.
func (f Facts) Any() bool { return f != Facts{} }

// BelongsTo returns the id of the case that the facts belong to, or zeros for a
// case and for a document on its own.
func (f Facts) BelongsTo() [32]byte {
	if id := f.caseID(); id != nil {
		return *id
	}
	return [32]byte{}
}

// Under returns the facts as belonging to the case with the given id. Facts of a
// case stay as they are.
func (f Facts) Under(id [32]byte) Facts {
	f = f.copied()
	if at := f.caseID(); at != nil {
		*at = id
	}
	return f
}

// caseID returns where the id of the case stands, or nil.
func (f Facts) caseID() *[32]byte {
	switch {
	case f.Genetics != nil:
		return &f.Genetics.Case
	case f.FollowUp != nil:
		return &f.FollowUp.Case
	case f.Specimen != nil:
		return &f.Specimen.Case
	case f.Treatment != nil:
		return &f.Treatment.Case
	case f.Death != nil:
		return &f.Death.Case
	case f.Referral != nil:
		return &f.Referral.Case
	}
	return nil
}

// copied returns facts whose case id can be set without changing f's.
func (f Facts) copied() Facts {
	f.Genetics, f.FollowUp, f.Specimen = copyOf(f.Genetics), copyOf(f.FollowUp), copyOf(f.Specimen)
	f.Treatment, f.Death, f.Referral = copyOf(f.Treatment), copyOf(f.Death), copyOf(f.Referral)
	return f
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// Blank returns facts of a type with nothing given, or none for a type without
// facts.
func Blank(t Type) (f Facts) {
	switch t {
	case TypeCase:
		f.Case = new(Case)
	case TypeGenetics:
		f.Genetics = new(Genetics)
	case TypeFollowUp:
		f.FollowUp = new(FollowUp)
	case TypeSpecimen:
		f.Specimen = new(Specimen)
	case TypeTreatment:
		f.Treatment = new(Treatment)
	case TypeDeath:
		f.Death = new(Death)
	case TypeReferral:
		f.Referral = new(Referral)
	}
	return f
}

// Extension returns where what the source says, and no field holds, stands. The
// facts must not be empty.
func (f Facts) Extension() *[]byte {
	switch {
	case f.Case != nil:
		return &f.Case.Extension
	case f.Genetics != nil:
		return &f.Genetics.Extension
	case f.FollowUp != nil:
		return &f.FollowUp.Extension
	case f.Specimen != nil:
		return &f.Specimen.Extension
	case f.Treatment != nil:
		return &f.Treatment.Extension
	case f.Death != nil:
		return &f.Death.Extension
	}
	return &f.Referral.Extension
}

// facts carries the layout of the facts that are set.
func (w *wire) facts(f *Facts) {
	switch {
	case f.Case != nil:
		w.caseFields(f.Case)
	case f.Genetics != nil:
		w.geneticsFields(f.Genetics)
	case f.FollowUp != nil:
		w.followUpFields(f.FollowUp)
	case f.Specimen != nil:
		w.specimenFields(f.Specimen)
	case f.Treatment != nil:
		w.treatmentFields(f.Treatment)
	case f.Death != nil:
		w.deathFields(f.Death)
	case f.Referral != nil:
		w.referralFields(f.Referral)
	}
}
