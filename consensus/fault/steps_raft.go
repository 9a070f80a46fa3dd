package fault

// Steps of Raft's own files.
const (
	// StableTwinStored: a term or vote is in stable.twin, not in stable.db.
	StableTwinStored Step = "stable/twin-stored"
	// SuffixReplaced: new records stand in log.db over a conflicting suffix,
	// whose rest is tombstones.
	SuffixReplaced Step = "suffix/replaced"
)
