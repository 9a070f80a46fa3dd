package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// bench is one run.
type bench struct {
	options
	results  *results
	began    time.Time
	raresync *network
	raw      *rawNetwork
	etcd     *etcd // nil if it is not installed
}

func (b *bench) close() error {
	var problems []error
	if b.etcd != nil {
		problems = append(problems, b.etcd.close())
	}
	if b.raw != nil {
		problems = append(problems, b.raw.close())
	}
	if b.raresync != nil {
		problems = append(problems, b.raresync.close())
	}
	return errors.Join(problems...)
}

func (b *bench) measure(ctx context.Context) error {
	if err := b.start(ctx); err != nil {
		return err
	}
	for round := range b.rounds {
		b.note("round %d of %d", round+1, b.rounds)
		if err := b.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	if err := b.footprint(); err != nil {
		return err
	}
	return b.faults(ctx)
}

// note tells how far the run has come, on standard error.
func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%5.1f s  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

func (b *bench) start(ctx context.Context) (err error) {
	b.note("founding a network of %d hospitals, %d of which vote", hospitals, voters)
	if b.raresync, err = startNetwork(ctx, filepath.Join(b.dir, "raresync"), b.binary); err != nil {
		return err
	}
	if b.raw, err = startRaw(ctx, filepath.Join(b.dir, "raw")); err != nil {
		return err
	}
	b.etcd, err = startEtcd(ctx, filepath.Join(b.dir, "etcd"))
	if errors.Is(err, errNoEtcd) {
		b.results.Notes = append(b.results.Notes, "etcd is not installed: its rows are missing (Debian: etcd-server)")
		b.note("etcd is not installed and not measured")
		return nil
	}
	return err
}

// round gives each system one window, in another order each time.
func (b *bench) round(ctx context.Context, round int) error {
	work, err := b.raresync.seal(b.envelopes)
	if err != nil {
		return err
	}
	turns := []func(context.Context) error{
		func(ctx context.Context) error { return b.windowRaresync(ctx, work) },
		func(ctx context.Context) error { return b.windowRaw(ctx, work) },
		b.windowEtcd,
	}
	for i := range turns {
		if err := turns[(i+round)%len(turns)](ctx); err != nil {
			return err
		}
	}
	return b.oneClient(ctx)
}

func (b *bench) windowRaresync(ctx context.Context, work [][][]byte) error {
	if err := b.raresync.aim(ctx); err != nil {
		return err
	}
	w, err := measureWindow(ctx, b.raresync.pids(), counts(work), func(ctx context.Context, client, i int) error {
		out, err := b.raresync.submit(ctx, client, work[client][i])
		if err == nil && out.Refusal != nil {
			err = out.Refusal
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("raresync: %w", err)
	}
	lag, err := b.raresync.receiptLag(ctx, w.ended)
	if err != nil {
		return fmt.Errorf("raresync: %w", err)
	}
	b.results.window("raresync", w)
	b.results.add("raresync: last commit to its receipt", "ms", ms(lag))
	return nil
}

func (b *bench) windowRaw(ctx context.Context, work [][][]byte) error {
	w, err := measureWindow(ctx, b.raw.pids(), counts(work), func(ctx context.Context, client, i int) error {
		return b.raw.submit(ctx, client, work[client][i])
	})
	if err != nil {
		return fmt.Errorf("raw: %w", err)
	}
	b.results.window("raw", w)
	return nil
}

const (
	etcdPutters = 256
	etcdClients = 16
)

func (b *bench) windowEtcd(ctx context.Context) error {
	if b.etcd == nil {
		return nil
	}
	for _, kind := range []struct {
		name                   string
		clients, values, bytes int
	}{
		{"etcd 512 B", etcdPutters, b.puts, 512},
		{"etcd 64 KiB", etcdClients, b.envelopes, 64 << 10},
	} {
		value := randomBytes(kind.bytes)
		w, err := measureWindow(ctx, b.etcd.pids(), spreadOver(kind.values, kind.clients), func(ctx context.Context, client, _ int) error {
			return b.etcd.put(ctx, client, value)
		})
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		b.results.window(kind.name, w)
	}
	return nil
}

// oneClient measures from a submission to a verified checkpoint that covers
// it, one after the other.
func (b *bench) oneClient(ctx context.Context) error {
	work, err := b.raresync.sealFor(0, b.single)
	if err != nil {
		return err
	}
	var commits, receipts []time.Duration
	for _, raw := range work {
		began := time.Now()
		out, err := b.raresync.submit(ctx, 0, raw)
		if err == nil && out.Refusal != nil {
			err = out.Refusal
		}
		if err != nil {
			return fmt.Errorf("one client: %w", err)
		}
		commits = append(commits, time.Since(began))
		if err := b.raresync.awaitReceipt(ctx, out.First+uint64(out.Count)); err != nil {
			return fmt.Errorf("one client: %w", err)
		}
		receipts = append(receipts, time.Since(began))
	}
	b.results.latencies("one client: submit to commit", commits)
	b.results.latencies("one client: submit to receipt", receipts)
	return nil
}
