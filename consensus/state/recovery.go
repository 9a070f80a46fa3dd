package state

import (
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// maxEpochs bounds how often a network can begin again.
const maxEpochs = 1_000

// Epoch is a log epoch that followed another. The one before ends with the tree
// of the cut; whatever was said of a larger one is not of this log.
type Epoch struct {
	Number    uint64
	Size      uint64 // tree size at the cut; checkpoints of the epoch are larger
	Root      [32]byte
	Envelopes uint64   // at the cut: the number of the recovery act's envelope
	Former    []LogKey // of the voters that have another log key from here on, ascending by node
}

// LogKey is a log key that a node had before.
type LogKey struct {
	Node string
	Key  *sign.PublicKey
}

// EpochAt returns the log epoch of checkpoints of a tree size.
func (s *State) EpochAt(size uint64) uint64 {
	for i := len(s.Epochs) - 1; i >= 0; i-- {
		if size > s.Epochs[i].Size {
			return s.Epochs[i].Number
		}
	}
	return 1
}

// OriginAt returns the checkpoint origin of a tree size.
func (s *State) OriginAt(size uint64) string { return s.originOf(s.EpochAt(size)) }

// withLogKeyOf gives a node the log key that it had for checkpoints of a tree
// size.
func (s *State) withLogKeyOf(n act.Node, size uint64) act.Node {
	for i := range s.Epochs {
		e := &s.Epochs[i]
		if size > e.Size {
			continue
		}
		if k := slices.IndexFunc(e.Former, func(f LogKey) bool { return f.Node == n.ID }); k >= 0 {
			n.Log = e.Former[k].Key
			return n
		}
	}
	return n
}

// CheckRecovery tells whether a recovery, its approvals aside, could follow this
// state; nil if so. The state is that at the cut.
func (s *State) CheckRecovery(d *act.Recovery) *Refusal {
	if err := d.Validate(); err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	switch root := s.Tree.Root(); {
	case d.Epoch != s.LogEpoch+1:
		return refuse(CodeActPayload, "log epoch %d after %d", d.Epoch, s.LogEpoch)
	case d.Envelopes != s.Envelopes || d.Size != s.Tree.Size():
		return refuse(CodeActPayload, "the cut is at %d envelopes, %d entries; the log has %d, %d", d.Envelopes, d.Size, s.Envelopes, s.Tree.Size())
	case d.Root != root:
		return refuse(CodeActPayload, "the cut's root at %d is %x, the log's is %x", d.Size, d.Root[:8], root[:8])
	case len(s.Epochs) >= maxEpochs || len(s.VoterSets) >= maxVoterSets:
		return refuse(CodeVoters, "the network has begun again too often")
	}
	if r := s.checkEpochVoters(d); r != nil {
		return r
	}
	for _, id := range d.Fenced {
		if _, ok := s.Node(id); !ok {
			return refuse(CodeActPayload, "there is no node %q", id)
		}
	}
	return nil
}

func (s *State) checkEpochVoters(d *act.Recovery) *Refusal {
	least := minVoters
	if s.Demo {
		least = 1
	}
	if len(d.Voters) < least {
		return refuse(CodeVoters, "%d voters, at least %d are needed: promote surviving mirrors", len(d.Voters), least)
	}
	known, dialOnly := s.keyIDs(), ""
	for _, v := range d.Voters {
		n, ok := s.Node(v.Node)
		switch {
		case !ok:
			return refuse(CodeActPayload, "there is no node %q", v.Node)
		case known[v.Log.ID()]:
			return refuse(CodeActPayload, "the log key of %q is or was in use", v.Node)
		case len(n.Addresses) == 0 && dialOnly != "":
			return refuse(CodeDialOnly, "node %q only dials out, and so does %q: two such voters never reach each other", v.Node, dialOnly)
		case len(n.Addresses) == 0:
			dialOnly = v.Node
		}
	}
	return nil
}

// admitRecovery checks an act that begins a log epoch. Its log time follows from
// its envelope and the cut alone, so that every node gives it the same.
func (s *State) admitRecovery(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	if r := s.approved(a, logTime); r != nil {
		return r
	}
	d, err := act.DecodeRecovery(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	if logTime != RecoveryTime(s, e) {
		return refuse(CodeActPayload, "a recovery has the log time of its signing")
	}
	return s.CheckRecovery(d)
}

// RecoveryTime returns the log time of a recovery act that follows a state.
func RecoveryTime(s *State, e *envelope.Envelope) uint64 { return max(s.LogTime, e.SignedAt) }

// acceptRecovery ends the epoch: who is named votes from here on, with a new log
// key, who is fenced is out, and every other voter of before is a mirror.
func (s *State) acceptRecovery(a *act.Act) {
	d, err := act.DecodeRecovery(a.Payload)
	if err != nil {
		return // not admitted
	}
	e := Epoch{Number: d.Epoch, Size: d.Size, Root: d.Root, Envelopes: s.Envelopes}
	s.Nodes = slices.Clone(s.Nodes)
	for i := range s.Nodes {
		n := &s.Nodes[i]
		k := slices.IndexFunc(d.Voters, func(v act.EpochVoter) bool { return v.Node == n.ID })
		if k < 0 {
			n.Kind = act.Mirror
			continue
		}
		e.Former = append(e.Former, LogKey{Node: n.ID, Key: n.Log})
		n.Kind, n.Log = act.Voter, d.Voters[k].Log
	}
	s.Candidates = nil
	s.removeNodes(func(n *act.Node) bool { return slices.Contains(d.Fenced, n.ID) })
	s.Epochs = append(slices.Clip(s.Epochs), e)
	s.LogEpoch = d.Epoch
	s.noteVoters()
	s.RosterVersion++
}

// Succeeded tells whether an act, wherever it comes from, shows that the network
// of this state went on in a later log epoch: q of the lead hospitals that this
// state knows have approved it. It returns what the act says.
func (s *State) Succeeded(e *envelope.Envelope) (*act.Recovery, error) {
	if e.Kind != envelope.KindAct || e.Network != s.Network || len(e.Bodies) != 1 {
		return nil, refuse(CodeActPayload, "no act of this network")
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	if err != nil {
		return nil, refuse(CodeEncoding, "%v", err)
	}
	if a.Type != act.TypeRecovery {
		return nil, refuse(CodeActType, "an act of type %s", a.Type)
	}
	d, err := act.DecodeRecovery(a.Payload)
	if err == nil {
		err = d.Validate()
	}
	switch {
	case err != nil:
		return nil, refuse(CodeActPayload, "%v", err)
	case d.Epoch <= s.LogEpoch:
		return nil, refuse(CodeActPayload, "log epoch %d, this is %d", d.Epoch, s.LogEpoch)
	case uint64(len(a.Approvals)) < s.Quorum:
		return nil, refuse(CodeActApproval, "%d approvals of %d", len(a.Approvals), s.Quorum)
	}
	if r := s.approvedBy(a); r != nil {
		return nil, r
	}
	return d, nil
}

// appendEpochs appends the epochs that followed the first.
func (s *State) appendEpochs(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.Epochs))
	for i := range s.Epochs {
		e := &s.Epochs[i]
		b = cbor.AppendArray(b, 5)
		b = cbor.AppendUint(b, e.Number)
		b = cbor.AppendUint(b, e.Size)
		b = cbor.AppendBytes(b, e.Root[:])
		b = cbor.AppendUint(b, e.Envelopes)
		b = cbor.AppendArray(b, len(e.Former))
		for _, f := range e.Former {
			b = cbor.AppendArray(b, 2)
			b = cbor.AppendText(b, f.Node)
			b = f.Key.AppendCBOR(b)
		}
	}
	return b
}

func (s *State) decodeEpochs(d *cbor.Decoder) {
	s.Epochs = readList(d, maxEpochs, func(d *cbor.Decoder) Epoch {
		var e Epoch
		d.Array(5)
		e.Number = d.Uint()
		e.Size = d.Uint()
		d.BytesInto(e.Root[:])
		e.Envelopes = d.Uint()
		e.Former = readList(d, act.MaxVoters, func(d *cbor.Decoder) LogKey {
			d.Array(2)
			return LogKey{Node: d.Text(32), Key: sign.DecodePublicKey(d)}
		})
		return e
	})
	if n := len(s.Epochs); d.Err() == nil && (n == 0 || s.Epochs[n-1].Number != s.LogEpoch) {
		d.Fail("the last epoch is not the log's")
	}
}
