package term

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	xterm "golang.org/x/term"
)

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

// Line asks and returns the line that was typed, without spaces around it.
func (a *Asker) Line(question string) (string, error) {
	fmt.Fprint(a.out, Clean(question)+" ")
	var line bytes.Buffer
	for one := make([]byte, 1); line.Len() < maxAnswerBytes; {
		n, err := a.in.Read(one)
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
	stop := context.AfterFunc(ctx, func() { _ = xterm.Restore(fd, state) })
	defer stop()
	fmt.Fprint(a.out, Clean(question)+" ")
	line, err := xterm.ReadPassword(fd)
	fmt.Fprintln(a.out)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	return strings.TrimSpace(string(line)), nil
}
