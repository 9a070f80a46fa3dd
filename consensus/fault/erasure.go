package fault

// Steps of an erasure.
const (
	// EraseOwed: what is to be erased is recorded, all of it is still there.
	EraseOwed Step = "erase/owed"
	// EraseCovered: a snapshot covers the withdrawal.
	EraseCovered Step = "erase/covered"
	// EraseSalts: the salts are zeros on the disk, the bodies are not.
	EraseSalts Step = "erase/salts"
	// EraseBodies: the bodies are zeros too, Raft's log still holds them.
	EraseBodies Step = "erase/bodies"
	// EraseLog: Raft's log is rewritten, nothing was looked for yet.
	EraseLog Step = "erase/log"
	// EraseScanned: nothing was found, it is not recorded that all is done.
	EraseScanned Step = "erase/scanned"
	// EraseDone: that is recorded, what was owed is still there.
	EraseDone Step = "erase/done"
)

// Steps of a hospital that carries out what its patient decided.
const (
	// WithdrawKept: the decision is on disk, its consent is not in the outbox.
	WithdrawKept Step = "withdraw/kept"
	// WithdrawConsented: its consent is in the outbox, nobody was answered.
	WithdrawConsented Step = "withdraw/consented"
	// WithdrawHandedOver: an erasure counts as posted, its act is not in the outbox.
	WithdrawHandedOver Step = "withdraw/handed-over"
	// WithdrawPosted: its act is in the log, and nothing was done about it.
	WithdrawPosted Step = "withdraw/posted"
	// ForgetWritten: the ids that the outbox is to know lie beside those it knows.
	ForgetWritten Step = "forget/written"
	// ForgetRenamed: they are what it knows, the former file is whole.
	ForgetRenamed Step = "forget/renamed"
	// ForgetKnown: it does not know erased entries any more, their receipts do.
	ForgetKnown Step = "forget/known"
	// ForgetReceipts: their receipts do not name them any more.
	ForgetReceipts Step = "forget/receipts"
)

// Bugs of erasure.
const (
	// EraseNothing leaves salts and bodies in the ledger.
	EraseNothing Bug = "erase-nothing"
	// EraseKeepLog does not rewrite Raft's log.
	EraseKeepLog Bug = "erase-keep-log"
	// PunchOnly gives the space of salts and bodies back as it is.
	PunchOnly Bug = "punch-only"
	// UnlinkOnly removes the old log without overwriting it.
	UnlinkOnly Bug = "unlink-only"
	// OutboxKeep leaves erased entries in the outbox.
	OutboxKeep Bug = "outbox-keep"
)
