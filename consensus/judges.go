package consensus

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// PolicyOf returns what makes a checkpoint of this network valid at the size of
// the state's tree: a log signature by any voter and the cosignatures of a
// majority of the voters.
func PolicyOf(s *state.State) (*tlog.Policy, error) { return PolicyAt(s, s.Tree.Size()) }

// PolicyAt is [PolicyOf] for a checkpoint of another size: those judge it who
// were the voters then.
func PolicyAt(s *state.State, size uint64) (*tlog.Policy, error) {
	p, err := policyOf(s, s.OriginAt(size), s.VotersAt(size))
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

func policyOf(s *state.State, origin string, voters []act.Node) (*tlog.Policy, error) {
	var logs []*tlog.VKey
	var cosigners []*tlog.CosignerKey
	for i := range voters {
		log, err := tlog.NewVKey(origin, tlog.LogEd25519, voters[i].Log.Ed25519())
		if err != nil {
			return nil, fmt.Errorf("log key of %s: %w", voters[i].ID, err)
		}
		c, err := cosignerOf(s, &voters[i])
		if err != nil {
			return nil, err
		}
		logs, cosigners = append(logs, log), append(cosigners, c)
	}
	return tlog.VoterPolicy(logs, cosigners)
}

func cosignerOf(s *state.State, v *act.Node) (*tlog.CosignerKey, error) {
	c, err := tlog.NewCosignerKey(CosignerName(s, v.ID), v.Cosign.Ed25519(), v.Cosign.MLDSA44().Bytes())
	if err != nil {
		return nil, fmt.Errorf("cosigning key of %s: %w", v.ID, err)
	}
	return c, nil
}

// judges are the voters of each size, as policies that were made once. A voter's
// keys change with the log epoch alone, so its name says which they are in one.
type judges struct {
	view func() *state.State // as applied, confirmed or not

	mu        sync.Mutex
	policies  map[string]*tlog.Policy      // by the log's origin and the voters' names; guarded by mu
	cosigners map[string]*tlog.CosignerKey // by node; guarded by mu
}

// at returns the policy of a tree size; of one that is not applied yet, that of
// the newest voters known.
func (j *judges) at(size uint64) (*tlog.Policy, error) {
	s := j.view()
	voters := s.VotersAt(size)
	var names strings.Builder
	origin := s.OriginAt(size)
	names.WriteString(origin + " ")
	for i := range voters {
		names.WriteString(voters[i].ID + " ")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if p := j.policies[names.String()]; p != nil {
		return p, nil
	}
	p, err := policyOf(s, origin, voters)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if j.policies == nil {
		j.policies = map[string]*tlog.Policy{}
	}
	j.policies[names.String()] = p
	return p, nil
}

func (j *judges) verify(sc tlog.SignedCheckpoint) ([]tlog.Cosignature, error) {
	p, err := j.at(sc.Size)
	if err != nil {
		return nil, err
	}
	return p.Verify(sc)
}

// cosigner returns the key of a voter of a tree size.
func (j *judges) cosigner(node string, size uint64) (*tlog.CosignerKey, error) {
	s := j.view()
	voters := s.VotersAt(size)
	i := slices.IndexFunc(voters, func(v act.Node) bool { return v.ID == node })
	if i < 0 {
		return nil, fmt.Errorf("node %s is no voter", node)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if c := j.cosigners[node]; c != nil {
		return c, nil
	}
	c, err := cosignerOf(s, &voters[i])
	if err != nil {
		return nil, err
	}
	if j.cosigners == nil {
		j.cosigners = map[string]*tlog.CosignerKey{}
	}
	j.cosigners[node] = c
	return c, nil
}
