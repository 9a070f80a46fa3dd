package act

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/raresync/raresync/crypto/keyshare"
)

// MaxFounders is the number of institutions a genesis can hold: an act of
// 196608 bytes has room for the keys and approvals of twelve. Others join by
// act.
const MaxFounders = 12

// maxNodes is the number of nodes a genesis can hold, and maxOverlap the
// largest ReaderOverlap: it is added to envelope numbers.
const (
	maxNodes   = 2 * MaxFounders
	maxOverlap = 1_000_000
)

var (
	networkName = regexp.MustCompile(`^[a-z0-9][a-z0-9./-]{0,63}$`)
	nodeID      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	province    = regexp.MustCompile(`^[1-8][0-9]$`)
)

// Validate reports every reason why the genesis cannot found a network, joined
// into one error.
func (g *Genesis) Validate() error {
	var problems []error
	add := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if !networkName.MatchString(g.Name) {
		add("network name %q: use 1 to 64 of a-z 0-9 . / -", g.Name)
	}
	if g.LogEpoch != 1 || g.FeatureLevel != 1 {
		add("log epoch and feature level start at 1")
	}
	if g.Policy.MinCell < 3 || g.Policy.MinCell > 20 {
		add("min_cell %d: want 3 to 20", g.Policy.MinCell)
	}
	if g.Policy.ReaderOverlap == 0 || g.Policy.ReaderOverlap > maxOverlap {
		add("reader overlap %d: want 1 to %d envelopes", g.Policy.ReaderOverlap, maxOverlap)
	}
	if err := g.Identity.Validate(); err != nil {
		add("identity parameters: %w", err)
	}
	g.checkInstitutions(add)
	if g.Policy.Level() > g.FeatureLevel {
		add("limits are set by act, from feature level 2 on")
	}
	g.checkQuotas(add)
	g.checkNodes(add)
	g.checkHolders(add)
	return errors.Join(problems...)
}

type adder func(format string, args ...any)

// checkQuotas looks at the quotas that hospitals have of their own, so that one
// encoding says them.
func (g *Genesis) checkQuotas(add adder) {
	g.Policy.checkQuotas(add)
	for _, own := range g.Policy.Quotas {
		if own.Hospital == 0 || int(own.Hospital) > len(g.Institutions) || g.Institutions[own.Hospital-1].Role != RoleHospital {
			add("quota of institution %d, which is no hospital here", own.Hospital)
		}
	}
}

func (p Policy) checkQuotas(add adder) {
	before := uint32(0)
	for _, own := range p.Quotas {
		switch {
		case own.Hospital <= before:
			add("quota of institution %d: quotas ascend by hospital, one each", own.Hospital)
		case own.Elements == 0 || own.Elements > MaxAllowance:
			add("quota of institution %d: want 1 to %d persons a day", own.Hospital, MaxAllowance)
		}
		before = own.Hospital
	}
}

func (g *Genesis) checkInstitutions(add adder) {
	keys := keySet{}
	hospitals, leads, national := 0, 0, 0
	for n, i := range g.Institutions {
		who := fmt.Sprintf("institution %d", n+1)
		keys.take(add, who, i.KeyIDs())
		switch {
		case i.Role == RoleHospital && n != hospitals:
			add("%s: hospitals come before readers", who)
		case i.Role == RoleHospital:
			hospitals++
			if !province.MatchString(i.Province) {
				add("%s: province %q is not two digits of GB/T 2260", who, i.Province)
			}
			if i.Rights != 0 {
				add("%s: a hospital's key is never a reader's", who)
			}
		case i.Role != RoleReader:
			add("%s: unknown role %d", who, i.Role)
		}
		if i.Entity == "" || i.NameEN == "" && i.NameZH == "" {
			add("%s: entity and name are needed", who)
		}
		if i.Lead && i.Role == RoleHospital {
			leads++
		}
		if i.Rights.Has(RightNational) {
			national++
		}
	}
	if hospitals == 0 {
		add("a network needs a hospital")
	}
	if len(g.Institutions) > MaxFounders {
		add("%d founders, at most %d: the others join by act", len(g.Institutions), MaxFounders)
	}
	if g.Quorum == 0 || g.Quorum > uint64(leads) {
		add("q = %d of %d lead hospitals", g.Quorum, leads)
	}
	if want := 2; !g.Demo && national < want || national < 1 || national > 16 {
		add("%d national readers: want 2 to 16, or 1 in a demo network", national)
	}
	g.checkProvinceReaders(add)
}

