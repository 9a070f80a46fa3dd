package tlog

import "errors"

// Refusals of this package. Each starts with its stable code; callers branch
// with [errors.Is].
var (
	// ErrMalformed reports bytes that are not the one accepted spelling of
	// what was expected, or that exceed a limit. Its code is TLOG001.
	ErrMalformed = errors.New("TLOG001: malformed")

	// ErrProof reports a Merkle proof that does not lead to the given root, or
	// whose length does not fit the given sizes. Its code is TLOG002.
	ErrProof = errors.New("TLOG002: proof does not match")

	// ErrSignature reports a signature by a known key that is missing, does
	// not verify, or contradicts its other half. Its code is TLOG003.
	ErrSignature = errors.New("TLOG003: signature refused")

	// ErrPolicy reports a checkpoint whose signatures are good but too few for
	// the policy. Its code is TLOG004.
	ErrPolicy = errors.New("TLOG004: policy not satisfied")
)
