package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// rivals are raresync, plain Raft and etcd beside each other.
type rivals struct {
	*bench
	dir      string
	raresync *network
	raw      *rawNetwork
	etcd     *etcd // nil if it is not installed
}

// windows measures the same work in each system, in turns.
func (b *bench) windows(ctx context.Context) (err error) {
	r := &rivals{bench: b, dir: filepath.Join(b.dir, "windows")}
	defer func() { err = errors.Join(err, discard(r, r.dir)) }()
	if err := r.start(ctx); err != nil {
		return err
	}
	for round := range b.rounds {
		b.note("round %d of %d", round+1, b.rounds)
		if err := r.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	if b.long == 0 {
		return nil
	}
	return r.longWindows(ctx)
}

func (r *rivals) close() error {
	var problems []error
	if r.etcd != nil {
		problems = append(problems, r.etcd.close())
	}
	if r.raw != nil {
		problems = append(problems, r.raw.close())
	}
	if r.raresync != nil {
		problems = append(problems, r.raresync.close())
	}
	return errors.Join(problems...)
}

func (r *rivals) start(ctx context.Context) (err error) {
	r.note("founding a network of %d hospitals, %d of which vote", hospitals, voters)
	if r.raresync, err = startNetwork(ctx, filepath.Join(r.dir, "raresync"), r.binary); err != nil {
		return err
	}
	if r.raw, err = startRaw(ctx, filepath.Join(r.dir, "raw")); err != nil {
		return err
	}
	r.etcd, err = startEtcd(ctx, filepath.Join(r.dir, "etcd"))
	if errors.Is(err, errNoEtcd) {
		r.results.Notes = append(r.results.Notes, "etcd is not installed: its rows are missing (Debian: etcd-server)")
		r.note("etcd is not installed and not measured")
		return nil
	}
	return err
}

// round gives each system one window, in another order each time.
func (r *rivals) round(ctx context.Context, round int) error {
	work, err := r.raresync.seal(r.envelopes)
	if err != nil {
		return err
	}
	turns := []func() error{
		func() error { return r.windowRaresync(ctx, "raresync", work, 0) },
		func() error { return r.windowRaw(ctx, "raw", work, 0) },
		func() error { return r.windowEtcd(ctx) },
	}
	for i := range turns {
		if err := turns[(i+round)%len(turns)](); err != nil {
			return err
		}
	}
	return r.oneClient(ctx)
}

// longWindows gives raresync and plain Raft a window each in which raresync
// takes a snapshot every 32 MiB. The envelopes are sealed before, more than
// there will be time for; plain Raft gets the same again and again.
func (r *rivals) longWindows(ctx context.Context) error {
	rate := median(r.results.values("raresync: rate"))
	count := int(rate * r.long.Seconds() * 1.2)
	r.note("sealing %d envelopes for windows of %s", count, r.long)
	work, err := r.raresync.seal(count)
	if err != nil {
		return err
	}
	r.note("long windows")
	if err := r.windowRaresync(ctx, "raresync, long", work, r.long); err != nil {
		return err
	}
	return r.windowRaw(ctx, "raw, long", work, r.long)
}

func (r *rivals) windowRaresync(ctx context.Context, name string, work [][][]byte, limit time.Duration) error {
	if err := r.raresync.aim(ctx); err != nil {
		return err
	}
	w, err := r.raresync.window(ctx, work, limit)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	lag, err := r.raresync.receiptLag(ctx, w.ended)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.results.window(name, w)
	r.results.add(name+": last commit to its receipt", "ms", ms(lag))
	return nil
}

func (r *rivals) windowRaw(ctx context.Context, name string, work [][][]byte, limit time.Duration) error {
	n := counts(work)
	if limit > 0 {
		for i := range n {
			n[i] = endless
		}
	}
	w, err := measureWindow(ctx, r.raw.pids(), n, limit, func(ctx context.Context, client, i int) error {
		return r.raw.submit(ctx, client, work[client][i%len(work[client])])
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.results.window(name, w)
	return nil
}

const (
	etcdPutters = 256
	etcdClients = 16
)

func (r *rivals) windowEtcd(ctx context.Context) error {
	if r.etcd == nil {
		return nil
	}
	for _, kind := range []struct {
		name                   string
		clients, values, bytes int
	}{
		{"etcd 512 B", etcdPutters, r.puts, 512},
		{"etcd 64 KiB", etcdClients, r.envelopes, 64 << 10},
	} {
		value := randomBytes(kind.bytes)
		w, err := measureWindow(ctx, r.etcd.pids(), spreadOver(kind.values, kind.clients), 0, func(ctx context.Context, client, _ int) error {
			return r.etcd.put(ctx, client, value)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		r.results.window(kind.name, w)
	}
	return nil
}

// oneClient measures from a submission to a verified checkpoint that covers
// it, one after the other.
func (r *rivals) oneClient(ctx context.Context) error {
	commits, receipts, err := r.raresync.oneClient(ctx, r.single)
	if err != nil {
		return fmt.Errorf("one client: %w", err)
	}
	r.results.latencies("one client: submit to commit", commits)
	r.results.latencies("one client: submit to receipt", receipts)
	return nil
}

// oneClient has one hospital commit so many envelopes and wait for the receipt of
// each before the next.
func (n *network) oneClient(ctx context.Context, count int) (commits, receipts []time.Duration, err error) {
	work, err := n.sealFor(0, count)
	if err != nil {
		return nil, nil, err
	}
	for _, raw := range work {
		began := time.Now()
		out, err := n.commit(ctx, 0, raw)
		if err != nil {
			return nil, nil, err
		}
		commits = append(commits, time.Since(began))
		if err := n.awaitReceipt(ctx, out.First+uint64(out.Count)); err != nil {
			return nil, nil, err
		}
		receipts = append(receipts, time.Since(began))
	}
	return commits, receipts, nil
}
