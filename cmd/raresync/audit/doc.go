// Package audit verifies a copy of the log, or a receipt from it, offline and
// trusting nobody but the keys in a policy file.
//
//	policy, err := tlog.ParsePolicy(file)
//	result, err := audit.Copy("/media/copy", audit.Options{Policy: policy})
//
// [Copy] takes the envelopes of the copy from the genesis on and derives
// everything again: that the founders approved the genesis, that each envelope
// was signed by its sender, in sequence, sealed to the readers of that moment,
// and never went back in log time; every leaf, every stored hash and every line
// of the index. Then it compares the root with the checkpoint's, and asks the
// policy whether the checkpoint is valid.
//
// [Receipt] verifies that one leaf is in the log, from a proof file alone.
//
// # Promises
//
//  1. A copy in which any byte of an envelope, leaf, hash or index was changed,
//     or an envelope left out, added or moved, is found wanting, and the first
//     place is named.
//  2. Nothing is written, locked or asked of anybody. Memory does not grow with
//     the copy.
//
// # Trust
//
// The policy's keys, of which enough must have cosigned the checkpoint. The
// copy and the checkpoint may come from anyone.
package audit
