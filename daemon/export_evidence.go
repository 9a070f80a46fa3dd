package daemon

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/reads"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/export"
)

// evidenceTimeout bounds the wait for a checkpoint that covers the act.
const evidenceTimeout = 30 * time.Second

// fill says in the manifest which log the rows are of, and adds the evidence. A tree
// size of 0 is that of the checkpoint.
func (e *exporting) fill(ctx context.Context, size uint64, reading *reads.Reading) error {
	node, view := e.s.node, e.s.node.View()
	waiting, cancel := context.WithTimeout(ctx, evidenceTimeout)
	defer cancel()
	index, err := e.act(waiting, reading)
	if err != nil {
		return err
	}
	cp, err := node.WaitCheckpoint(waiting, max(index+1, size))
	if err != nil {
		return fmt.Errorf("no checkpoint covers the act: %w", err)
	}
	if size == 0 {
		size = cp.Size
	}
	leaf, proof, err := node.ReceiptUnder(cp, index)
	if err != nil {
		return err
	}
	proof.Extra = leaf
	root, err := node.Machine().RootAt(size)
	if err != nil {
		return err
	}
	steps, err := tlog.ConsistencyProof(node.Machine().Ledger(), size, cp.Size)
	if err != nil {
		return err
	}
	number, err := node.Machine().EnvelopeAt(index)
	if err != nil {
		return err
	}
	env, _, err := node.Machine().Envelope(number)
	if err != nil {
		return err
	}
	m := &e.manifest
	*m = export.Manifest{
		Version: export.Version, Network: view.Name, NetworkID: hex.EncodeToString(view.Network[:]), Reader: e.s.self.Institution,
		Name: institutionName(view, e.s.self.Institution), Day: chinaDay(uint64(e.s.clock().UnixMilli())),
		Purpose: e.in.Purpose, Recipient: e.in.Recipient, Dataset: e.in.Dataset, Form: e.in.Form, Question: e.question(),
		Size: size, Root: hex.EncodeToString(root[:]), Steps: []string{}, Act: index, Erased: []act.Span{}, Stopped: []act.Span{}, Tables: []export.Suppressed{}, Files: []export.File{},
	}
	for _, h := range steps {
		m.Steps = append(m.Steps, hex.EncodeToString(h[:]))
	}
	if m.Edition, err = e.edition(view, size); err != nil {
		return err
	}
	if m.Erased, err = e.erased(view, size); err != nil {
		return err
	}
	e.evidence(export.ActName, env.Marshal())
	e.evidence(export.ReceiptName, proof.Marshal())
	return nil
}

// act returns the index of the act of a reading, once this node's copy has it: a
// mirror's is behind.
func (e *exporting) act(ctx context.Context, reading *reads.Reading) (uint64, error) {
	for {
		seen := e.s.node.View().Envelopes
		index, found, err := reads.ActOf(e.s.node, e.s.self.Institution, reading.Hash())
		if err != nil || found {
			return index, err
		}
		if _, err := e.s.node.Wait(ctx, func(v *state.State) bool { return v.Envelopes > seen }); err != nil {
			return 0, fmt.Errorf("the act has not come to this node: %w", err)
		}
	}
}

func (e *exporting) evidence(name string, content []byte) {
	e.write[name] = func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

// question is what chose the rows.
func (e *exporting) question() map[string]string {
	q := map[string]string{"genetics": strconv.FormatBool(e.in.Genetics)}
	for key, v := range map[string]string{"disease": e.in.Disease, "province": e.in.Province, "from": e.in.From, "to": e.in.To} {
		if v != "" {
			q[key] = v
		}
	}
	if e.in.Hospital != 0 {
		q["hospital"] = strconv.FormatUint(uint64(e.in.Hospital), 10)
	}
	return q
}

// edition is the newest of the disease lists below a tree size.
func (e *exporting) edition(view *state.State, size uint64) (string, error) {
	name := view.Catalogue.Edition
	for _, added := range view.Editions {
		meta, err := e.s.node.Machine().Meta(added.Envelope)
		if err != nil {
			return "", err
		}
		if meta.First < size {
			name = added.Edition
		}
	}
	return name, nil
}

// erased lists the entries below a tree size that are withdrawn.
func (e *exporting) erased(view *state.State, size uint64) ([]act.Span, error) {
	out := []act.Span{}
	for _, claim := range view.Claims {
		own, err := e.s.node.Machine().OwnSpans(act.Withdrawal{Hospital: claim.Hospital, Entries: claim.Entries})
		if err != nil {
			return nil, err
		}
		for _, s := range own {
			if s.First < size {
				out = append(out, act.Span{First: s.First, Count: min(s.First+s.Count, size) - s.First})
			}
		}
	}
	slices.SortFunc(out, func(a, b act.Span) int { return cmp.Compare(a.First, b.First) })
	return out, nil
}
