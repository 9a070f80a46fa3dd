package fault

// Mistakes with Raft's own files.
const (
	// BelieveOnePage: one sound metadata page of log.db is enough.
	BelieveOnePage Bug = "believe-one-page"
	// OldCandidate: the term of a new vote keeps the candidate of the last one.
	OldCandidate Bug = "old-candidate"
	// VoteWithoutLog: a voter that has lost its log votes.
	VoteWithoutLog Bug = "vote-without-log"
)
