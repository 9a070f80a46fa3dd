// Package slot keeps one small value on disk that is replaced often and must
// not be lost: what a voter cosigned last, Raft's term and vote.
//
//	f, err := slot.Open(path)
//	err = f.Store(value) // durable when it returns, for one fdatasync
//	value = f.Value()    // nil if none was ever stored
//
// The file has two slots, written in turn, so that a write never touches the
// value before it. Each slot is written twice, into blocks of 4096 bytes that
// lie apart; of a block, only the first sector is used:
//
//	counter u64 | length u16 | value, at most 498 bytes | zeros | CRC-32C u32
//
// # Promises
//
//  1. A crash at any moment leaves the value before the write or the one
//     written; which of them cannot matter, because Store has not returned.
//  2. One damaged block is healed from its twin by the next Open.
//  3. When both blocks of a slot are damaged, the file cannot say whether it
//     was the newer one: Open answers [ledger.ErrDamaged] and never an older
//     value.
//
// # Trust
//
// The disk may return wrong bytes; it is trusted to write a sector of 512
// bytes whole or not at all, and to have kept an fdatasync. If it tears a
// sector in both blocks at once, that is damage by promise 3, not an old value.
package slot
