package fault

// A Step is a place between two writes where a crash must do no harm. Its name
// is the procedure and what was done last, as in "snapshot/synced".
type Step string

// A Bug is a mistake that some test must notice.
type Bug string
