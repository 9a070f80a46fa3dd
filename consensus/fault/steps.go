package fault

// Steps of every small file that is replaced: cosigned, checkpoint, synced,
// state, the outbox's envelopes.
const (
	// FactSynced: the new bytes are on disk under the temporary name.
	FactSynced Step = "fact/synced"
	// FactRenamed: the file has its name, its directory is not fsynced.
	FactRenamed Step = "fact/renamed"
)

// Steps of the ledger.
const (
	// AppendBodies: an envelope's bodies and leaves are written, its index record is not.
	AppendBodies Step = "append/bodies"
	// SyncFiles: the ledger's files are fsynced, the mark of it is not written.
	SyncFiles Step = "sync/files"
	// CutMark: the mark is lowered, no file is cut yet.
	CutMark Step = "cut/mark"
	// CutIndex: envelopes.idx is cut, the other files are longer.
	CutIndex Step = "cut/index"
)

// Steps of a snapshot.
const (
	// SnapshotSaved: ledger and state are on disk, Raft's snapshot is not.
	SnapshotSaved Step = "snapshot/saved"
	// SnapshotWritten: its bytes are written under the unfinished name.
	SnapshotWritten Step = "snapshot/written"
	// SnapshotClosed: it has its name, our copy of its metadata is missing.
	SnapshotClosed Step = "snapshot/closed"
	// SnapshotKept: it is whole, the log is not told.
	SnapshotKept Step = "snapshot/kept"
	// LogCompacted: the log is cut up to it.
	LogCompacted Step = "snapshot/log-compacted"
)

// Steps of Raft's log.
const (
	// LogStored: records are stored, Raft has not heard of it.
	LogStored Step = "log/stored"
	// SuffixReplaced: a conflicting suffix is replaced, its tombstones are there.
	SuffixReplaced Step = "log/suffix-replaced"
	// RewriteCopied: the copy of the log is whole under its own name.
	RewriteCopied Step = "rewrite/copied"
	// RewriteLinked: the old file has a second name.
	RewriteLinked Step = "rewrite/linked"
	// RewriteSwapped: the copy is the log, the old file is whole.
	RewriteSwapped Step = "rewrite/swapped"
	// RewriteZeroed: the old file is zeros and still has a name.
	RewriteZeroed Step = "rewrite/zeroed"
)

// Steps of a snapshot that came from the leader, and of the gap it may open.
const (
	// InstallDropped: a log that does not hold the snapshot is empty, the anchor is missing.
	InstallDropped Step = "install/log-dropped"
	// InstallAnchored: the log continues the snapshot, the ledger does not know it.
	InstallAnchored Step = "install/log-anchored"
	// InstallAdopted: the machine has the snapshot as its state or as the end of a gap.
	InstallAdopted Step = "install/adopted"
	// FillApplied: an envelope from a peer is in the ledger, the gap is open.
	FillApplied Step = "fill/applied"
	// FillClosed: the last one is, and nothing of the gap is fsynced.
	FillClosed Step = "fill/closed"
)

// Steps of a cosignature and of a start.
const (
	// CosignRecorded: a cosignature is recorded and has not left.
	CosignRecorded Step = "cosign/recorded"
	// FoundAppended: the genesis is in the ledger, no state is saved.
	FoundAppended Step = "found/appended"
	// RewindMarked: the saved state is the genesis', the ledger is longer.
	RewindMarked Step = "rewind/marked"
)
