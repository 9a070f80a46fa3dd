package ceremony

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
)

// Log is the network as a ceremony needs it; [consensus.Node] is one.
type Log interface {
	View() *state.State
	Status() consensus.Status
	Checkpoint() tlog.SignedCheckpoint
	HandleCosign(ctx context.Context, p consensus.Proposal) ([]tlog.NoteSignature, error)
}

// Poster posts acts, each once; [outbox.Outbox] is one.
type Poster interface {
	PostAct(ctx context.Context, a act.Act) error
}

// Cosigners asks other voters for cosignatures; [peer.Client] does.
type Cosigners interface {
	Cosign(ctx context.Context, node string, p consensus.Proposal) ([]tlog.NoteSignature, error)
}

// Shares keeps this node's shares; [home.ShareFile] does.
type Shares interface {
	Shares() home.Shares
	Save(home.Shares) error
}

// Evaluator makes pseudonyms; evaluation.Service does.
type Evaluator interface {
	Pseudonyms(ctx context.Context, identities [][]byte) ([]pseudonym.Pseudonym, error)
}

// Config is what a driver needs.
type Config struct {
	Self        string // node id
	Institution uint32
	Log         Log
	Changed     func() <-chan struct{} // closed when the log has changed
	Poster      Poster
	Cosigners   Cosigners
	Shares      Shares
	Evaluator   Evaluator
	Runtime     string // directory for the secrets of a run, used only if it is a tmpfs; "" = memory
	Now         func() time.Time
	Logger      *slog.Logger
}

const (
	stepPause   = 100 * time.Millisecond // between two looks at the log
	retryPause  = time.Second            // while a ceremony is under way
	postTimeout = 30 * time.Second
	turnWait    = 10 * time.Second // before the next holder does what the one before has not done
)

// Driver takes one institution's part. It is safe for concurrent use.
type Driver struct {
	cfg Config

	mu     sync.Mutex // held through a step, so that Contribute and Run take turns
	run    *secrets   // of the ceremony under way; nil if none, or lost
	vault  vault
	since  time.Time // when this node first saw all that the last step of a ceremony needs
	waited string    // what since is about
	told   string    // last problem logged
}

// New returns a driver. It takes up the run that the runtime directory holds.
func New(c Config) (*Driver, error) {
	d := &Driver{cfg: c, vault: openVault(c.Runtime)}
	var err error
	if d.run, err = d.vault.load(); err != nil {
		return nil, fmt.Errorf("ceremony: %w", err)
	}
	return d, nil
}

// Run does what there is to do until the context ends. Its error is a failure
// to keep a share: the process must stop.
func (d *Driver) Run(ctx context.Context) error {
	for {
		changed := d.cfg.Changed()
		busy, err := d.step(ctx)
		if errors.Is(err, home.ErrKeys) {
			return err
		}
		d.tell(ctx, err)
		if !sleep(ctx, stepPause) {
			return nil
		}
		var again <-chan time.Time
		if busy {
			again = time.After(retryPause)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-again:
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// tell logs a problem once, not at every try.
func (d *Driver) tell(ctx context.Context, err error) {
	text := ""
	if err != nil && ctx.Err() == nil {
		text = err.Error()
	}
	if text != d.told && text != "" {
		d.cfg.Logger.Warn("key ceremony does not go on", "reason", text)
	}
	d.told = text
}

// step does the next thing, if it is this institution's turn. It reports
// whether more is to come.
func (d *Driver) step(ctx context.Context) (busy bool, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.cfg.Log.Status().Ready {
		return true, nil
	}
	view := d.cfg.Log.View()
	if err := d.settle(view); err != nil {
		return true, err
	}
	c := view.OpenCeremony(d.now(view))
	if err := d.forget(c); err != nil {
		return true, err
	}
	if c == nil {
		return d.canary(ctx, view)
	}
	share := c.Share(d.cfg.Institution)
	if share == 0 {
		return false, nil
	}
	return true, d.takePart(ctx, view, c, share)
}

// now returns the time by which deadlines count, in ms.
func (d *Driver) now(view *state.State) uint64 {
	return max(view.LogTime, uint64(d.cfg.Now().UnixMilli()))
}

// forget destroys the secrets of a run that is over.
func (d *Driver) forget(c *state.Ceremony) error {
	if d.run == nil || c != nil && c.Number == d.run.number {
		return nil
	}
	d.run = nil
	return d.vault.destroy()
}

// post posts an act of a ceremony. One that was refused because the log went
// another way is not posted again.
func (d *Driver) post(ctx context.Context, t act.Type, payload []byte) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	err := d.cfg.Poster.PostAct(ctx, act.Act{Version: act.Version, Type: t, Payload: payload})
	if err != nil {
		return fmt.Errorf("%s: %w", t, err)
	}
	return nil
}

// turn reports whether it is this holder's turn at what any of them may do: the
// first at once, each other a while after the one before.
func (d *Driver) turn(what string, share uint16) bool {
	if d.waited != what {
		d.waited, d.since = what, d.cfg.Now()
	}
	return d.cfg.Now().Sub(d.since) >= time.Duration(share-1)*turnWait
}

// isRefused reports that the network refused an act: the log has moved on.
func isRefused(err error) bool {
	var r *state.Refusal
	return errors.As(err, &r)
}
