package tlog

import (
	"fmt"
	"slices"
)

// A Cosignature says that a cosigner vouched for a checkpoint at a time.
type Cosignature struct {
	// Name is the cosigner's key name.
	Name string

	// UnixSeconds is the time it gave.
	UnixSeconds uint64
}

// Verify checks a checkpoint against the policy and returns the cosignatures
// that vouch for it, in the policy's order.
//
// Every signature by a key of the policy must verify, else the checkpoint is
// refused with [ErrSignature]; signatures of other keys are ignored, and so is
// a log of another origin. Witnesses that share a key name are halves of one
// cosigner: cosignatures of theirs at different times are refused, and the
// cosigner is among those returned only if all its halves signed. Too few good
// signatures are [ErrPolicy].
//
// The rule about times is raresync's: C2SP tlog-policy has no words for it, and
// a stock verifier of the same file accepts halves at different times.
func (p *Policy) Verify(sc SignedCheckpoint) ([]Cosignature, error) {
	if err := p.verifyLog(sc); err != nil {
		return nil, fmt.Errorf("verify checkpoint of %s at %d: %w", sc.Origin, sc.Size, err)
	}
	signed := make(map[*component]bool)
	cosigners, err := p.verifyWitnesses(sc, signed)
	if err != nil {
		return nil, fmt.Errorf("verify checkpoint of %s at %d: %w", sc.Origin, sc.Size, err)
	}
	if p.quorum != nil && !p.quorum.witnessed(signed) {
		return nil, fmt.Errorf("verify checkpoint of %s at %d: %w: too few cosignatures", sc.Origin, sc.Size, ErrPolicy)
	}
	return cosigners, nil
}

func (p *Policy) verifyLog(sc SignedCheckpoint) error {
	signatures := 0
	for _, log := range p.logs {
		sig, ok := log.key.find(sc.Signatures)
		if !ok || log.key.name != sc.Origin {
			continue
		}
		if _, err := log.key.Verify(sc.Checkpoint, sig); err != nil {
			return err
		}
		signatures++
	}
	if signatures == 0 {
		return fmt.Errorf("%w: no signature by a known log of this origin", ErrPolicy)
	}
	return nil
}

// verifyWitnesses marks the witnesses that cosigned and returns the cosigners
// whose every key did.
func (p *Policy) verifyWitnesses(sc SignedCheckpoint, signed map[*component]bool) ([]Cosignature, error) {
	var found []Cosignature
	partial := make(map[string]bool)
	for _, c := range p.components {
		if c.key == nil {
			continue
		}
		sig, ok := c.key.find(sc.Signatures)
		if !ok {
			partial[c.key.name] = true
			continue
		}
		unixSeconds, err := c.key.Verify(sc.Checkpoint, sig)
		if err != nil {
			return nil, err
		}
		signed[c] = true
		i := slices.IndexFunc(found, func(f Cosignature) bool { return f.Name == c.key.name })
		if i < 0 {
			found = append(found, Cosignature{c.key.name, unixSeconds})
		} else if found[i].UnixSeconds != unixSeconds {
			return nil, fmt.Errorf("cosignatures by %s: %w: two times", c.key.name, ErrSignature)
		}
	}
	return slices.DeleteFunc(found, func(f Cosignature) bool { return partial[f.Name] }), nil
}

// witnessed reports whether the component has cosigned, given the witnesses
// that have.
func (c *component) witnessed(signed map[*component]bool) bool {
	if c.key != nil {
		return signed[c]
	}
	count := 0
	for _, member := range c.members {
		if member.witnessed(signed) {
			count++
		}
	}
	return count >= c.threshold
}

// MedianTime returns the middle of the cosignatures' times in Unix seconds,
// of an even number the earlier of the two in the middle, and 0 of none. As
// long as most cosigners have a right clock, it lies within the times these
// gave.
func MedianTime(cosignatures []Cosignature) uint64 {
	if len(cosignatures) == 0 {
		return 0
	}
	times := make([]uint64, len(cosignatures))
	for i, c := range cosignatures {
		times[i] = c.UnixSeconds
	}
	slices.Sort(times)
	return times[(len(times)-1)/2]
}
