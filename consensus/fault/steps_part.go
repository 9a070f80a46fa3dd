package fault

// The steps of a node that an act has given another part.
const (
	// PartSaved: the state that says so is on disk; the node ends to be opened again.
	PartSaved Step = "part/saved"
	// PartNoted: what part it takes is noted; it has not begun to.
	PartNoted Step = "part/noted"
	// PartForgotten: Raft's log of a voter that is none any more is gone, its snapshots
	// are not.
	PartForgotten Step = "part/log-forgotten"
)
