package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version is set by the linker; see the Makefile.
var version = "dev"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run executes one command line and returns its exit code.
func run(words []string, in io.Reader, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once

	app := newApp(in, out, errs)
	line, err := parse(app, words)
	if err == nil {
		err = untilSignal(ctx, line, func() error { return app.RunContext(ctx, line.argv()) })
	}
	return report(errs, err, line)
}

// signalGrace is how long a command may clean up after a signal.
const signalGrace = time.Second

// untilSignal runs a command. One that is stuck where no context reaches, as
// in reading a pipe that nobody writes, is left behind after a signal; those
// that keep a node running are not, since they end what they began.
func untilSignal(ctx context.Context, l line, command func() error) error {
	if len(l.path) > 0 && (l.path[0] == "serve" || l.path[0] == "demo") {
		return command()
	}
	done := make(chan error, 1)
	go func() { done <- command() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(signalGrace):
		return fmt.Errorf("interrupted: %w", ctx.Err())
	}
}
