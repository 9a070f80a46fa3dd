package entry

// A Death is the end of a person's life. Its day is the entry's EventDate.
type Death struct {
	// Case is the entry id of the case.
	Case [32]byte

	Cause Term // as the certificate of death has it, an ICD-10 code where known
	// Related says whether the disease, or its treatment, led to the death.
	Related Answer

	// Extension is canonical JSON: what the source says of the death and the
	// fields above do not. Empty if there is nothing.
	Extension []byte
}

func (w *wire) deathFields(d *Death) {
	w.array(4)
	w.hash(&d.Case)
	w.term(&d.Cause)
	number(w, &d.Related, 0, AnswerUnknown)
	w.blob(&d.Extension)
}
