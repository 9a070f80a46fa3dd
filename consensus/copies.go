package consensus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	copyPause     = time.Hour // before a static copy is asked again
	copyEnvelopes = 64        // that are asked of one at once
)

// StaticCopy is a static copy of the log: files on a web server or in a folder, made by
// a member. Whatever it says may be a lie.
type StaticCopy interface {
	// Name is where it is.
	Name() string
	// Describe returns which network it is of, and whether it has bodies.
	Describe(ctx context.Context) (network [32]byte, bodies bool, err error)
	// Checkpoint returns its signed checkpoint.
	Checkpoint(ctx context.Context) ([]byte, error)
	// Envelopes returns accepted envelopes from one number to before another, or
	// fewer if it has no more; at least one.
	Envelopes(ctx context.Context, from, to uint64) ([]Unsalted, error)
}

// Unsalted is an accepted envelope as a static copy has it. Salts are never in one:
// they come from a peer.
type Unsalted struct {
	LogTime  uint64             // ms
	Envelope *envelope.Envelope // of an entry it has the commitment and the length
	Bodies   []UnsaltedBody     // of its entries in order of place; none for an act
}

// UnsaltedBody is a body without its salt; Ciphertext is nil if it is erased.
type UnsaltedBody struct {
	Tag        [16]byte
	Ciphertext []byte
}

// Why a static copy is not used, or not any more.
var (
	errCopyBodies = errors.New("it holds no bodies, and a node's copy needs them")
	errCopyOther  = errors.New("it is of another network")
	errCopyOld    = errors.New("its checkpoint is not ahead of this node")
	errCopySalts  = errors.New("its bodies and the salts of a peer make no entry")
)

// staticCopies are the copies that a mirror may take many envelopes from at once.
type staticCopies struct {
	mu   sync.Mutex
	list []knownCopy // guarded by mu; the puller alone changes it
}

type knownCopy struct {
	from    StaticCopy
	asked   time.Time // zero: never
	problem error     // of the last time; nil: it helped
}

func (c *staticCopies) open(list []StaticCopy) {
	for _, from := range list {
		c.list = append(c.list, knownCopy{from: from})
	}
}

// due returns the copies that may be asked now.
func (c *staticCopies) due() (due []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.list {
		if asked := c.list[i].asked; asked.IsZero() || time.Since(asked) >= copyPause {
			due = append(due, i)
		}
	}
	return due
}

func (c *staticCopies) note(i int, problem error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list[i].asked, c.list[i].problem = time.Now(), problem
}

// warnings name the copies that are of no use, for an operator to look into.
func (c *staticCopies) warnings() (list []Warning) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.list {
		if k.problem != nil && !errors.Is(k.problem, errCopyOld) {
			list = append(list, warn("the static copy %s is not used: %v", "静态副本 %s 未被采用：%v",
				k.from.Name(), k.problem))
		}
	}
	return list
}

// pullFromCopies takes what static copies have of the log up to a tree size, whose
// checkpoint a peer has given. What they have wrong is told, and no reason to stop:
// the peer has it as well. Errors are this node's own.
func (n *Node) pullFromCopies(ctx context.Context, peer string, size uint64) error {
	if n.mirror.careful {
		return nil
	}
	for _, i := range n.copies.due() {
		from := n.copies.list[i].from
		before := n.machine.Ledger().Lengths()
		err := n.pullFromCopy(ctx, from, peer, size)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if endsNode(err) {
			return err
		}
		n.copies.note(i, err)
		now := n.machine.Ledger().Lengths()
		if now.Envelopes > before.Envelopes {
			n.mirror.copied = append(n.mirror.copied, i)
		}
		switch {
		case err == nil:
			n.log.Info("taken from a static copy", "copy", from.Name(), "envelopes", now.Envelopes-before.Envelopes)
		case errors.Is(err, errCopyOld):
			n.log.Info("nothing taken from a static copy", "copy", from.Name(), "reason", err.Error())
		default:
			n.log.Warn("a static copy is not used any more", "copy", from.Name(), "reason", err.Error())
		}
	}
	return nil
}

// suspectCopies names the copies that gave a part of what is wrong, until they are
// asked again.
func (n *Node) suspectCopies(problem error) {
	for _, i := range n.mirror.copied {
		n.copies.note(i, problem)
		n.log.Warn("a static copy is not used any more", "copy", n.copies.list[i].from.Name(), "reason", problem.Error())
	}
	n.mirror.copied = nil
}

