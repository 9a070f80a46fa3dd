package ceremony

import (
	"context"
	"fmt"
	"slices"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/registry/act"
)

// activate posts a checkpoint that every new holder has cosigned.
func (d *Driver) activate(ctx context.Context, view *state.State, c *state.Ceremony, share uint16) error {
	if !d.turn(fmt.Sprint("activate ", c.Number), share) {
		return nil
	}
	sc := d.cfg.Log.Checkpoint()
	if sc.Size < c.Size {
		return nil // the next one covers the ceremony
	}
	sc.Signatures = slices.Clone(sc.Signatures)
	for _, institution := range c.Holders {
		node, ok := view.VoterOf(institution)
		if !ok {
			return fmt.Errorf("activation: institution %d has no voter", institution)
		}
		if hasCosigned(view, sc, node) {
			continue
		}
		sigs, err := d.cosign(ctx, node, consensus.Proposal{Checkpoint: sc.Checkpoint})
		if err != nil {
			return fmt.Errorf("activation: cosignature of %s: %w", node, err)
		}
		sc.Signatures = append(sc.Signatures, sigs...)
	}
	err := d.post(ctx, act.TypeActivate, (&act.Activate{Ceremony: c.Number, Checkpoint: sc.Marshal()}).Marshal())
	if isRefused(err) && d.cfg.Log.View().OPRF.Epoch >= c.Epoch {
		return nil // another holder was faster
	}
	return err
}

func hasCosigned(view *state.State, sc tlog.SignedCheckpoint, node string) bool {
	return slices.ContainsFunc(sc.Signatures, func(s tlog.NoteSignature) bool { return s.Name == view.CosignerName(node) })
}

func (d *Driver) cosign(ctx context.Context, node string, p consensus.Proposal) ([]tlog.NoteSignature, error) {
	if node == d.cfg.Self {
		return d.cfg.Log.HandleCosign(ctx, p)
	}
	return d.cfg.Cosigners.Cosign(ctx, node, p)
}

// canary has the holders of a new epoch answer the input that everyone knows,
// and posts the answer's hash: the log refuses another than before.
func (d *Driver) canary(ctx context.Context, view *state.State) (busy bool, err error) {
	share := slices.Index(view.Holders, d.cfg.Institution) + 1
	made := view.OPRF.Origin == keyshare.DKG || view.OPRF.Epoch > 1 // by a ceremony
	if !made || view.Canary.Epoch == view.OPRF.Epoch || share == 0 {
		return false, nil
	}
	if !d.turn(fmt.Sprint("canary ", view.OPRF.Epoch), uint16(share)) {
		return true, nil
	}
	got, err := d.cfg.Evaluator.Pseudonyms(ctx, [][]byte{pseudonym.CanaryIdentity()})
	if err != nil {
		return true, fmt.Errorf("canary: %w", err)
	}
	k := act.Canary{Epoch: view.OPRF.Epoch, Hash: pseudonym.CanaryHash(got[0])}
	if view.Canary.Epoch > 0 && view.Canary.Hash != k.Hash {
		return true, fmt.Errorf("canary: THE KEY ANSWERS OTHERWISE in epoch %d than in epoch %d: pseudonyms would change; submit nothing, and ask for help", k.Epoch, view.Canary.Epoch)
	}
	err = d.post(ctx, act.TypeCanary, k.Marshal())
	if isRefused(err) && d.cfg.Log.View().Canary.Epoch == k.Epoch {
		return false, nil // another holder was faster
	}
	return true, err
}
