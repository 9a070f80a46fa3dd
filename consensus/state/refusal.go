package state

import "fmt"

// Code names why an envelope was refused. Codes never change their meaning;
// docs/PROTOCOL.md "Refusals" explains each.
type Code string

// The refusals of feature level 1.
const (
	CodeEncoding    Code = "ENC001"   // not the deterministic encoding
	CodeSize        Code = "SIZE001"  // larger than an envelope may be
	CodeVersion     Code = "VER001"   // header version, suite or kind above the feature level
	CodeNetwork     Code = "NET001"   // made for another network
	CodeMember      Code = "MEM001"   // sender is not a member
	CodeRole        Code = "MEM002"   // a reader institution cannot send entries
	CodeKey         Code = "KEY001"   // signing key is not the sender's
	CodeKeySpan     Code = "KEY002"   // signing key is not valid at this envelope number
	CodeSequence    Code = "SEQ001"   // sequence was used by another envelope
	CodeGap         Code = "SEQ002"   // sequence skips ahead
	CodePrevious    Code = "SEQ003"   // previous envelope id is not the sender's last
	CodeFork        Code = "SEQ-FORK" // two ids for one sequence and attempt: evidence
	CodeTime        Code = "TIME001"  // signed more than 10 minutes ahead of log time
	CodeReaderSet   Code = "RDR001"   // reader set is neither current nor recently so
	CodeWraps       Code = "RDR002"   // wraps are not those of the reader set
	CodeLength      Code = "FM006"    // a ciphertext's length is no size class
	CodeBodies      Code = "BODY001"  // bodies are not those the header commits to
	CodeEd25519     Code = "SIG001"   // Ed25519 half does not verify
	CodeMLDSA       Code = "SIG002"   // ML-DSA half does not verify
	CodeActForm     Code = "ACT001"   // act envelope with salts, tags, keys or wraps
	CodeActType     Code = "ACT002"   // act type above the feature level
	CodeActPayload  Code = "ACT003"   // act payload not readable or not sensible
	CodeActApproval Code = "ACT004"   // approvals missing, not due or not verifying
	CodeRemoved     Code = "MEM003"   // institution was removed
	CodeNeeded      Code = "MEM004"   // too few lead hospitals, readers or share holders would be left
	CodeVoters      Code = "VOT001"   // too few or too many voters there would be
	CodeDialOnly    Code = "VOT002"   // a second voter that only dials out
	CodeSupport     Code = "FEA001"   // a voter does not support the feature level
)

// Refusal is the state machine's named answer to an envelope it does not
// accept. It is the same on every node and changes nothing.
type Refusal struct {
	Code   Code
	Detail string // for people; never patient data
}

// Error returns the code and the detail.
func (r *Refusal) Error() string { return fmt.Sprintf("%s: %s", r.Code, r.Detail) }

func refuse(c Code, format string, args ...any) *Refusal {
	return &Refusal{Code: c, Detail: fmt.Sprintf(format, args...)}
}
