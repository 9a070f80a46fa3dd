package act

import (
	"errors"
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
)

// MaxNodes is the number of nodes an institution can bring with it.
const MaxNodes = 4

// Admission lets an institution into a network that is founded, with its nodes
// as mirrors: a hospital, which has no reader rights, or a reader with the
// rights that are granted here. At least q lead hospitals have approved it,
// having compared the keys with the institution itself.
type Admission struct {
	Institution Institution
	Nodes       []Node // its own, ascending by id, with the number it gets
}

// Marshal returns the payload's deterministic CBOR: an array of 2.
func (a *Admission) Marshal() []byte {
	b := cbor.AppendArray(nil, 2)
	b = a.Institution.AppendCBOR(b)
	b = cbor.AppendArray(b, len(a.Nodes))
	for i := range a.Nodes {
		b = a.Nodes[i].AppendCBOR(b)
	}
	return b
}

// DecodeAdmission reads the payload of an act of [TypeAdmission]. Whether it
// makes sense is [Admission.Validate]'s to say.
func DecodeAdmission(raw []byte) (*Admission, error) {
	d := cbor.NewDecoder(raw)
	d.Array(2)
	a := &Admission{Institution: DecodeInstitution(d)}
	if n := d.ArrayMax(MaxNodes); d.Err() == nil {
		a.Nodes = make([]Node, n)
	}
	for i := range a.Nodes {
		a.Nodes[i] = DecodeNode(d)
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("admission: %w", err)
	}
	return a, nil
}

// Validate reports every reason why the admission cannot be, whatever the
// network, joined into one error.
func (a *Admission) Validate() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	i := &a.Institution
	i.checkAdmitted(add)
	if i.Entity == "" || i.NameEN == "" && i.NameZH == "" {
		add("entity and name are needed")
	}
	if len(a.Nodes) == 0 {
		add("a %s needs a node", i.Role)
	}
	keys := keySet{}
	keys.take(add, "institution", i.KeyIDs())
	for n := range a.Nodes {
		node := &a.Nodes[n]
		who := fmt.Sprintf("node %q", node.ID)
		keys.take(add, who, node.KeyIDs())
		switch {
		case !nodeID.MatchString(node.ID):
			add("%s: use 1 to 32 of a-z 0-9 -", who)
		case n > 0 && node.ID <= a.Nodes[n-1].ID:
			add("%s: nodes ascend by id, each once", who)
		case node.Kind != Mirror:
			add("%s: comes as a mirror, and may become a voter later", who)
		}
	}
	return errors.Join(problems...)
}

// checkAdmitted checks role and rights of an institution that comes in.
func (i *Institution) checkAdmitted(add adder) {
	national, regional := i.Rights.Has(RightNational), i.Rights.Has(RightProvince)
	switch i.Role {
	case RoleHospital:
		if i.Rights != 0 {
			add("a hospital's key is never a reader's")
		}
	case RoleReader:
		if national == regional {
			add("a reader reads the nation or one province")
		}
		if i.Lead {
			add("only a hospital can be a lead")
		}
	default:
		add("a %s is not admitted by this act", i.Role)
	}
	if (i.Province != "" || !national) && !province.MatchString(i.Province) {
		add("province %q is not two digits of GB/T 2260", i.Province)
	}
}

// keySet finds keys that are used twice.
type keySet map[[32]byte]bool

func (s keySet) take(add adder, who string, ids [][32]byte) {
	for _, id := range ids {
		if s[id] {
			add("%s: key %x is used twice", who, id[:4])
		}
		s[id] = true
	}
}
