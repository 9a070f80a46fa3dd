// Package ledger keeps the append-only files of a node: the public leaves,
// the hashes of the tree over them, the envelopes, the sealed bodies and the
// salts.
//
// Position is arithmetic: leaf 7 lies at byte 7*92 of its file, so a C2SP
// tile or entry bundle is a byte range and a mirror is a file copy. The usual
// life of a ledger:
//
//	l, err := ledger.Open(dir)                // after a crash: whole envelopes only
//	err = l.Append(batches...)                // accepted envelopes, not yet fsynced
//	leaf, err := l.Leaf(index)                // reads run beside appends
//	synced, err := l.Sync()                   // before a snapshot names these lengths
//	err = l.Truncate(snapshotLengths)         // the one restore path: never longer
//
// # Files
//
// All integers are big-endian. FORMAT names the on-disk version; another one
// is refused.
//
//	leaves         92 bytes per entry: u16 length = 90, leaf
//	hashes.0       32 bytes per leaf hash; hashes.8, .16 and .24: per complete
//	               subtree of 2^8, 2^16, 2^24 leaves
//	envelopes      per envelope: u32 header length, header, Ed25519 signature 64,
//	               ML-DSA-65 signature 3309, log time in ms u64, CRC-32C of the
//	               record u32
//	envelopes.idx  80 bytes per envelope: end offset in envelopes u64, first leaf
//	               u64, count u32, hospital u32, sequence u64, attempt u32, number
//	               of the same hospital's previous envelope u64 (2^64-1 = none),
//	               envelope id 32, CRC-32C of the record u32
//	bodies         per entry: tag 16, ciphertext
//	bodies.idx     8 bytes per entry: end offset in bodies
//	salts          32 bytes per entry, apart so that an erasure destroys them first
//	synced         the lengths of the last Sync, with a checksum; it and FORMAT
//	               lie twice, see [WriteTwice]
//
// The record of envelopes.idx is written last and makes an envelope part of
// the ledger. Whatever lies beyond the newest whole envelope is cut off when
// the ledger is opened.
//
// # Promises
//
//  1. Open returns whole envelopes only, whatever write a crash cut short.
//  2. What Sync covered is there after a power cut, or reads as zeros and
//     [Ledger.Suspect] says so: the caller repairs it with [Ledger.Rewrite].
//  3. Reads run beside Append and see only whole envelopes. What one read
//     returns is bounded, see [MaxLeafRange] and [MaxEnvelopeBytes].
//  4. After an I/O error ([ErrStorage]) the ledger accepts nothing more: the
//     process stops with exit code 74 and the node is rebuilt.
//
// # Trust
//
// The disk is not trusted to return what was written. Lengths, offsets and the
// checksums of records are looked at before use, so damage ends in [ErrDamaged]
// and never in a wrong slice or a huge allocation. Whether bodies, salts, leaves
// and hashes are the right ones is decided above, by commitments and the tree.
//
// A backup takes a ledger apart into its files up to one size
// ([Lengths.Parts], [Ledger.OpenPart]); [OpenParts] reads them where they lie,
// [Import] makes a ledger of them again. It may leave out the salts, which
// [Ledger.Refill] puts back.
//
// [WriteFileDurable] and [ReadFileDurable] keep the small facts of a node
// (gaps, last cosigned size, instance id) beside the ledger.
package ledger
