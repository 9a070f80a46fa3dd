package pseudonym

import "errors"

// Refusals of an evaluation. Callers tell them apart with errors.Is.
var (
	// ErrRequest reports a request, elements, share or record that do not
	// belong together: another key, epoch, holder, count or hash. Asking
	// again with the current record cures an old epoch.
	ErrRequest = errors.New("PS002: evaluation request does not fit")
	// ErrElement reports bytes that are not the canonical encoding of a
	// group element, or are the identity's.
	ErrElement = errors.New("PS003: not a group element to use")
	// ErrProof reports an evaluation that its proof does not bear out. The
	// holder is faulty or lies; another one can answer.
	ErrProof = errors.New("PS004: evaluation proof does not verify")
	// ErrParts reports parts that do not join: not exactly t, two of one
	// holder, or not all of this blinding, key and epoch.
	ErrParts = errors.New("PS005: evaluation parts do not join")
	// ErrBatch reports a batch that is empty, larger than MaxBatch or has an
	// input that is too long.
	ErrBatch = errors.New("PS006: batch size")
)
