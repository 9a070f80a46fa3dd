package state

import (
	"cmp"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// SaltsBackup is what a node's institution has declared of the backups that
// hold its salts: an entry below Size that was erased may be read from one
// until Expiry.
type SaltsBackup struct {
	Node   string
	Size   uint64 // largest tree size declared
	Expiry uint64 // latest expiry declared, ms
}

// SaltsBackup returns what was declared of a node's backups; found is false if
// nothing was.
func (s *State) SaltsBackup(node string) (b SaltsBackup, found bool) {
	i, found := s.findSaltsBackup(node)
	if !found {
		return SaltsBackup{}, false
	}
	return s.SaltsBackups[i], true
}

func (s *State) findSaltsBackup(node string) (int, bool) {
	return slices.BinarySearchFunc(s.SaltsBackups, node, func(b SaltsBackup, node string) int {
		return cmp.Compare(b.Node, node)
	})
}

// MaxSaltsLife is how far ahead of log time a backup with salts may expire, in
// milliseconds.
func (s *State) MaxSaltsLife() uint64 { return s.Policy.InForce().SaltsDays * 24 * 60 * 60 * 1000 }

func (s *State) admitSaltsBackup(e *envelope.Envelope, a *act.Act, logTime uint64) *Refusal {
	if r := unapproved(a); r != nil {
		return r
	}
	d, err := act.DecodeSaltsBackup(a.Payload)
	if err != nil {
		return refuse(CodeActPayload, "%v", err)
	}
	node, ok := s.Node(d.Node)
	switch {
	case !ok || node.Institution != e.Hospital:
		return refuse(CodeActPayload, "node %q is not the sender's", d.Node)
	case d.Size == 0 || d.Size > s.Tree.Size():
		return refuse(CodeActPayload, "a backup of %d entries of a log of %d", d.Size, s.Tree.Size())
	case d.Expiry <= logTime:
		return refuse(CodeActPayload, "the backup has expired")
	case d.Expiry-logTime > s.MaxSaltsLife():
		return refuse(CodeActPayload, "the backup is to last %d ms, at most %d", d.Expiry-logTime, s.MaxSaltsLife())
	}
	return nil
}

// acceptSaltsBackup keeps the latest expiry: an earlier backup is not gone
// because a later one will be gone sooner.
func (s *State) acceptSaltsBackup(a *act.Act) {
	d, err := act.DecodeSaltsBackup(a.Payload)
	if err != nil {
		return // not admitted
	}
	i, found := s.findSaltsBackup(d.Node)
	if !found {
		s.SaltsBackups = slices.Insert(s.SaltsBackups, i, SaltsBackup(d))
		return
	}
	b := &s.SaltsBackups[i]
	b.Size, b.Expiry = max(b.Size, d.Size), max(b.Expiry, d.Expiry)
}

func (s *State) appendSaltsBackups(b []byte) []byte {
	b = cbor.AppendArray(b, len(s.SaltsBackups))
	for _, d := range s.SaltsBackups {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendText(b, d.Node)
		b = cbor.AppendUint(b, d.Size)
		b = cbor.AppendUint(b, d.Expiry)
	}
	return b
}

func readSaltsBackup(d *cbor.Decoder) SaltsBackup {
	d.Array(3)
	return SaltsBackup{Node: d.Text(32), Size: d.Uint(), Expiry: d.Uint()}
}
