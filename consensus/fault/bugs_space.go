package fault

// Bugs of the watch over the disk, and of the fence between twins.
const (
	// StoreWhenFull stores Raft's records although the disk has no room.
	StoreWhenFull Bug = "store-when-full"
	// LeadWhenShort keeps leadership on a disk that is short of room.
	LeadWhenShort Bug = "lead-when-short"
	// ForgetReserve keeps the reserve when the disk is full.
	ForgetReserve Bug = "forget-reserve"
	// TakeTwins lets both instances of a node keep their sessions.
	TakeTwins Bug = "take-twins"
	// FenceRestarts takes a greeting that outlived its process for a twin's.
	FenceRestarts Bug = "fence-restarts"
	// BelieveOnePeer stops a node at the first peer's word about a twin.
	BelieveOnePeer Bug = "believe-one-peer"
)
