package term

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// liveScreen is a screen as on a terminal of the given width.
func liveScreen(b *strings.Builder, cells int) *Screen {
	return &Screen{w: b, live: true, color: true, cells: func() int { return cells }}
}

func TestStepsInAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		s := NewScreen(&b)
		failure := errors.New("no majority")
		if err := s.Step("genesis written", func() error { return nil }); err != nil {
			t.Errorf("a step that works returned %v", err)
		}
		if err := s.Step("leader elected", func() error { time.Sleep(2300 * time.Millisecond); return failure }); err != failure {
			t.Errorf("a step that fails returned %v, want %v", err, failure)
		}
		s.Note("node n2 \x1b[2J")
		s.Done("checkpoint verified")
		want := "✓ genesis written\n✗ leader elected (2.3s)\n  node n2 \\x1b[2J\n✓ checkpoint verified\n"
		if b.String() != want {
			t.Errorf("got\n%q\nwant\n%q", b.String(), want)
		}
	})
}

func TestStepsOnATerminal(t *testing.T) {
	var b strings.Builder
	s := liveScreen(&b, 9)
	if err := s.Step("选出领导节点", func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	s.Failed("x")
	want := eraseLine + "· 选出领" + eraseLine + green + "✓" + plain + " 选出领导节点\n" + red + "✗" + plain + " x\n"
	if b.String() != want {
		t.Errorf("got\n%q\nwant\n%q", b.String(), want)
	}
}

func TestProgressInAFileIsOccasional(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		p := NewScreen(&b).Progress("verifying leaves", 400)
		for range 250 {
			p.Add(1)
			time.Sleep(50 * time.Millisecond)
		}
		p.Close()
		want := "verifying leaves: 201/400 (50%), 10s\nverifying leaves: 250/400 (62%), 13s\n"
		if b.String() != want {
			t.Errorf("got\n%q\nwant\n%q", b.String(), want)
		}
	})
}

func TestProgressOnATerminalRedrawsItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b strings.Builder
		s := liveScreen(&b, 40)
		p := s.Progress("pulling", 0)
		p.Add(5) // too soon to be drawn
		time.Sleep(liveInterval)
		p.Add(5)
		s.Note("a line between")
		time.Sleep(time.Second)
		p.Add(1)
		p.Close()
		want := eraseLine + "pulling: 0, 0s" + eraseLine + "pulling: 10, 0s" +
			eraseLine + "  a line between\n" +
			eraseLine + "pulling: 11, 1s" + eraseLine + "pulling: 11, 1s\n"
		if b.String() != want {
			t.Errorf("got\n%q\nwant\n%q", b.String(), want)
		}
	})
}

func TestProgressCountsFromSeveralGoroutines(t *testing.T) {
	var b strings.Builder
	s := liveScreen(&b, 80)
	p := s.Progress("pulling", 4000)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				p.Add(1)
			}
			s.Done("one of four")
		})
	}
	wg.Wait()
	p.Close()
	if !strings.Contains(b.String(), "pulling: 4000/4000 (100%)") {
		t.Errorf("the last line does not count all: %q", b.String())
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "stderr")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if s := NewScreen(f); s.live || s.color {
		t.Errorf("NewScreen of a file: live %v, color %v; want neither", s.live, s.color)
	}
}
