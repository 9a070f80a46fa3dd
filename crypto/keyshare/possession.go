package keyshare

import (
	"crypto/subtle"

	"github.com/cloudflare/circl/group"
)

const (
	possessionLabel      = "raresync/v1/deal-proof"
	possessionNonceLabel = "raresync/v1/deal-proof/nonce"
)

// provePossession returns a proof that the dealer knows the discrete logarithm
// a of its first commitment (Schnorr; RFC 8235), c then s. The challenge
// covers the commit hash, and so run, dealer and all commitments. Without it a
// dealer could commit to another's commitment with a sign changed, and cancel it.
//
// The nonce follows from the secret and from all that the challenge covers, as
// in RFC 8032: it never serves for two challenges.
func provePossession(a group.Scalar, point, commit [32]byte) (proof [64]byte) {
	g := group.Ristretto255
	v := g.HashToScalar(append(append(mustMarshal(a), point[:]...), commit[:]...), []byte(possessionNonceLabel))
	c := possessionChallenge(point, mustEncode(g.NewElement().MulGen(v)), commit)
	s := g.NewScalar().Mul(c, a)
	s.Sub(v, s)
	copy(proof[:32], mustMarshal(c))
	copy(proof[32:], mustMarshal(s))
	return proof
}

// verifyPossession checks what provePossession made for point.
func verifyPossession(point group.Element, encoded, commit [32]byte, proof [64]byte) bool {
	g := group.Ristretto255
	c, s := g.NewScalar(), g.NewScalar()
	if c.UnmarshalBinary(proof[:32]) != nil || s.UnmarshalBinary(proof[32:]) != nil {
		return false
	}
	v := g.NewElement().MulGen(s)
	v.Add(v, g.NewElement().Mul(point, c))
	want := mustMarshal(possessionChallenge(encoded, mustEncode(v), commit))
	return subtle.ConstantTimeCompare(want, proof[:32]) == 1
}

func possessionChallenge(point, v, commit [32]byte) group.Scalar {
	msg := append(append(point[:], v[:]...), commit[:]...)
	return group.Ristretto255.HashToScalar(msg, []byte(possessionLabel))
}
