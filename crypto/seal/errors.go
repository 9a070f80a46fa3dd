package seal

import "errors"

// Refusals of this package, each led by its code.
var (
	// ErrWrap reports a wrap that does not open: it was made for another key
	// or another envelope, or was damaged.
	ErrWrap = errors.New("SEAL001: wrap does not open")

	// ErrBody reports a body that does not open with the keys at hand: it
	// belongs to another place or envelope or to a part without a key, was
	// damaged, or holds a plaintext of the wrong form.
	ErrBody = errors.New("SEAL002: body does not open")

	// ErrPart comes with ErrBody where a body's tag fits none of the keys at
	// hand: it may be of a part that the reader has no right to.
	ErrPart = errors.New("its tag fits no key at hand")

	// ErrErased reports a body of which only the commitment is left: its
	// patient has withdrawn.
	ErrErased = errors.New("entry is erased")

	// ErrCommitment reports a wrap that opened to a key other than the one the
	// header commits to. The reader posts that the envelope is unopenable.
	ErrCommitment = errors.New("SEAL003: key does not match its commitment")

	// ErrTooLarge reports an entry of more than MaxPlaintextBytes.
	ErrTooLarge = errors.New("FM005: entry too large")

	// ErrLength reports a ciphertext whose length is no size class.
	ErrLength = errors.New("FM006: ciphertext length is no size class")

	// ErrKey reports bytes that are not a usable sealing key.
	ErrKey = errors.New("not a sealing key")
)
