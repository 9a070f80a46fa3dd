package fault

// The steps of taking a file out of the inbox.
const (
	// InboxClaimed: the file has left new, and nothing else knows of it.
	InboxClaimed Step = "inbox/claimed"
	// InboxSent: its entries are under a receipt, nothing is said of it.
	InboxSent Step = "inbox/sent"
	// InboxReported: the reports stand, the file itself is still at hand.
	InboxReported Step = "inbox/reported"
	// InboxMoved: it is beside its reports, the folders are not fsynced.
	InboxMoved Step = "inbox/moved"
)
