package fault

// Bugs of consensus.
const (
	// AckBeforeCommit answers a submission before a majority holds it.
	AckBeforeCommit Bug = "ack-before-commit"
	// ForgetPlaces refuses what is sent again instead of giving it its place.
	ForgetPlaces Bug = "forget-places"
	// ReplayIntoGap applies what follows a gap without filling it.
	ReplayIntoGap Bug = "replay-into-gap"
	// CosignBlindly cosigns what the voter has not applied.
	CosignBlindly Bug = "cosign-blindly"
	// ForgetCosigned lets a cosignature leave without a record of it.
	ForgetCosigned Bug = "forget-cosigned"
	// SnapshotUnsynced takes a snapshot of a ledger that was not fsynced.
	SnapshotUnsynced Bug = "snapshot-unsynced"
	// InstallUnsaved lets a snapshot take Raft's log before what was applied of it
	// is on disk.
	InstallUnsaved Bug = "install-unsaved"
	// FilledUnsaved closes a gap before what filled it is on disk.
	FilledUnsaved Bug = "filled-unsaved"
	// KeepStaleLog leaves an old leader's uncommitted tail behind a snapshot.
	KeepStaleLog Bug = "keep-stale-log"
	// IgnoreRollback starts a voter whose disk was set back in time.
	IgnoreRollback Bug = "ignore-rollback"
	// IgnoreClock cosigns log times far ahead of the voter's own clock.
	IgnoreClock Bug = "ignore-clock"
	// TrustPeer keeps what a mirror pulled without comparing the root.
	TrustPeer Bug = "trust-peer"
	// StreamsFromAnyone takes Raft's streams from nodes that are no voters.
	StreamsFromAnyone Bug = "streams-from-anyone"
	// ReceiptUnchecked hands out a proof as the disk has it.
	ReceiptUnchecked Bug = "receipt-unchecked"
	// DemoteAnyone takes a voter out although too few would be left.
	DemoteAnyone Bug = "demote-anyone"
)

// Bugs of the machine.
const (
	// SkipSignature applies an envelope without looking at its signatures.
	SkipSignature Bug = "skip-signature"
	// SkipStateCheck closes a gap without comparing the state with the snapshot's.
	SkipStateCheck Bug = "skip-state-check"
	// AnswerFromGap takes a snapshot of a copy with a gap.
	AnswerFromGap Bug = "answer-from-gap"
)

// Bugs of the ledger.
const (
	// LedgerNoFsync calls the ledger's files synced without an fsync.
	LedgerNoFsync Bug = "ledger-no-fsync"
	// FactNoFsync renames a fact into place before its bytes are on disk.
	FactNoFsync Bug = "fact-no-fsync"
	// FactNoDirFsync does not fsync the directory after the rename.
	FactNoDirFsync Bug = "fact-no-directory-fsync"
	// CountTornEnvelopes takes an index record for an envelope, whatever the
	// other files hold.
	CountTornEnvelopes Bug = "count-torn-envelopes"
	// CutBelowSynced cuts the files and leaves the mark of the last Sync above.
	CutBelowSynced Bug = "cut-below-synced"
	// WriteAfterFailure goes on writing after the disk refused.
	WriteAfterFailure Bug = "write-after-failure"
)

// Bugs of Raft's stores.
const (
	// LogNoFsync stores Raft's records, term and vote without an fsync.
	LogNoFsync Bug = "log-no-fsync"
	// SkipChecksum returns records without comparing their checksum.
	SkipChecksum Bug = "skip-checksum"
	// SkipChain does not compare a record with its predecessor.
	SkipChain Bug = "skip-chain"
	// TruncateToNothing drops the record at the snapshot's index too.
	TruncateToNothing Bug = "truncate-to-nothing"
	// DeleteApplied deletes applied records that no snapshot covers.
	DeleteApplied Bug = "delete-applied"
	// DeleteSuffixAtOnce deletes a suffix before what replaces it is stored.
	DeleteSuffixAtOnce Bug = "delete-suffix-at-once"
	// RetryFailedWrite tries a write again that failed.
	RetryFailedWrite Bug = "retry-failed-write"
	// KeepTail anchors a log at a snapshot and keeps what it held beyond.
	KeepTail Bug = "keep-tail"
	// RewriteInPlace keeps deleted records in the log's free pages.
	RewriteInPlace Bug = "rewrite-in-place"
	// TakeStaleSnapshot accepts a snapshot older than the newest.
	TakeStaleSnapshot Bug = "take-stale-snapshot"
)

// Bugs of the outbox.
const (
	// SendUnsaved sends an envelope that is not on disk.
	SendUnsaved Bug = "send-unsaved"
	// ForgetEntries lets an envelope go without remembering its entries.
	ForgetEntries Bug = "forget-entries"
)

// Bugs of forgetting.
const (
	// KeepBlocks takes a file's name away and leaves its bytes on the disk.
	KeepBlocks Bug = "keep-blocks"
	// PostAtOnce posts a withdrawal as soon as the patient asks for it.
	PostAtOnce Bug = "post-at-once"
)
