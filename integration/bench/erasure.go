package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	withdrawnEntries = 100             // of one hospital, in one act
	calmTime         = 5 * time.Second // of commits before it, as long as a node may take
)

// erasure measures how long the voters take to erase what a hospital withdraws
// from all over the log, and what the others, who go on committing, notice of
// it. The voters' own hospitals declare each erasure in their sequences, which
// are theirs alone from then on: nothing else is measured on that network after.
func (b *bench) erasure(ctx context.Context) error {
	n, err := b.loaded(ctx)
	if err != nil {
		return err
	}
	for round := range b.withdrawals {
		b.note("withdrawal %d of %d", round+1, b.withdrawals)
		if err := b.withdraw(ctx, n, round); err != nil {
			return fmt.Errorf("withdrawal %d: %w", round+1, err)
		}
	}
	return nil
}

// withdraw has one of the hospitals without a process withdraw, each round
// another, while the rest of them commit.
func (b *bench) withdraw(ctx context.Context, n *network, round int) error {
	ctx, cancel := context.WithTimeout(ctx, faultTimeout)
	defer cancel()
	silent := n.silent()
	at := round % len(silent)
	owner, others := silent[at], append(silent[:at:at], silent[at+1:]...)
	if err := n.aim(ctx); err != nil {
		return err
	}
	spans, err := n.spread(owner.link.Hospital, withdrawnEntries)
	if err != nil {
		return err
	}
	logs, err := n.erasureLogs()
	if err != nil {
		return err
	}
	c := n.startCrowd(ctx, others)
	pause(ctx, calmTime)
	began := time.Now()
	err = n.postWithdrawal(ctx, owner, spans)
	if err == nil {
		err = b.awaitErased(ctx, logs)
	}
	ended := time.Now()
	commits, failed := c.stop()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	return b.notice(commits, began, ended)
}

// notice notes what the others' commits took during an erasure, and in as long a
// time before it. One that was under way when the act was sent is of the erasure.
func (b *bench) notice(commits []commit, began, ended time.Time) error {
	lasted := min(ended.Sub(began), calmTime)
	var before, during []time.Duration
	for _, c := range commits {
		took := c.done.Sub(c.sent)
		switch {
		case c.done.After(began) && c.sent.Before(ended):
			during = append(during, took)
		case c.done.Before(began) && c.done.After(began.Add(-lasted)):
			before = append(before, took)
		}
	}
	if len(before) == 0 || len(during) == 0 {
		return fmt.Errorf("%d commits before an erasure of %s and %d in it", len(before), lasted, len(during))
	}
	b.results.add("erasure: from the act to the last node", "ms", ms(ended.Sub(began)))
	b.results.latencies("before an erasure: others' commit", before)
	b.results.latencies("during an erasure: others' commit", during)
	return nil
}

// awaitErased waits until every voter has carried out the withdrawal, and notes
// what each says that it took.
func (b *bench) awaitErased(ctx context.Context, logs []*erasureLog) error {
	for _, l := range logs {
		e, err := l.await(ctx)
		if err != nil {
			return err
		}
		if e.entries != withdrawnEntries {
			return fmt.Errorf("%s has erased %d entries, want %d", l.process.Node, e.entries, withdrawnEntries)
		}
		b.results.add(erasureFigure, "ms", ms(e.took-e.snapshot))
		b.results.add("erasure: the snapshot before it", "ms", ms(e.snapshot))
	}
	return nil
}

// postWithdrawal commits the act by which a hospital withdraws entries.
func (n *network) postWithdrawal(ctx context.Context, owner *chain, spans []act.Span) error {
	a := act.Act{
		Version: act.Version, Type: act.TypeWithdrawal,
		Payload: act.Withdrawal{Hospital: owner.link.Hospital, Entries: spans}.Marshal(),
	}
	owner.link.SignedAt = uint64(time.Now().UnixMilli())
	e, err := envelope.BuildAct(owner.link, a.Marshal(), owner.key)
	if err != nil {
		return err
	}
	if _, err := n.commit(ctx, 0, e.Marshal()); err != nil {
		return err
	}
	owner.follow(e)
	return nil
}

// spread returns so many of a hospital's entries, as far apart as they are in
// the log.
func (n *network) spread(hospital uint32, count int) ([]act.Span, error) {
	own, err := entriesOf(n.process(n.leader()), hospital)
	if err != nil {
		return nil, err
	}
	if len(own) < count {
		return nil, fmt.Errorf("hospital %d has %d entries, want at least %d", hospital, len(own), count)
	}
	return apart(own, count), nil
}

// apart returns so many of the indexes, evenly; those beside each other are one
// span.
func apart(own []uint64, count int) (spans []act.Span) {
	for i := range count {
		index := own[i*len(own)/count]
		if last := len(spans) - 1; last >= 0 && spans[last].End() == index {
			spans[last].Count++
			continue
		}
		spans = append(spans, act.Span{First: index, Count: 1})
	}
	return spans
}

// entriesOf returns the indexes of a hospital's entries, by the leaves of a
// voter's copy.
func entriesOf(p *demo.Process, hospital uint32) (own []uint64, err error) {
	l, err := ledger.OpenReadOnly(filepath.Join(p.Dir, "node", "ledger"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	size := l.Lengths().TreeSize
	for first := uint64(0); first < size; first += ledger.MaxLeafRange {
		leaves, err := l.LeafRange(first, int(min(ledger.MaxLeafRange, size-first)))
		if err != nil {
			return nil, err
		}
		for i, raw := range leaves {
			leaf, err := envelope.ParseLeaf(raw)
			if err != nil {
				return nil, err
			}
			if leaf.Kind == envelope.KindEntries && leaf.Hospital == hospital {
				own = append(own, first+uint64(i))
			}
		}
	}
	return own, nil
}
