package fault

// The steps of beginning a log epoch on a node that is stopped.
const (
	// EpochMarked: the node is marked; its copy ends at the cut, or before.
	EpochMarked Step = "epoch/marked"
	// EpochSaved: its state is that behind the recovery act; Raft's files are old.
	EpochSaved Step = "epoch/saved"
	// EpochForgotten: Raft's old log and snapshots are gone.
	EpochForgotten Step = "epoch/forgotten"
	// EpochVotes: term and last cosignature are those of the new epoch.
	EpochVotes Step = "epoch/votes"
	// EpochSnapshot: Raft's first snapshot is there, the log is not.
	EpochSnapshot Step = "epoch/snapshot"
	// EpochLog: Raft's new log continues the snapshot; the mark is still there.
	EpochLog Step = "epoch/log"
)
