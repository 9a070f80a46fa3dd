package consensus

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/raresync/raresync/consensus/fault"
)

// ErrTwin says that the network has met a second living instance of this node,
// as when a copy of its data directory was started. Both stop.
var ErrTwin = errors.New("another instance of this node is running")

// twins are the voters that have met two instances of this node.
type twins struct {
	mu  sync.Mutex
	met map[string]bool // guarded by mu
}

// HearTwin takes a peer's word that it has met two living instances of this
// node and refuses both. The node stops once a majority of the voters says so,
// or all there are beside this one: a single peer may lie. A voter is
// quarantined, since its twin may have voted or stored records in its name,
// and then what others count on is not on this disk.
func (n *Node) HearTwin(peer string) {
	voters := n.machine.View().Voters()
	others := 0
	isVoter := false
	for _, v := range voters {
		if v.ID != n.cfg.Self {
			others++
			isVoter = isVoter || v.ID == peer
		}
	}
	if !isVoter || n.ended() != nil {
		return
	}
	said := n.twins.add(peer)
	if len(said) < min(len(voters)/2+1, others) && !fault.Planted(fault.BelieveOnePeer) {
		return
	}
	err := fmt.Errorf("%w: met by %v; stop the copy of this data directory", ErrTwin, said)
	if n.Replicates() {
		_ = n.quarantine(err) // the caller of Open has it
	} else {
		_ = n.fail(err) // likewise
	}
}

// add returns who has said so by now.
func (t *twins) add(peer string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.met == nil {
		t.met = map[string]bool{}
	}
	t.met[peer] = true
	return slices.Sorted(maps.Keys(t.met))
}

// twinWarnings tells an operator of voters that will not speak to this node.
func (n *Node) twinWarnings() (list []Warning) {
	n.twins.mu.Lock()
	defer n.twins.mu.Unlock()
	for _, peer := range slices.Sorted(maps.Keys(n.twins.met)) {
		list = append(list, warn("%s has met another instance of this node and refuses both: is a copy of the data directory running?",
			"%s 遇到了本节点的另一个实例，二者均被拒绝：是否有数据目录的副本在运行？", peer))
	}
	return list
}
