package tlog

import (
	"bytes"
	"fmt"
)

// Limits of a policy; C2SP tlog-policy recommends at least 32 of each.
const (
	// MaxPolicyBytes is the length of the longest policy file.
	MaxPolicyBytes = 512 << 10

	maxPolicyLogs       = 64
	maxPolicyWitnesses  = MaxSignatures
	maxPolicyGroups     = 64
	maxPolicyTokenBytes = 2048 // of a name or URL; a vkey is shorter
)

// A Policy says whose signatures make a checkpoint valid (C2SP tlog-policy):
// one by any of its logs, and cosignatures of witnesses as its quorum demands.
// Policies come from [ParsePolicy] and [VoterPolicy], do not change, and may
// be shared between goroutines.
type Policy struct {
	logs       []policyLog
	components []*component // each after those it refers to
	byName     map[string]*component
	quorum     *component // nil: no cosignature is needed
}

type policyLog struct {
	key *VKey
	url string
}

// A component is a line that the quorum can refer to: a witness if it has a
// key, else a group.
type component struct {
	name string

	key *VKey
	url string

	threshold int
	members   []*component

	// grouped says that a group has this component as a member.
	grouped bool
}

func newPolicy() *Policy { return &Policy{byName: make(map[string]*component)} }

// addLog adds a log. C2SP tlog-policy takes a signature by any one listed log
// and forbids only a public key listed twice, so the voters' log keys of one
// origin are simply a line each.
func (p *Policy) addLog(key *VKey, url string) error {
	if key.typ != LogEd25519 {
		return fmt.Errorf("%w: key of type 0x%02x for a log", ErrMalformed, byte(key.typ))
	}
	if len(p.logs) == maxPolicyLogs {
		return fmt.Errorf("%w: more than %d logs", ErrMalformed, maxPolicyLogs)
	}
	for _, l := range p.logs {
		if keysClash(l.key, key) {
			return fmt.Errorf("%w: second log with this key", ErrMalformed)
		}
	}
	p.logs = append(p.logs, policyLog{key, url})
	return nil
}

func (p *Policy) addWitness(name string, key *VKey, url string) error {
	if key.typ != CosignerEd25519 && key.typ != CosignerMLDSA44 {
		return fmt.Errorf("%w: key of type 0x%02x for a witness", ErrMalformed, byte(key.typ))
	}
	witnesses := 0
	for _, c := range p.components {
		if c.key == nil {
			continue
		}
		if keysClash(c.key, key) {
			return fmt.Errorf("%w: second witness with this key", ErrMalformed)
		}
		witnesses++
	}
	if witnesses == maxPolicyWitnesses {
		return fmt.Errorf("%w: more than %d witnesses", ErrMalformed, maxPolicyWitnesses)
	}
	return p.addComponent(&component{name: name, key: key, url: url})
}

// keysClash reports whether two keys are one, whatever their names, or cannot
// be told apart in a signature line.
func keysClash(a, b *VKey) bool {
	return bytes.Equal(a.raw, b.raw) || a.name == b.name && a.id == b.id
}

// addGroup adds a group of components that are there already and in no group
// yet, so that each witness counts in one way only.
func (p *Policy) addGroup(name string, threshold int, members []string) error {
	if threshold < 1 || threshold > len(members) {
		return fmt.Errorf("%w: threshold %d of %d members", ErrMalformed, threshold, len(members))
	}
	if len(p.components) == maxPolicyWitnesses+maxPolicyGroups {
		return fmt.Errorf("%w: more than %d witnesses and groups", ErrMalformed, maxPolicyWitnesses+maxPolicyGroups)
	}
	group := &component{name: name, threshold: threshold}
	for i, member := range members {
		c, ok := p.byName[member]
		if !ok {
			return fmt.Errorf("%w: member %d is not defined above", ErrMalformed, i)
		}
		if c.grouped {
			return fmt.Errorf("%w: member %d is listed a second time", ErrMalformed, i)
		}
		c.grouped = true
		group.members = append(group.members, c)
	}
	return p.addComponent(group)
}

func (p *Policy) addComponent(c *component) error {
	if c.name == quorumNone {
		return fmt.Errorf("%w: the name %s is taken", ErrMalformed, quorumNone)
	}
	if _, taken := p.byName[c.name]; taken {
		return fmt.Errorf("%w: name defined a second time", ErrMalformed)
	}
	p.byName[c.name] = c
	p.components = append(p.components, c)
	return nil
}

// VoterPolicy returns the policy of a raresync network: a checkpoint is valid
// with a signature by any of the logs, which are the voters' log keys, and the
// cosignatures of a majority of the voters. A voter has cosigned if both its
// Ed25519 and its ML-DSA-44 key have. At most 32 voters fit. Lists that no
// policy file could hold are [ErrMalformed].
func VoterPolicy(logs []*VKey, voters []*CosignerKey) (*Policy, error) {
	p := newPolicy()
	for i, key := range logs {
		if err := p.addLog(key, ""); err != nil {
			return nil, fmt.Errorf("voter policy: log %d: %w", i, err)
		}
	}
	var names []string
	for i, voter := range voters {
		if err := p.addVoter(voter); err != nil {
			return nil, fmt.Errorf("voter policy: voter %d: %w", i, err)
		}
		names = append(names, voter.Name())
	}
	if err := p.addGroup("voters", len(voters)/2+1, names); err != nil {
		return nil, fmt.Errorf("voter policy: %w", err)
	}
	p.quorum = p.byName["voters"]
	return p, nil
}

func (p *Policy) addVoter(voter *CosignerKey) error {
	name := voter.Name()
	if err := p.addWitness(name+"/ed25519", voter.ed, ""); err != nil {
		return err
	}
	if err := p.addWitness(name+"/ml-dsa-44", voter.ml, ""); err != nil {
		return err
	}
	return p.addGroup(name, 2, []string{name + "/ed25519", name + "/ml-dsa-44"})
}
