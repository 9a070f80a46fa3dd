package entry

// WhenKind says in which way a point in a patient's life is given.
type WhenKind uint8

// The ways of giving a point in life, after the phenopacket TimeElement and
// the European common data elements.
const (
	WhenNotGiven     WhenKind = 0
	WhenUndetermined WhenKind = 1  // stated as not known
	WhenDate         WhenKind = 2  // A: a Date as text
	WhenAge          WhenKind = 3  // A: ISO 8601 duration since birth
	WhenAgeRange     WhenKind = 4  // A, B: ISO 8601 durations
	WhenGestational  WhenKind = 5  // A: weeks; B: days, or "" if not given
	WhenClass        WhenKind = 6  // A: ontology id; B: its label
	WhenTimestamp    WhenKind = 7  // A: RFC 3339
	WhenInterval     WhenKind = 8  // A, B: RFC 3339
	WhenAntenatal    WhenKind = 9  // before birth
	WhenAtBirth      WhenKind = 10 // at birth
)

// String returns the kind's name, such as "age range".
func (k WhenKind) String() string {
	return name([]string{"", "undetermined", "date", "age", "age range", "gestational age", "class",
		"timestamp", "interval", "antenatal", "at birth"}, uint8(k))
}

// A When is a point in a patient's life as the source gave it. The texts are
// kept as written, so that an export says what the source said.
type When struct {
	Kind WhenKind
	A, B string
}

// Given reports whether the source said anything.
func (w When) Given() bool { return w.Kind != WhenNotGiven }

// parts returns how many texts the kind has, or -1 for an unknown kind.
func (k WhenKind) parts() int {
	switch k {
	case WhenNotGiven, WhenUndetermined, WhenAntenatal, WhenAtBirth:
		return 0
	case WhenDate, WhenAge, WhenTimestamp:
		return 1
	case WhenAgeRange, WhenGestational, WhenClass, WhenInterval:
		return 2
	}
	return -1
}