func (g *Genesis) checkProvinceReaders(add adder) {
	seen := map[string]bool{}
	for n, i := range g.Institutions {
		if !i.Rights.Has(RightProvince) {
			continue
		}
		if i.Rights.Has(RightNational) || i.Province == "" || seen[i.Province] {
			add("institution %d: one province reader for each province, which is no national reader", n+1)
		}
		seen[i.Province] = true
	}
}

func (g *Genesis) checkNodes(add adder) {
	voters := 0
	keys := keySet{}
	if len(g.Nodes) > maxNodes {
		add("%d nodes, at most %d: the others join by act", len(g.Nodes), maxNodes)
	}
	for n, node := range g.Nodes {
		if !nodeID.MatchString(node.ID) {
			add("node %q: use 1 to 32 of a-z 0-9 -", node.ID)
		}
		if n > 0 && node.ID <= g.Nodes[n-1].ID {
			add("node %q: nodes ascend by id, each once", node.ID)
		}
		if node.Institution == 0 || int(node.Institution) > len(g.Institutions) {
			add("node %q: no institution %d", node.ID, node.Institution)
		}
		keys.take(add, fmt.Sprintf("node %q", node.ID), node.KeyIDs())
		switch node.Kind {
		case Voter:
			voters++
			if len(node.Addresses) == 0 {
				add("node %q: a voter needs an address", node.ID)
			}
		case Mirror:
		default:
			add("node %q: unknown kind %d", node.ID, node.Kind)
		}
	}
	if voters%2 == 0 || voters > 9 {
		add("%d voters: want 1, 3, 5, 7 or 9", voters)
	}
}

// checkDealt checks a key that one party made. The holders of any other network
// make theirs after its founding.
func (g *Genesis) checkDealt(add adder) {
	if err := g.OPRF.Validate(); err != nil {
		add("pseudonymisation key: %w", err)
		return
	}
	if g.OPRF.Origin != keyshare.Dealt || g.OPRF.Epoch != 1 {
		add("a genesis holds a dealt key of epoch 1, or none")
	}
	if !g.Demo {
		add("dealt shares are for demo networks only")
	}
	if len(g.Holders) != int(g.OPRF.Holders) {
		add("%d holders for %d shares", len(g.Holders), g.OPRF.Holders)
	}
}

func (g *Genesis) checkHolders(add adder) {
	if g.OPRF.Holders != 0 {
		g.checkDealt(add)
	}
	if n := len(g.Holders); n == 0 || !g.Demo && n < 2 {
		add("%d holders of a share: a key that one institution holds is for demo networks only", n)
	}
	readers := map[string]bool{}
	for _, i := range g.Institutions {
		if i.Rights.Has(RightNational) {
			readers[i.Entity] = true
		}
	}
	entities := map[string]bool{}
	for share, n := range g.Holders {
		if n == 0 || int(n) > len(g.Institutions) {
			add("share %d: no institution %d", share+1, n)
			continue
		}
		if !slices.ContainsFunc(g.Nodes, func(node Node) bool { return node.Institution == n && node.Kind == Voter }) {
			add("share %d: holder %d has no voter", share+1, n)
		}
		entity := g.Institutions[n-1].Entity
		if readers[entity] {
			add("share %d: holder %d is a national reader", share+1, n)
		}
		if entities[entity] {
			add("share %d: entity holds two shares", share+1)
		}
		entities[entity] = true
	}
}
