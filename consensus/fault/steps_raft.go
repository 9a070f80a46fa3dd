package fault

// Steps of Raft's own files.
const (
	// StableTwinStored: a term or vote is in stable.twin, not in stable.db.
	StableTwinStored Step = "stable/twin-stored"

	// RecoveryMarked: a voter has marked what it forgot, and removed nothing.
	RecoveryMarked Step = "recovery/marked"
	// RecoveryLogRemoved: its damaged log.db is gone, the new one not begun.
	RecoveryLogRemoved Step = "recovery/log-removed"
	// RecoveryApplied: it has applied a command of a later term, and the mark
	// still stands.
	RecoveryApplied Step = "recovery/applied"
)
