package fault

// Bugs with Raft's own files.
const (
	// BelieveOnePage is content with one sound metadata page of log.db, as bbolt is.
	BelieveOnePage Bug = "believe-one-page"
	// OldCandidate keeps the candidate of an older vote while a new vote's term is stored.
	OldCandidate Bug = "old-candidate"
	// VoteWithoutLog lets a voter vote that has lost its log.
	VoteWithoutLog Bug = "vote-without-log"
)
