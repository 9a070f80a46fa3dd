package consensus

// A bug is a mistake that a test plants in a node, to see that the simulator
// finds it. Nothing outside this package's tests can plant one.
type bug int

const (
	bugNone             bug = iota
	bugAckBeforeCommit      // a submission is answered before a majority holds it
	bugForgetPlaces         // what is sent again is not looked up
	bugReplayIntoGap        // what follows a gap is applied without filling it
	bugCosignBlindly        // a voter cosigns what it has not applied
	bugForgetCosigned       // a cosignature is not recorded before it leaves
	bugSnapshotUnsynced     // a snapshot is taken of a ledger that was not fsynced
)

func (n *Node) has(b bug) bool { return n.cfg.planted == b }
