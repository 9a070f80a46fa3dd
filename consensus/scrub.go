package consensus

import (
	"context"
	"fmt"
	"time"
)

const (
	scrubStep  = 256 << 10   // bytes read between two looks at the pace
	scrubPause = time.Minute // between two passes
)

// runScrub reads the whole ledger again and again, slowly, as peers are served
// from it, so that damage is found while others still have what is lost.
func (n *Node) runScrub(ctx context.Context) {
	for {
		if err := n.scrub(ctx); err != nil {
			_ = n.fail(fmt.Errorf("scrub: %w", err)) // the caller of Open has it
			return
		}
		if !pause(ctx, n.cfg.limits.scrubPause) {
			return
		}
	}
}

// scrub makes one pass, each envelope, then the tree over them, and then what
// was erased.
func (n *Node) scrub(ctx context.Context) error {
	for number := uint64(0); ; {
		next, bytes, err := n.machine.Examine(number, scrubStep)
		if err != nil {
			return err
		}
		if next == number {
			if err := n.machine.ExamineTree(); err != nil {
				return err
			}
			return n.scrubErased(ctx)
		}
		if number = next; !n.scrubPace.passed(ctx, bytes) {
			return nil
		}
	}
}
