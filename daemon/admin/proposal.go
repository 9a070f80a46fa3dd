package admin

// NewProposal puts an act forward for approval by lead hospitals.
type NewProposal struct {
	Type    uint16 `json:"type"` // act type number
	Payload []byte `json:"payload"`
	Expiry  uint64 `json:"expiry"` // log time in ms since 1970 after which it is void
	Reason  string `json:"reason"` // at most 500 bytes of UTF-8, public
	DryRun  bool   `json:"dry_run"`
}

// Proposal is an act that was put forward. Of one that has ended, approvals are
// known if it is fulfilled; all from Proposed on is read from the log, and empty
// on a node that has not got those envelopes yet.
type Proposal struct {
	ID           string `json:"id"`    // 64 hex characters
	Type         string `json:"type"`  // of the act proposed
	State        string `json:"state"` // open, fulfilled, expired or overtaken (by a change of the roster or of the key's epoch)
	Proposer     uint32 `json:"proposer"`
	ProposerName string `json:"proposer_name"`
	Envelope     uint64 `json:"envelope"`        // number of the envelope that proposed it
	Ended        uint64 `json:"ended,omitempty"` // number of the envelope with which it ended

	Proposed  string     `json:"proposed,omitempty"` // log time, RFC 3339
	Expires   string     `json:"expires,omitempty"`  // log time, RFC 3339
	Reason    string     `json:"reason"`
	Needed    uint64     `json:"needed"` // approvals
	Given     int        `json:"given"`  // approvals that count
	Enough    bool       `json:"enough"` // and so the act may come into force
	Mine      bool       `json:"mine"`   // this hospital's approval is among them
	Approvals []Approver `json:"approvals"`
	NetworkID string     `json:"network_id"`     // hex
	Core      []byte     `json:"core,omitempty"` // of the act: CBOR of its first five fields
}

// Approver is a lead hospital that has approved a proposal.
type Approver struct {
	Hospital uint32 `json:"hospital"`
	Name     string `json:"name"`
	KeyID    string `json:"key_id"` // of the envelope key that it signed with
}

// NewApproval asks for this hospital's approval of a proposal.
type NewApproval struct {
	DryRun bool `json:"dry_run"`
}

// Approval is what became of a proposal that this hospital approves.
type Approval struct {
	Proposal Proposal `json:"proposal"` // as it is now; fulfilled = the act is in force
	Signs    bool     `json:"signs"`    // a signature was given, or would be; false where there was nothing left to sign
}
