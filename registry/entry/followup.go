package entry

// DiseaseStatus is how the disease stands at a visit.
type DiseaseStatus uint8

// The statuses.
const (
	StatusNotGiven DiseaseStatus = iota
	StatusStable
	StatusImproved
	StatusWorse
	StatusRemission
	StatusUnknown // stated as not known
	statusEnd
)

// A FollowUp is one visit. The visit date is the entry's EventDate.
type FollowUp struct {
	// Case is the entry id of the case it follows.
	Case [32]byte

	Vital        Vital
	Disease      DiseaseStatus
	NextVisit    Date
	Scale        string // name of a function score, such as "ALSFRS-R"
	Score        string // its value, kept as written
	Measurements []Measurement

	// Extension is canonical JSON: what the source says of the visit and the
	// fields above do not. Empty if there is nothing.
	Extension []byte
}

// A Measurement is one value with its unit. The value is text, kept as
// written.
type Measurement struct {
	Assay Term
	Value string
	Unit  Term
}

// String returns the status's name, such as "stable".
func (s DiseaseStatus) String() string { return name(statusNames[:], uint8(s)) }

var statusNames = [...]string{"", "stable", "improved", "worse", "remission", "unknown"}
