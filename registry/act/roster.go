package act

import (
	"fmt"
	"strings"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
)

// Role says whether an institution sends entries or only reads.
type Role uint8

// The roles of an institution.
const (
	RoleHospital Role = 1
	RoleReader   Role = 2
)

// String returns the role's name.
func (r Role) String() string {
	switch r {
	case RoleHospital:
		return "hospital"
	case RoleReader:
		return "reader"
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// Rights is a set of reader rights: who may open what.
type Rights uint8

// The reader rights. Genetics widens national or province to the genetic part.
const (
	RightNational Rights = 1 << iota // clinical part of every entry
	RightProvince                    // clinical part of the entries of its province
	RightGenetics                    // the genetic part too
)

const allRights = RightNational | RightProvince | RightGenetics

// Has reports whether all rights of want are in r.
func (r Rights) Has(want Rights) bool { return r&want == want }

// String lists the rights by name, or "none".
func (r Rights) String() string {
	var names []string
	for bit, name := range []string{"national", "province", "genetics"} {
		if r.Has(1 << bit) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

// ParseRights reads a list of rights as [Rights.String] writes it.
func ParseRights(s string) (Rights, error) {
	var r Rights
	for name := range strings.SplitSeq(s, ",") {
		switch strings.TrimSpace(name) {
		case "national":
			r |= RightNational
		case "province":
			r |= RightProvince
		case "genetics":
			r |= RightGenetics
		case "none", "":
		default:
			return 0, fmt.Errorf("reader right %q: want national, province or genetics", name)
		}
	}
	return r, nil
}

// Institution is a member as the roster lists it, with its public keys.
type Institution struct {
	Role     Role
	Entity   string // legal entity: unified social credit code, or a demo name
	NameZH   string
	NameEN   string
	Province string // two digits of GB/T 2260, or "" for a national institution
	Lead     bool   // a lead hospital: its approval counts towards q
	Rights   Rights

	Envelope *sign.PublicKey // signs envelopes and approvals
	Request  *sign.PublicKey // signs evaluation requests
	Response *sign.PublicKey // signs evaluation responses, if a share holder
	Sealing  seal.ReaderPublic
}

// KeyIDs returns the ids of the institution's keys, the sealing key's last.
func (i *Institution) KeyIDs() [][32]byte {
	return [][32]byte{i.Envelope.ID(), i.Request.ID(), i.Response.ID(), i.Sealing.ID()}
}

// AppendCBOR appends the institution's encoding, an array of 11, to b.
func (i *Institution) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 11)
	b = cbor.AppendUint(b, uint64(i.Role))
	b = cbor.AppendText(b, i.Entity)
	b = cbor.AppendText(b, i.NameZH)
	b = cbor.AppendText(b, i.NameEN)
	b = cbor.AppendText(b, i.Province)
	b = cbor.AppendBool(b, i.Lead)
	b = cbor.AppendUint(b, uint64(i.Rights))
	b = i.Envelope.AppendCBOR(b)
	b = i.Request.AppendCBOR(b)
	b = i.Response.AppendCBOR(b)
	return cbor.AppendBytes(b, i.Sealing.Bytes())
}

// DecodeInstitution reads an institution; errors are reported by d.
func DecodeInstitution(d *cbor.Decoder) Institution {
	var i Institution
	d.Array(11)
	i.Role = Role(d.Uint8())
	i.Entity = d.Text(64)
	i.NameZH = d.Text(128)
	i.NameEN = d.Text(128)
	i.Province = d.Text(2)
	i.Lead = d.Bool()
	i.Rights = Rights(d.UintMax(uint64(allRights)))
	i.Envelope = decodeKey(d, sign.PurposeEnvelope)
	i.Request = decodeKey(d, sign.PurposeRequest)
	i.Response = decodeKey(d, sign.PurposeResponse)
	raw := d.BytesFixed(seal.ReaderPublicBytes)
	if d.Err() != nil {
		return i
	}
	var err error
	if i.Sealing, err = seal.ParseReaderPublic(raw); err != nil {
		d.Fail("sealing key: %v", err)
	}
	return i
}

// decodeKey reads a public key and refuses one of another purpose.
func decodeKey(d *cbor.Decoder, want sign.Purpose) *sign.PublicKey {
	k := sign.DecodePublicKey(d)
	if d.Err() == nil && k.Purpose() != want {
		d.Fail("%s key where a %s key is due", k.Purpose(), want)
	}
	return k
}

// NodeKind says what part a node takes in the network.
type NodeKind uint8

// The kinds of nodes.
const (
	Voter    NodeKind = 1 // votes, replicates and cosigns
	Mirror   NodeKind = 2 // pulls and verifies
	NonVoter NodeKind = 3 // stores Raft's log, and becomes a voter once it has all of it
)

// String returns the kind's name.
func (k NodeKind) String() string {
	switch k {
	case Voter:
		return "voter"
	case Mirror:
		return "mirror"
	case NonVoter:
		return "non-voter"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Node is a process of an institution as the roster lists it.
type Node struct {
	ID          string // [a-z0-9-], at most 32 bytes; also its Raft server id and address
	Institution uint32
	Kind        NodeKind
	Addresses   []string // host:port where it listens; none if it only dials out

	TLS    *sign.PublicKey
	Log    *sign.PublicKey // signs checkpoints when it leads
	Cosign *sign.PublicKey
}

// KeyIDs returns the ids of the node's keys.
func (n *Node) KeyIDs() [][32]byte { return [][32]byte{n.TLS.ID(), n.Log.ID(), n.Cosign.ID()} }

// AppendCBOR appends the node's encoding, an array of 7, to b.
func (n *Node) AppendCBOR(b []byte) []byte {
	b = cbor.AppendArray(b, 7)
	b = cbor.AppendText(b, n.ID)
	b = cbor.AppendUint(b, uint64(n.Institution))
	b = cbor.AppendUint(b, uint64(n.Kind))
	b = cbor.AppendArray(b, len(n.Addresses))
	for _, a := range n.Addresses {
		b = cbor.AppendText(b, a)
	}
	b = n.TLS.AppendCBOR(b)
	b = n.Log.AppendCBOR(b)
	return n.Cosign.AppendCBOR(b)
}

// DecodeNode reads a node; errors are reported by d.
func DecodeNode(d *cbor.Decoder) Node {
	var n Node
	d.Array(7)
	n.ID = d.Text(32)
	n.Institution = d.Uint32()
	n.Kind = NodeKind(d.Uint8())
	if count := d.ArrayMax(4); count > 0 {
		n.Addresses = make([]string, count)
	}
	for i := range n.Addresses {
		n.Addresses[i] = d.Text(256)
	}
	n.TLS = decodeKey(d, sign.PurposeTLS)
	n.Log = decodeKey(d, sign.PurposeLog)
	n.Cosign = decodeKey(d, sign.PurposeCosign)
	return n
}
