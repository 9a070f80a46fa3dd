package fault

// Steps of a repair of the ledger: what was damaged is written again in place,
// and then the hashes that vouch for it.
const (
	RepairWritten Step = "repair/written" // bytes are in place, no hash vouches for them
	RepairHashes  Step = "repair/hashes"  // hashes are written, nothing is fsynced
	RepairSynced  Step = "repair/synced"  // all is fsynced, the damage is still remembered
)

// Steps of a gap that is filled.
const (
	FillSynced Step = "fill/synced" // the ledger is fsynced, the progress not recorded
	FillSaved  Step = "fill/saved"  // the progress is recorded
)

// Mistakes of reading.
const (
	// SkipReadCheck hands out what the disk returned without looking at it.
	SkipReadCheck Bug = "skip-read-check"
	// TrustRepairs takes what a peer sent for a repair without deriving the root.
	TrustRepairs Bug = "trust-repairs"
)
