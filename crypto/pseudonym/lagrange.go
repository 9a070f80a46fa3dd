package pseudonym

import (
	"math/big"

	"github.com/raresync/raresync/crypto/internal/ristretto"
)

// weights are by what the parts of some holders add up to the key: the j-th
// Lagrange coefficient at zero, where the polynomial is the key, is factors[j]
// times scale. Holders' numbers are small, and so are the factors: of 3 of 5
// holders they have 4 bits, of any 32 fewer than 128.
type weights struct {
	factors []*big.Int
	scale   *ristretto.Scalar // the inverse of the common denominator
}

// lagrange returns the weights of the parts' holders, who are distinct and
// numbered from 1.
func lagrange(parts []Part) weights {
	coefficients := make([]*big.Rat, len(parts))
	common := big.NewInt(1)
	for j := range parts {
		coefficients[j] = coefficient(parts, j)
		common = leastCommonMultiple(common, coefficients[j].Denom())
	}
	w := weights{scale: ristretto.ScalarOf(common)}
	// Its prime factors are below the number of holders, so it is not zero
	// modulo the group's order.
	w.scale.Invert(w.scale)
	for _, c := range coefficients {
		f := new(big.Int).Div(common, c.Denom())
		w.factors = append(w.factors, f.Mul(f, c.Num()))
	}
	return w
}

// coefficient returns the product of m/(m-j) over all other holders m.
func coefficient(parts []Part, j int) *big.Rat {
	c := big.NewRat(1, 1)
	for m := range parts {
		if m != j {
			xj, xm := int64(parts[j].holder), int64(parts[m].holder)
			c.Mul(c, big.NewRat(xm, xm-xj))
		}
	}
	return c
}

func leastCommonMultiple(a, b *big.Int) *big.Int {
	gcd := new(big.Int).GCD(nil, nil, a, b)
	return gcd.Mul(new(big.Int).Div(a, gcd), b)
}
