// Package tlog has the parts of a transparency log: the tree over the leaves,
// the proofs drawn from it, the checkpoints that voters cosign, and the
// policies that say when a checkpoint is valid.
//
// All bytes are standard, so that a stock client can read and witness the log:
// the tree is RFC 6962's, everything else is C2SP's (signed-note,
// tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof, tlog-policy).
//
// # Growing a log
//
// A node appends leaf hashes to a [Frontier] and stores what it is told is
// complete; tiles are then plain ranges of the stored hashes:
//
//	frontier.Append(tlog.LeafHash(leaf), func(height uint, h tlog.Hash) {
//		store(height, h)
//	})
//	cp := tlog.Checkpoint{Origin: "rare.example/1", Size: frontier.Size(), Root: frontier.Root()}
//
// The leader signs the checkpoint with its [LogSigner], each voter with its
// [Cosigner], which has an Ed25519 and an ML-DSA-44 key under one name.
// [InclusionProof] and [ConsistencyProof] compute proofs from stored hashes.
//
// # Checking a receipt
//
// A receipt is a [Proof] file. Whoever has the leaf and the network's policy
// checks it alone:
//
//	policy, err := tlog.ParsePolicy(file)
//	proof, cosignatures, err := tlog.VerifyReceipt(leaf, receipt, policy)
//
// # Promises
//
//  1. A changed leaf, proof or checkpoint does not verify. A changed signature
//     is refused, or, if it no longer names a known key, counts for nothing.
//  2. What a parser accepts is written back to the same bytes. Policy files
//     alone may hold comments and spacing, which are not kept.
//  3. Every parser bounds the length and the number of parts of its input.
//  4. Computing a root or proof asks for at most 256 hashes at a time.
//
// # Trust
//
// Hashes read through a [HashReader] are taken as they are: the caller
// compares a root computed from them with one it trusts. All else may be
// hostile, except the keys in a [Policy]. A signer signs what it is given; that
// no two checkpoints contradict each other is its caller's duty.
package tlog
