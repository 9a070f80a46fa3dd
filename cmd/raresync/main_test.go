package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestASignalEndsACommandThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		stuck := make(chan struct{})
		defer close(stuck)
		cancel()
		err := untilSignal(ctx, line{path: []string{"validate"}}, func() error {
			<-stuck
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

func TestACommandEndsItselfAfterASignal(t *testing.T) {
	own := errors.New("ended in order")
	for _, command := range []string{"validate", "serve", "demo"} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := untilSignal(ctx, line{path: []string{command}}, func() error { return own })
		if !errors.Is(err, own) {
			t.Errorf("%s: got %v, want %v", command, err, own)
		}
	}
}
