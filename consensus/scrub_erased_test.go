package consensus

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/raresync/raresync/registry/act"
)

// TestWhatComesBackOfAnErasedEntryIsErasedAgain puts salt and body of an erased
// entry back where they were, as a disk that is set back in part would.
func TestWhatComesBackOfAnErasedEntryIsErasedAgain(t *testing.T) {
	for name, put := range map[string]func(c *cluster, id string, index uint64){
		"the salt": func(c *cluster, id string, index uint64) {
			c.write(id, "salts", int64(index*32), bytes.Repeat([]byte{0xa5}, 32))
		},
		"some of the body": func(c *cluster, id string, index uint64) {
			raw, err := os.ReadFile(filepath.Join(c.dirs[id], "ledger", "bodies.idx"))
			must(c.t, err)
			end := binary.BigEndian.Uint64(raw[8*index:])
			c.write(id, "bodies", int64(end-48), bytes.Repeat([]byte{0xa5}, 48))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, 3)
			c.limits = defaultLimits
			c.limits.scrubPause = 10 * time.Millisecond
			c.open(c.ids...)
			chains := c.load(1, 2, c.voters()...)
			c.converged(1 + 3*2)
			gone := chains[0].sent[0]
			through := chains[0].withdraw(act.Span{First: gone.out.First, Count: 2})
			c.erasedOn(through, c.ids...)
			for _, id := range []string{c.follower(), "reader"} {
				put(c, id, gone.out.First+1)
				c.until("the second erasure of "+name+" on "+id, func() bool {
					b, err := c.node(id).machine.Ledger().Body(gone.out.First + 1)
					must(t, err)
					done, _ := c.node(id).Erased()
					return b.Blank() && done == through
				})
			}
			c.nowhere([]needle{{"what was put there", bytes.Repeat([]byte{0xa5}, 32)}})
		})
	}
}

// write writes into a file of a node's ledger behind its back.
func (c *cluster) write(id, name string, off int64, b []byte) {
	c.t.Helper()
	f, err := os.OpenFile(filepath.Join(c.dirs[id], "ledger", name), os.O_WRONLY, 0)
	must(c.t, err)
	defer f.Close()
	_, err = f.WriteAt(b, off)
	must(c.t, err)
}
