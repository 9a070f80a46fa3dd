package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	logPath := flag.String("log", "prove.log", "file for all that the tests print")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := prove(ctx, flag.Args(), *logPath, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "prove:", err)
		os.Exit(1)
	}
}

// errUnproven says that the table names a proof that failed.
var errUnproven = errors.New("not everything is proven")

// prove runs the proofs whose name holds one of the words, all of them if there
// is none, and ends with a table.
func prove(ctx context.Context, words []string, logPath string, out io.Writer) (err error) {
	log, err := os.Create(logPath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	var results []*result
	for _, p := range chosen(words) {
		fmt.Fprintf(out, "== %s: %s\n", p.name, p.claim)
		r, err := run(ctx, p, out, log)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	if len(results) == 0 {
		return fmt.Errorf("no proof is called %s", strings.Join(words, " or "))
	}
	fmt.Fprintln(out)
	if !table(results, out) {
		return fmt.Errorf("%w: see %s", errUnproven, logPath)
	}
	return nil
}

func chosen(words []string) (list []proof) {
	for _, p := range proofs {
		wanted := len(words) == 0
		for _, w := range words {
			wanted = wanted || strings.Contains(p.name, w)
		}
		if wanted {
			list = append(list, p)
		}
	}
	return list
}

// table prints a line for each proof and reports whether all hold.
func table(results []*result, out io.Writer) bool {
	all := true
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROOF\tTESTS\tTOOK\tVERDICT\tLAST FIGURE")
	for _, r := range results {
		verdict, last := "holds", ""
		if why := r.verdict(); why != "" {
			verdict, all = why, false
		}
		if n := len(r.figures); n > 0 {
			last = r.figures[n-1]
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\n", r.name, len(r.tests), r.took.Round(time.Second), verdict, last)
	}
	_ = w.Flush()
	return all
}
