package entry

// TestType is the kind of a genetic test.
type TestType uint8

// The kinds of tests.
const (
	TestNotGiven TestType = iota
	TestSingleGene
	TestPanel
	TestExome
	TestGenome
	TestArray     // chromosomal microarray
	TestKaryotype // or FISH
	TestRepeat    // repeat expansion
	TestDosage    // MLPA or quantitative PCR
	TestMitochondrial
	TestOther
	testEnd
)

// Result is what a genetic test said.
type Result uint8

// The results.
const (
	ResultNotGiven Result = iota
	Causative
	Negative
	Uncertain
	Pending
	resultEnd
)

// Progress is how far an interpretation has come.
type Progress uint8

// The stages, as a phenopacket names them.
const (
	ProgressNotGiven Progress = iota
	ProgressUnknown
	ProgressRunning
	ProgressCompleted
	ProgressSolved
	ProgressUnsolved
	progressEnd
)

// Standing is what a variant or gene means for the diagnosis.
type Standing uint8

// The standings, as a phenopacket names them.
const (
	StandingNotGiven Standing = iota
	StandingUnknown
	StandingRejected
	StandingCandidate
	StandingContributory
	StandingCausative
	standingEnd
)

// ACMG is the pathogenicity class of a variant.
type ACMG uint8

// The classes, as a phenopacket names them.
const (
	ACMGNotGiven ACMG = iota
	ACMGNotProvided
	ACMGBenign
	ACMGLikelyBenign
	ACMGUncertain
	ACMGLikelyPathogenic
	ACMGPathogenic
	acmgEnd
)

// Genetics is the genetic part of a case. It is an entry of its own, sealed
// under a key of its own. The entry's EventDate is the date of the report.
type Genetics struct {
	// Case is the entry id of the case it belongs to.
	Case [32]byte

	Test   TestType
	Stated Result // as the source states it; see Outcome
	Lab    string

	// Interpretations are what the laboratory read from it, in its order.
	Interpretations []Interpretation

	// Extension is canonical JSON: what the genetic part of the source holds
	// and the fields above do not. Empty if there is nothing.
	Extension []byte
}

// An Interpretation explains one diagnosis by variants.
type Interpretation struct {
	Progress Progress
	Disease  Term
	Variants []Variant
}

// A Variant is one finding of an interpretation.
type Variant struct {
	Standing    Standing
	ACMG        ACMG
	Gene        Term // HGNC id and symbol
	Expressions []Expression
	VCF         VCF
	Zygosity    Term
	Inheritance Term
}

// An Expression describes a variant in one notation.
type Expression struct {
	Syntax string // hgvs.c, hgvs.g, hgvs.p, ...
	Value  string
}

// A VCF places a variant on an assembly. Position is text, kept as written.
type VCF struct {
	Assembly, Chrom, Position, Ref, Alt string
}

// Given reports whether any part is present.
func (v VCF) Given() bool { return v != VCF{} }

// Outcome returns the stated result or, if the source states none, what the
// interpretations amount to: causative with any causative variant, pending
// while one is in progress, uncertain with any candidate or contributory
// variant or without a standing, else negative. Without interpretations it is
// not given.
func (g *Genetics) Outcome() Result {
	if g.Stated != ResultNotGiven || len(g.Interpretations) == 0 {
		return g.Stated
	}
	outcome := Negative
	for _, in := range g.Interpretations {
		if in.Progress == ProgressRunning && outcome != Causative {
			outcome = Pending
		}
		for _, v := range in.Variants {
			switch {
			case v.Standing == StandingCausative:
				outcome = Causative
			case v.Standing != StandingRejected && outcome == Negative:
				outcome = Uncertain
			}
		}
	}
	return outcome
}

// String returns the test's name, such as "exome".
func (t TestType) String() string { return name(testNames[:], uint8(t)) }

// String returns the result's name, such as "causative".
func (r Result) String() string { return name(resultNames[:], uint8(r)) }

// String returns the stage's name, such as "solved".
func (p Progress) String() string { return name(progressNames[:], uint8(p)) }

// String returns the standing's name, such as "causative".
func (s Standing) String() string { return name(standingNames[:], uint8(s)) }

// String returns the class's name, such as "likely pathogenic".
func (a ACMG) String() string { return name(acmgNames[:], uint8(a)) }

var (
	testNames = [...]string{"", "single gene", "panel", "exome", "genome", "array",
		"karyotype", "repeat", "dosage", "mitochondrial", "other"}
	resultNames   = [...]string{"", "causative", "negative", "uncertain", "pending"}
	progressNames = [...]string{"", "unknown", "in progress", "completed", "solved", "unsolved"}
	standingNames = [...]string{"", "unknown", "rejected", "candidate", "contributory", "causative"}
	acmgNames     = [...]string{"", "not provided", "benign", "likely benign", "uncertain significance",
		"likely pathogenic", "pathogenic"}
)
