package quota

import "errors"

// Refusals of a request. Callers tell them apart with errors.Is; the codes are
// those of docs/PROTOCOL.md.
var (
	// ErrOver says that the hospital's quota of the day does not cover the
	// request. The next day does, or an allowance.
	ErrOver = errors.New("QT001: over quota")
	// ErrDay says that the request is of a day that this holder does not
	// count any more, or not yet.
	ErrDay = errors.New("QT002: not a day that this holder counts")
	// ErrReused says that another request had this id. It was counted.
	ErrReused = errors.New("QT003: request id was used for another request")
	// ErrRequests says that the hospital has sent as many requests today as a
	// holder remembers. Larger batches need fewer.
	ErrRequests = errors.New("QT004: too many requests")
	// ErrBehind says that the count is older than what this holder has posted,
	// so that nobody knows what was counted today.
	ErrBehind = errors.New("QT005: this holder's count is older than its posted usage")
	// ErrDamaged says that the count on disk is not as it was written.
	ErrDamaged = errors.New("QT006: this holder's count is damaged")
)
