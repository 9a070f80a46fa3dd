package sign

import "fmt"

// A Purpose is what a key may be used for. It is part of the key's id.
type Purpose uint8

// The purposes, as numbered in the protocol. Keys for envelopes, requests and
// responses are Ed25519 and ML-DSA-65; cosigning keys are Ed25519 and
// ML-DSA-44; log and TLS keys are Ed25519 alone.
const (
	PurposeEnvelope Purpose = 1 // envelopes of a member, and its approvals of acts
	PurposeRequest  Purpose = 2 // evaluation requests of a hospital
	PurposeResponse Purpose = 3 // evaluation responses of a share holder
	PurposeCosign   Purpose = 4 // checkpoint cosignatures of a voter
	PurposeLog      Purpose = 5 // checkpoints of a log epoch's leader
	PurposeTLS      Purpose = 6 // a node's identity on the wire
)

var purposeNames = [...]string{
	PurposeEnvelope: "envelope",
	PurposeRequest:  "request",
	PurposeResponse: "response",
	PurposeCosign:   "cosign",
	PurposeLog:      "log",
	PurposeTLS:      "tls",
}

// Valid reports whether p is one of the purposes above.
func (p Purpose) Valid() bool { return p >= PurposeEnvelope && p <= PurposeTLS }

// String returns the purpose as a lower-case word.
func (p Purpose) String() string {
	if !p.Valid() {
		return fmt.Sprintf("purpose %d", uint8(p))
	}
	return purposeNames[p]
}

// A Label separates signatures over one kind of bytes from those over another.
// Each label belongs to keys of one purpose.
type Label string

// The labels of the protocol.
const (
	LabelEntries    Label = "raresync/v1/entries"        // an envelope of entries
	LabelAct        Label = "raresync/v1/act"            // an envelope that holds an act
	LabelApproval   Label = "raresync/v1/approval"       // a lead hospital's approval of an act
	LabelPossession Label = "raresync/v1/possession"     // proof that a new envelope key's owner holds it
	LabelSurvey     Label = "raresync/v1/survey"         // what a stopped node says of its copy
	LabelExport     Label = "raresync/v1/export"         // what a reader says of a dataset that it hands out
	LabelRequest    Label = "raresync/v1/toprf-request"  // an evaluation request
	LabelResponse   Label = "raresync/v1/toprf-response" // an evaluation response
)

// purpose returns the purpose whose keys sign under l, or 0 if l is unknown.
func (l Label) purpose() Purpose {
	switch l {
	case LabelEntries, LabelAct, LabelApproval, LabelPossession, LabelSurvey, LabelExport:
		return PurposeEnvelope
	case LabelRequest:
		return PurposeRequest
	case LabelResponse:
		return PurposeResponse
	}
	return 0
}
