// Package backup copies a node's log into one file, verifies such a file, and
// makes a mirror from it.
//
//	report, err := backup.Save(ctx, "/media/2026-11.tar", backup.SaveOptions{...})
//	b, err := backup.Open("/media/2026-11.tar")
//	report, err := b.Verify(backup.VerifyOptions{Policy: policy})
//	report, err := b.Restore("/var/lib/raresync/node", backup.RestoreOptions{...})
//
// A backup is a plain tar, so that a person can look into it, and its last
// part is what `sha256sum -c` wants:
//
//	genesis.pem     the network's genesis
//	checkpoint      signed note; the copy ends where it does
//	ledger/...      the ledger's files up to there, without salts
//	salts.age       the salts, sealed to a key that is kept offline; seldom
//	manifest.json   what it is of, how much, and the state that follows from it
//	SHA256SUMS      of all parts before
//
// It holds nothing of the node alone: no key, no envelope under way, no
// receipt. Keys are kept apart; receipts come back from the log. Without the
// salts nothing in it opens, even for those who may, and what is erased later
// stays erased.
//
// # Promises
//
//  1. A file that has its name was whole and on disk, and was derived again
//     from the genesis: every signature, leaf, hash and the root of a valid
//     checkpoint. The node goes on meanwhile. Nothing is overwritten.
//  2. Verify sees every changed byte.
//  3. Restore leaves a node's folder that is whole, or none. A mirror that was
//     restored without salts fetches them from its peers, and says until then
//     that it is not a copy.
//
// # Trust
//
// Whose cosignatures count is said by a policy file, or by the genesis that a
// node has adopted. The file may come from anyone, with one exception: while
// salts are missing, only SHA256SUMS speaks for the sealed bytes in it.
package backup