// pullFromCopy takes envelopes from one copy up to its own checkpoint, which must be
// valid, or up to the peer's if that is smaller.
func (n *Node) pullFromCopy(ctx context.Context, from StaticCopy, peer string, size uint64) error {
	network, bodies, err := from.Describe(ctx)
	switch {
	case err != nil:
		return foreign(err)
	case network != n.View().Network:
		return errCopyOther
	case !bodies:
		return errCopyBodies
	}
	note, err := from.Checkpoint(ctx)
	if err != nil {
		return foreign(err)
	}
	sc, err := parseNote(note)
	if err != nil {
		return err
	}
	if own := n.machine.Ledger().Lengths().TreeSize; sc.Size <= own {
		return fmt.Errorf("%w: it ends at %d entries, this node at %d", errCopyOld, sc.Size, own)
	}
	judged, err := n.judgedBy(sc)
	if err != nil {
		return err
	}
	end := min(size, sc.Size)
	for at := n.machine.Ledger().Lengths(); at.TreeSize < end; at = n.machine.Ledger().Lengths() {
		if err := n.pullSome(ctx, from, peer, at.Envelopes, end); err != nil && !errors.Is(err, errEnough) {
			return err
		}
	}
	if n.machine.Ledger().Lengths().TreeSize != sc.Size { // the peer's checkpoint is smaller, and judges
		return nil
	}
	root, err := n.machine.RootAt(sc.Size)
	if err != nil {
		return err
	}
	err = n.judge(sc, judged)
	if root != sc.Root {
		err = fmt.Errorf("its envelopes do not lead to its checkpoint at %d: %w", sc.Size, ErrRootDiffers)
	}
	if err != nil {
		return errors.Join(err, n.machine.Restore(*n.confirmed.Load()))
	}
	return nil
}

// pullSome applies some envelopes of a copy, with a peer's salts.
func (n *Node) pullSome(ctx context.Context, from StaticCopy, peer string, number, size uint64) error {
	if !n.awaitRoom(ctx) {
		return ctx.Err()
	}
	list, err := from.Envelopes(ctx, number, number+copyEnvelopes)
	if err != nil {
		return foreign(err)
	}
	if len(list) == 0 {
		return fmt.Errorf("it has no envelope %d", number)
	}
	salts, err := n.cfg.Peers.Salts(ctx, peer, number)
	if err != nil {
		return fmt.Errorf("salts from %d of %s: %v", number, peer, err) // its failure is not ours: no %w
	}
	list = list[:min(len(list), len(salts))]
	if len(list) == 0 {
		return fmt.Errorf("%s has no salts of envelope %d", peer, number)
	}
	pulled := make([]Pulled, len(list))
	for i := range list {
		if pulled[i], err = list[i].salted(salts[i]); err != nil {
			return fmt.Errorf("envelope %d: %w", number+uint64(i), err)
		}
	}
	if !n.fetchPace.passed(ctx, pulledBytes(pulled)) {
		return ctx.Err()
	}
	return n.applyPulled(pulled, size)
}

// salted puts an envelope together. An entry that the copy or the peer has erased
// stays without its body: whether it should be, the state will say.
func (u Unsalted) salted(salts []byte) (Pulled, error) {
	e := u.Envelope
	if e.Kind == envelope.KindAct {
		return Pulled{LogTime: u.LogTime, Envelope: e.Marshal()}, nil
	}
	if len(salts) != ledger.SaltBytes*len(e.Bodies) || len(u.Bodies) != len(e.Bodies) {
		return Pulled{}, errCopySalts
	}
	bodies := make([]seal.Body, len(e.Bodies))
	for i := range bodies {
		bodies[i] = e.Bodies[i]
		b := seal.Body{Tag: u.Bodies[i].Tag, Ciphertext: u.Bodies[i].Ciphertext}
		copy(b.Salt[:], salts[i*ledger.SaltBytes:])
		if b.Ciphertext != nil && b.Salt != [32]byte{} {
			bodies[i] = b
		}
	}
	whole, err := envelope.Assemble(e.HeaderBytes, e.Signature, bodies)
	if err != nil {
		return Pulled{}, err
	}
	if whole.CheckBodies(whole.Commitments()) != nil {
		return Pulled{}, errCopySalts
	}
	return Pulled{LogTime: u.LogTime, Envelope: whole.Marshal()}, nil
}

// foreign is an error that is not this node's own, whatever it wraps.
func foreign(err error) error { return errors.New(err.Error()) }
