package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are the command line.
type options struct {
	binary      string // bin/raresync
	dir         string // for data; "" makes and removes one
	out         string // results file
	into        string // results file of an earlier run, which takes these as well; "" = none
	parts       []string
	rounds      int
	envelopes   int           // of one window, raresync and raw alike
	puts        int           // of one window of 512 B puts
	single      int           // envelopes of one client that waits for each receipt
	long        time.Duration // of the long windows; 0 = none
	entries     int           // of the loaded network
	singles     int           // envelopes of one entry for a mirror
	leaves      int           // of the large network
	restart     int           // times to restart, for each kind
	kills       int
	transfers   int
	withdrawals int
	still       time.Duration // of a round of idle
	count       int           // mirrors
	bursts      int           // of envelopes in a round of mirrors
	every       time.Duration // from burst to burst
	cases       int           // of backfill
}

func parseOptions(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.binary, "binary", "bin/raresync", "the program to measure")
	f.StringVar(&o.dir, "dir", "", "empty directory for the data; default: a temporary one beside the results, removed at the end")
	f.StringVar(&o.out, "out", "bench.json", "results file")
	f.StringVar(&o.into, "into", "", "results file of an earlier run that the figures of these parts are put into as well")
	list := f.String("parts", strings.Join(partNames(), ","), "what to measure")
	f.IntVar(&o.rounds, "rounds", 5, "rounds in which the systems take turns")
	f.IntVar(&o.envelopes, "envelopes", 2200, "envelopes of 64 KiB in a window")
	f.IntVar(&o.puts, "puts", 15_000, "512 B puts in a window")
	f.IntVar(&o.single, "single", 100, "envelopes of one client in a round")
	f.DurationVar(&o.long, "long", time.Minute, "length of the long windows; 0 = none")
	f.IntVar(&o.entries, "entries", 1_000_000, "entries for scale, mirror, failover and erasure")
	f.IntVar(&o.singles, "singles", 30_000, "envelopes of one entry for a mirror")
	f.IntVar(&o.leaves, "leaves", 10_000_000, "entries for large")
	f.IntVar(&o.restart, "restarts", 5, "times to restart, for each kind")
	f.IntVar(&o.kills, "kills", 60, "times to kill the leader")
	f.IntVar(&o.transfers, "transfers", 20, "times to stop the leader in good order")
	f.IntVar(&o.withdrawals, "withdrawals", 5, "times to withdraw entries")
	f.DurationVar(&o.still, "still", time.Minute, "length of a round of idle")
	f.IntVar(&o.count, "mirrors", 324, "mirrors, each a process of 30 to 80 MB")
	f.IntVar(&o.bursts, "bursts", 3, "bursts of envelopes in a round of mirrors")
	f.DurationVar(&o.every, "every", 20*time.Second, "from burst to burst of a round of mirrors, for they share the leader's cores")
	f.IntVar(&o.cases, "cases", benchCases, "cases for backfill, all are 780000; what all would take by fewer is told beside it")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if min(o.rounds, o.single, o.puts, o.singles, o.restart, o.count, o.bursts, o.cases/submitters) < 1 || o.envelopes < hospitals || o.leaves < largeEnvelope ||
		min(o.kills, o.transfers, o.withdrawals, o.entries) < 0 || o.long < 0 || o.still < time.Second {
		return o, errors.New("too few of something: every number counts from 1, envelopes from the hospitals")
	}
	if o.into == o.out {
		return o, fmt.Errorf("-into and -out are both %s: the earlier results would be lost", o.out)
	}
	o.parts, err = choose(*list)
	return o, err
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == rawNodeCommand {
		exit(runRawNode(os.Args[2]))
	}
	o, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		exit(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// write writes the results, and puts those of a run without a failure into an
// earlier run's.
func (b *bench) write(whole bool) error {
	err := b.results.write(b.out)
	if err != nil || b.into == "" || !whole {
		return err
	}
	earlier, err := readResults(b.into)
	if err != nil {
		return err
	}
	earlier.take(b.results, b.parts)
	return earlier.write(b.into)
}

// run measures everything in a directory of its own.
func run(ctx context.Context, o options) (err error) {
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp(filepath.Dir(o.out), "bench-data-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	b := &bench{options: o, results: newResults(o), began: time.Now()}
	defer func() { err = errors.Join(err, b.close()) }()
	problem := b.measure(ctx)
	b.results.Seconds = time.Since(b.began).Seconds()
	b.results.relate()
	b.results.print(os.Stdout)
	return errors.Join(problem, b.write(problem == nil))
}
