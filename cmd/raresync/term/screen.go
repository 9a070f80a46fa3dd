package term

import (
	"io"
	"os"
	"sync"
	"time"

	xterm "golang.org/x/term"
)

const (
	eraseLine = "\r\x1b[K"
	green     = "\x1b[32m"
	red       = "\x1b[31m"
	plain     = "\x1b[0m"
)

// Screen prints the steps and the progress of a command, normally to standard
// error. Every text is one line and is cleaned as by [Clean]. Writing is best
// effort: a closed standard error does not stop the command.
type Screen struct {
	// Fixed by NewScreen.
	w     io.Writer
	live  bool       // w is a terminal: a line may be redrawn
	color bool       // w shows colour
	cells func() int // width of the terminal; used when live

	mu   sync.Mutex
	open bool // guarded by mu: the last line on a live screen is unfinished
}

// NewScreen looks at w and at the environment variables TERM and NO_COLOR to
// decide what w can show.
func NewScreen(w io.Writer) *Screen {
	s := &Screen{w: w}
	if f, ok := w.(*os.File); ok && xterm.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		s.live = true
		s.color = os.Getenv("NO_COLOR") == ""
		s.cells = func() int {
			cells, _, err := xterm.GetSize(int(f.Fd()))
			if err != nil || cells <= 0 {
				return 80
			}
			return cells
		}
	}
	return s
}

// Done prints a step that succeeded: ✓ text.
func (s *Screen) Done(text string) { s.line(s.paint(green, "✓") + " " + Clean(text)) }

// Failed prints a step that did not: ✗ text.
func (s *Screen) Failed(text string) { s.line(s.paint(red, "✗") + " " + Clean(text)) }

// Note prints a line that belongs to the step above it.
func (s *Screen) Note(text string) { s.line("  " + Clean(text)) }

// Step runs do and prints how it ended, with the time it took if that was a
// second or more. On a terminal the text stands there while do runs. The
// error of do is returned as it is; printing it is the caller's.
func (s *Screen) Step(text string, do func() error) error {
	start := time.Now()
	s.draw("· " + Clean(text))
	err := do()
	if took := time.Since(start).Round(100 * time.Millisecond); took >= time.Second {
		text += " (" + took.String() + ")"
	}
	if err != nil {
		s.Failed(text)
		return err
	}
	s.Done(text)
	return nil
}

func (s *Screen) paint(color, text string) string {
	if !s.color {
		return text
	}
	return color + text + plain
}

// line finishes whatever line is being drawn and prints text on one of its own.
func (s *Screen) line(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		text = eraseLine + text
		s.open = false
	}
	io.WriteString(s.w, text+"\n")
}

// draw shows text in place of the unfinished line. It does nothing on a
// screen that is not live. The text is cut to the terminal's width: a line
// that wrapped could not be erased.
func (s *Screen) draw(text string) {
	if !s.live {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = true
	io.WriteString(s.w, eraseLine+cut(text, s.cells()-1))
}
