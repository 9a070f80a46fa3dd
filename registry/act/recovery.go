package act

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/sign"
)

// MaxFenced is how many nodes a recovery takes out of the roster at most.
const MaxFenced = 64

// Recovery begins a new log epoch of a network that lost the majority of its
// voters for good. It names where the old epoch ends, the cut, and who votes
// from there on. At least q lead hospitals have approved it; it never comes by
// Raft, but with a file, to nodes that are stopped.
type Recovery struct {
	Epoch     uint64 // the new one
	Size      uint64 // tree size at the cut
	Root      [32]byte
	Envelopes uint64 // at the cut; the recovery act's envelope has this number
	Index     uint64 // where Raft's new log begins, beyond every old one that was seen
	Term      uint64
	Voters    []EpochVoter // ascending by node
	Fenced    []string     // ids of nodes that are out of the roster from here on, ascending
}

// EpochVoter is a voter of a new log epoch with the key that signs its
// checkpoints.
type EpochVoter struct {
	Node string
	Log  *sign.PublicKey
}

// Marshal returns the payload's deterministic CBOR: an array of 8.
func (r *Recovery) Marshal() []byte {
	b := cbor.AppendArray(nil, 8)
	b = cbor.AppendUint(b, r.Epoch)
	b = cbor.AppendUint(b, r.Size)
	b = cbor.AppendBytes(b, r.Root[:])
	b = cbor.AppendUint(b, r.Envelopes)
	b = cbor.AppendUint(b, r.Index)
	b = cbor.AppendUint(b, r.Term)
	b = cbor.AppendArray(b, len(r.Voters))
	for _, v := range r.Voters {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendText(b, v.Node)
		b = v.Log.AppendCBOR(b)
	}
	b = cbor.AppendArray(b, len(r.Fenced))
	for _, id := range r.Fenced {
		b = cbor.AppendText(b, id)
	}
	return b
}

// DecodeRecovery reads the payload of an act of [TypeRecovery]. Whether it makes
// sense is [Recovery.Validate]'s to say.
func DecodeRecovery(raw []byte) (*Recovery, error) {
	r := &Recovery{}
	d := cbor.NewDecoder(raw)
	d.Array(8)
	r.Epoch = d.Uint()
	r.Size = d.Uint()
	d.BytesInto(r.Root[:])
	r.Envelopes = d.Uint()
	r.Index = d.Uint()
	r.Term = d.Uint()
	for range d.ArrayMax(MaxVoters) {
		d.Array(2)
		v := EpochVoter{Node: d.Text(32)}
		v.Log = decodeKey(d, sign.PurposeLog)
		r.Voters = append(r.Voters, v)
	}
	for range d.ArrayMax(MaxFenced) {
		r.Fenced = append(r.Fenced, d.Text(32))
	}
	return r, done(d, "recovery")
}

// Votes reports whether a node is a voter of the new epoch.
func (r *Recovery) Votes(node string) bool {
	for _, v := range r.Voters {
		if v.Node == node {
			return true
		}
	}
	return false
}

// Validate reports why the recovery cannot be, whatever the network.
func (r *Recovery) Validate() error {
	if r.Epoch < 2 || r.Size == 0 || r.Envelopes == 0 {
		return errors.New("log epoch, size and number of envelopes: an epoch follows another that has a genesis")
	}
	if r.Index < 2 || r.Index > 1<<62 || r.Term < 2 || r.Term > 1<<62 {
		return fmt.Errorf("raft's new log begins at index %d, term %d", r.Index, r.Term)
	}
	if len(r.Voters) == 0 {
		return errors.New("nobody votes")
	}
	for i, v := range r.Voters {
		if i > 0 && v.Node <= r.Voters[i-1].Node {
			return errors.New("voters not ascending")
		}
		for _, other := range r.Voters[:i] {
			if other.Log.ID() == v.Log.ID() {
				return fmt.Errorf("%s and %s have the same log key", other.Node, v.Node)
			}
		}
	}
	for i, id := range r.Fenced {
		if i > 0 && id <= r.Fenced[i-1] {
			return errors.New("fenced nodes not ascending")
		}
		if r.Votes(id) {
			return fmt.Errorf("node %q votes and is fenced", id)
		}
	}
	return nil
}
