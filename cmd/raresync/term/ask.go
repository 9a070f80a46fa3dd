package term

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	xterm "golang.org/x/term"
)

// ErrUnanswered reports a command that was interrupted at a question, before
// anything was decided.
var ErrUnanswered = errors.New("interrupted at a question")

// maxAnswerBytes bounds a line that a person types.
const maxAnswerBytes = 256

// Asker asks a person at a terminal.
type Asker struct {
	in  *os.File
	out io.Writer
}

// NewAsker returns an asker that reads from in and asks on out; ok is false if
// nobody can answer, since in is no terminal.
func NewAsker(in io.Reader, out io.Writer) (a *Asker, ok bool) {
	f, ok := in.(*os.File)
	if !ok || !xterm.IsTerminal(int(f.Fd())) {
		return nil, false
	}
	return &Asker{f, out}, true
}

// Line asks and returns the line that was typed, without spaces around it. If
// the context ends meanwhile, the error is [ErrUnanswered].
func (a *Asker) Line(ctx context.Context, question string) (string, error) {
	fmt.Fprint(a.out, Clean(question)+" ")
	return Answer(ctx, a.out, func() (string, error) { return readLine(a.in) })
}

// readLine reads to the end of a line and not a byte beyond: what follows answers
// the next question.
func readLine(in io.Reader) (string, error) {
	var line bytes.Buffer
	for one := make([]byte, 1); line.Len() < maxAnswerBytes; {
		n, err := in.Read(one)
		if n == 1 && one[0] == '\n' {
			return strings.TrimSpace(line.String()), nil
		}
		line.Write(one[:n])
		if err != nil {
			return "", fmt.Errorf("read the answer: %w", err)
		}
	}
	return "", fmt.Errorf("the answer is longer than %d bytes", maxAnswerBytes)
}

// Hidden asks as Line does and shows nothing of what is typed. If the context
// ends meanwhile, the terminal shows again what is typed.
func (a *Asker) Hidden(ctx context.Context, question string) (string, error) {
	fd := int(a.in.Fd())
	state, err := xterm.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("hide the answer: %w", err)
	}
	fmt.Fprint(a.out, Clean(question)+" ")
	line, err := Answer(ctx, a.out, func() (string, error) {
		line, err := xterm.ReadPassword(fd)
		return string(line), err
	})
	if errors.Is(err, ErrUnanswered) {
		_ = xterm.Restore(fd, state)
		return "", err
	}
	fmt.Fprintln(a.out)
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// Answer returns what read does, or [ErrUnanswered] once the context ends, on a
// line of its own: no context ends a read from a terminal, so that read is left
// behind, and the command is expected to end.
func Answer(ctx context.Context, out io.Writer, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := read()
		got <- answer{line, err}
	}()
	select {
	case a := <-got:
		return a.line, a.err
	case <-ctx.Done():
		fmt.Fprintln(out)
		return "", fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	}
}

// IsTerminal reports whether what is written to w is seen by a person at once.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && xterm.IsTerminal(int(f.Fd()))
}
