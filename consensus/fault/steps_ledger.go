package fault

// Steps of a repair of the ledger: what was damaged is written again in place,
// and then the hashes that vouch for it.
const (
	// RepairWritten: an envelope is written again, no hash vouches for it.
	RepairWritten Step = "repair/written"
	// RepairHashes: the hashes are those of the leaves, nothing is fsynced.
	RepairHashes Step = "repair/hashes"
	// RepairSynced: all is fsynced, the damage is not forgotten.
	RepairSynced Step = "repair/synced"
)

// Steps of saving what fills a gap before the gap is closed.
const (
	// FillSynced: the ledger is fsynced, the progress is not recorded.
	FillSynced Step = "fill/synced"
	// FillSaved: the progress is recorded.
	FillSaved Step = "fill/saved"
)

// Bugs of reading and repair.
const (
	// SkipReadCheck serves what the disk returned without looking at it.
	SkipReadCheck Bug = "skip-read-check"
	// TrustRepairs takes what a peer sent for a repair, whatever the root.
	TrustRepairs Bug = "trust-repairs"
)
