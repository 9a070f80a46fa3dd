package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/evaluation"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/outbox"
	"github.com/raresync/raresync/daemon/peer"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/registry/catalog"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/generate"
	documents "github.com/raresync/raresync/registry/identity"
)

// submitter is a hospital of this program that takes files as a daemon does.
type submitter struct {
	*newcomer
	peers *peer.Client // the hospital's own sessions
}

// group is hospitals that share patients, one in ten, and how many cases they have.
type group struct {
	seed    uint64
	members []*submitter
	cases   int
}

const groupSize = 4

// groupsOf divides hospitals and cases.
func groupsOf(all []*submitter, cases int) (groups []group) {
	for members := range slices.Chunk(all, groupSize) {
		groups = append(groups, group{seed: uint64(len(groups) + 1), members: members})
	}
	for i, count := range spreadOver(cases, len(groups)) {
		groups[i].cases = count
	}
	return groups
}

// files makes up the group's cases, by member.
func (g group) files() [][]intake.File {
	out := make([][]intake.File, len(g.members))
	made := 0
	for f := range generate.Files(generate.Options{
		Seed: g.seed, Hospitals: len(g.members), Patients: g.cases, Today: entry.DateOf(time.Now()), Catalog: catalog.Current(),
	}) {
		if made == g.cases {
			break
		}
		made++
		subject := f.Name[:len(f.Name)-len(".json")]
		out[f.Hospital] = append(out[f.Hospital], intake.File{Name: f.Name, Data: f.Raw, Identities: map[string]documents.Document{
			subject: {Type: documents.RIC, Value: f.ResidentID},
		}})
	}
	return out
}

// submit takes all cases of the group to their receipts.
func (g group) submit(ctx context.Context, node *consensus.Node, dir string) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	problems := make([]error, len(g.members))
	var hospitals sync.WaitGroup
	for i, files := range g.files() {
		hospitals.Go(func() {
			s := g.members[i]
			if err := s.submit(ctx, node, filepath.Join(dir, s.card.Nodes[0].ID), files); err != nil {
				problems[i] = fmt.Errorf("hospital %d: %w", s.number, err)
			}
		})
	}
	hospitals.Wait()
	return errors.Join(problems...)
}

// submit takes a hospital's files in one go and waits for the last receipt.
func (s *submitter) submit(ctx context.Context, node *consensus.Node, dir string, files []intake.File) (err error) {
	box, err := outbox.Open(outbox.Config{
		Dir: dir, Hospital: s.number, Key: func(*state.State) *sign.PrivateKey { return s.envelope },
		Sealing: func() []*seal.ReaderPrivate { return []*seal.ReaderPrivate{s.sealing} },
		Log:     node, Copy: node.Machine(), EntryID: idOf, Logger: quiet(), Now: time.Now,
	})
	if err != nil {
		return err
	}
	asked, err := quota.OpenAsked(filepath.Join(dir, "asked"))
	if err != nil {
		return errors.Join(err, box.Close())
	}
	e := evaluation.New(evaluation.Config{
		Node: node, Hospital: s.number, Request: s.request, Asked: asked, Asker: s.peers, Poster: box, Logger: quiet(),
		Share: func(uint32) *keyshare.Share { return nil },
	})
	defer e.Close()
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- box.Run(running) }()
	defer func() {
		stop()
		err = errors.Join(err, <-ended, box.Close())
	}()
	in := intake.New(intake.Config{
		Pseudonymiser: e, Outbox: box, EntryID: [32]byte(randomBytes(32)), Local: [32]byte(randomBytes(32)), Now: time.Now,
	})
	results, err := in.Take(ctx, files, 0)
	if err != nil {
		return err
	}
	last, err := lastSequence(results)
	if err != nil {
		return err
	}
	_, err = box.WaitReceipt(ctx, last)
	return err
}

// lastSequence returns the last envelope of files that were all accepted.
func lastSequence(results []intake.Result) (last uint64, err error) {
	for _, r := range results {
		if r.Outcome != intake.Accepted {
			return 0, fmt.Errorf("a made-up file is %s: %v", r.Outcome, r.Findings)
		}
		for _, taken := range r.Entries {
			last = max(last, taken.Sequence)
		}
	}
	if last == 0 {
		return 0, errors.New("no envelope was made")
	}
	return last, nil
}

func idOf(cbor []byte) ([32]byte, error) {
	e, err := entry.Decode(cbor)
	return e.ID, err
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
