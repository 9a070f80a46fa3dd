package logstore

import "errors"

// ErrDamaged reports a record, a file or a snapshot that is not what was
// written. The process stops with exit code 74 and the node is rebuilt.
var ErrDamaged = errors.New("raft storage damaged")

// ErrStorage reports a write that failed. What reached the disk is unknown;
// the process stops with exit code 74.
var ErrStorage = errors.New("raft storage failed")

// ErrStalled reports a write that did not end in time. It may still reach the
// disk later, so the process stops with exit code 74. It wraps ErrStorage.
var ErrStalled = errors.New("write did not end in time")

// ErrRefused reports records that were not stored, with nothing written: no
// space, too large, of an unknown type, or not in line. Raft may try again.
var ErrRefused = errors.New("raft log refuses")

// ErrCommitted reports a delete of records that were applied and that no
// snapshot covers. Only a foreign leader asks for that: the process stops and
// the file stays as it is.
var ErrCommitted = errors.New("delete of committed records")

// ErrStopped reports a call after a failure or after Close.
var ErrStopped = errors.New("raft storage stopped")

// ErrStaleSnapshot reports a snapshot older than one that is already there.
var ErrStaleSnapshot = errors.New("snapshot older than the newest")
