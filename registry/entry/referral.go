package entry

// ReferralReason is why a patient is sent to another hospital.
type ReferralReason uint8

// The reasons.
const (
	ReferralNotGiven ReferralReason = iota
	ReferralDiagnosis
	ReferralTreatment
	ReferralDrug // a drug that is only to be had there
	ReferralFollowUp
	ReferralGenetics // counselling or testing
	ReferralAdult    // from a children's hospital
	ReferralMoved    // the patient lives elsewhere now
	ReferralOther
	referralEnd
)

// A Referral is a patient's way from one hospital to another. Its day is the
// entry's EventDate.
type Referral struct {
	// Case is the entry id of the case.
	Case [32]byte

	// From and To are unified social credit codes (GB 32100) of hospitals. The
	// hospital that reports may be left out.
	From, To string
	Reason   ReferralReason
	Accepted Answer // by the hospital that the patient was sent to

	// Extension is canonical JSON: what the source says of the referral and the
	// fields above do not. Empty if there is nothing.
	Extension []byte
}

// String returns the reason's name, such as "diagnosis".
func (r ReferralReason) String() string { return name(referralNames[:], uint8(r)) }

var referralNames = [...]string{"", "diagnosis", "treatment", "drug", "follow-up", "genetics", "adult care", "moved", "other"}

func (w *wire) referralFields(r *Referral) {
	w.array(6)
	w.hash(&r.Case)
	w.texts(&r.From, &r.To)
	number(w, &r.Reason, 0, referralEnd-1)
	number(w, &r.Accepted, 0, AnswerUnknown)
	w.blob(&r.Extension)
}
