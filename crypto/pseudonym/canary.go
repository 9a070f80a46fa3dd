package pseudonym

import "crypto/sha256"

const canaryHashLabel = "raresync/v1/canary\x00"

// CanaryIdentity is the one identity that is nobody's and that everyone knows.
// What a key answers to it is the same in every epoch.
func CanaryIdentity() []byte { return []byte("raresync/canary/v1") }

// CanaryHash returns SHA-256 over a label and the pseudonym of
// [CanaryIdentity]: what the log keeps of it.
func CanaryHash(p Pseudonym) [32]byte { return sha256.Sum256(append([]byte(canaryHashLabel), p[:]...)) }
