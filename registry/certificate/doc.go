// Package certificate writes and checks erasure certificates: who of all nodes
// that ever had a right to a copy of the log declares that the entries of a
// withdrawal are erased there.
//
//	file := c.Marshal()                          // a text to print, with its proofs
//	c, err := certificate.Parse(file)            // the text is the proofs' own
//	proven, err := c.Verify(policy)              // offline, trusting the policy alone
//
// # What it proves
//
// The withdrawal and each receipt lie in the log as acts under a checkpoint that
// the policy takes for valid: a majority of the voters has checked their
// signatures, which are in it for those who have the senders' keys. A receipt is of the withdrawal if the leaf that it names comes no
// earlier. Which nodes were ever entitled, and what was declared of backups, is
// the word of the node that made the certificate, and the text says so.
//
// A receipt is a statement: nothing shows from outside that bytes are gone.
package certificate
