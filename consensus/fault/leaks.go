package fault

// Bugs of taking files.
const (
	// PanicTaking panics over a file that is called panic.json.
	PanicTaking Bug = "panic-taking"
)

// A Leak is a bug by which something that identifies a patient leaves its place.
type Leak = Bug

// Leaks of the hospital's own node. What they let out, [Overhear] was told.
const (
	// LeakLog writes the number of each document into the log.
	LeakLog Leak = "leak-log"
	// LeakTemp leaves a copy of each file in the folder for temporary files.
	LeakTemp Leak = "leak-temp"
	// LeakSpool keeps files that wait for quota unsealed.
	LeakSpool Leak = "leak-spool"
	// LeakBundle puts a document's number into what raresync debug bundle collects.
	LeakBundle Leak = "leak-bundle"
	// LeakPanic panics with a document's number when a file is called panic.json.
	LeakPanic Leak = "leak-panic"
)

// Leaks to other nodes.
const (
	// LeakSalt makes a body's salt, which every node has, from a document's number.
	LeakSalt Leak = "leak-salt"
	// LeakRequest makes the id of a request to share holders from a document's number.
	LeakRequest Leak = "leak-request"
	// LeakAnswer quotes a document's number to a peer whose request failed.
	LeakAnswer Leak = "leak-answer"
	// LeakFrame sends a document's number over the network in clear.
	LeakFrame Leak = "leak-frame"
)
