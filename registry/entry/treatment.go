package entry

// TreatmentStatus says what became of a treatment.
type TreatmentStatus uint8

// The statuses of treatments. The last two are why drug access is asked for.
const (
	TreatmentStatusNotGiven TreatmentStatus = iota
	TreatmentStarted
	TreatmentStopped
	TreatmentRefused       // by the patient
	TreatmentNotAccessible // not to be had here, or not to be paid
	treatmentStatusEnd
)

// Response is how a disease answered to a treatment.
type Response uint8

// The responses.
const (
	ResponseNotGiven Response = iota
	ResponseComplete
	ResponsePartial
	ResponseStable
	ResponseNone
	ResponseTooEarly
	ResponseUnknown // stated as not known
	responseEnd
)

// StopReason is why a treatment ended.
type StopReason uint8

// The reasons.
const (
	StopNotGiven StopReason = iota
	StopCompleted
	StopIneffective
	StopAdverse
	StopCost
	StopSupply
	StopWish // of the patient
	StopDeath
	StopOther
	stopEnd
)

// Access is the way in which a patient comes by a drug.
type Access uint8

// The ways.
const (
	AccessNotGiven      Access = iota
	AccessInsurance            // on the list of the basic medical insurance
	AccessCommercial           // supplementary or commercial insurance
	AccessPurchase             // special purchase, as by a temporary import
	AccessCompassionate        // expanded access
	AccessTrial
	AccessDonation
	AccessOwnMeans
	accessEnd
)

// Band is what a patient pays for a treatment by the month.
type Band uint8

// The bands, in yuan.
const (
	BandNotGiven Band = iota
	BandNothing
	BandTo1000
	BandTo5000
	BandTo20000
	BandAbove20000
	bandEnd
)

// A Treatment is one treatment, or that it could not be had. The day on which it
// started is the entry's EventDate.
type Treatment struct {
	// Case is the entry id of the case that is treated.
	Case [32]byte

	Agent  Term // a drug, a device or a procedure
	Status TreatmentStatus
	Stop   Date
	Reason StopReason

	Dose     Quantity
	Line     Count // 1 is the first
	Response Response
	Adverse  []Term // events that were taken to come from it

	Access        Access
	Payer         string
	OutOfPocket   Band
	MonthsWaiting Count // from the prescription to the first dose, or until now

	// Extension is canonical JSON: what the source says of the treatment and
	// the fields above do not. Empty if there is nothing.
	Extension []byte
}

// String returns the status's name, such as "not accessible".
func (s TreatmentStatus) String() string { return name(treatmentStatusNames[:], uint8(s)) }

// String returns the response's name, such as "partial".
func (r Response) String() string { return name(responseNames[:], uint8(r)) }

// String returns the reason's name, such as "ineffective".
func (r StopReason) String() string { return name(stopNames[:], uint8(r)) }

// String returns the way's name, such as "donation".
func (a Access) String() string { return name(accessNames[:], uint8(a)) }

// String returns the band's name, such as "1000-5000".
func (b Band) String() string { return name(bandNames[:], uint8(b)) }

var (
	treatmentStatusNames = [...]string{"", "started", "stopped", "refused", "not accessible"}
	responseNames        = [...]string{"", "complete", "partial", "stable", "none", "too early", "unknown"}
	stopNames            = [...]string{"", "completed", "ineffective", "adverse event", "cost", "supply", "patient's wish", "death", "other"}
	accessNames          = [...]string{"", "insurance list", "commercial insurance", "special purchase", "compassionate use", "trial",
		"donation", "own means"}
	bandNames = [...]string{"", "nothing", "up to 1000", "1000-5000", "5000-20000", "above 20000"}
)

func (w *wire) treatmentFields(t *Treatment) {
	w.array(14)
	w.hash(&t.Case)
	w.term(&t.Agent)
	number(w, &t.Status, 0, treatmentStatusEnd-1)
	w.date(&t.Stop)
	number(w, &t.Reason, 0, stopEnd-1)
	w.quantity(&t.Dose)
	number(w, &t.Line, 0, ^Count(0))
	number(w, &t.Response, 0, responseEnd-1)
	list(w, &t.Adverse, (*wire).term)
	number(w, &t.Access, 0, accessEnd-1)
	w.text(&t.Payer)
	number(w, &t.OutOfPocket, 0, bandEnd-1)
	number(w, &t.MonthsWaiting, 0, ^Count(0))
	w.blob(&t.Extension)
}
