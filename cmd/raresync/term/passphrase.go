package term

import (
	"errors"
	"fmt"
	"io"
	"os"

	xterm "golang.org/x/term"
)

// ErrNoTerminal reports that there is nobody to type a passphrase.
var ErrNoTerminal = errors.New("no terminal to type a passphrase at")

// ReadPassphrase asks for a passphrase, which is not shown as it is typed. It
// fails with ErrNoTerminal if in is not a terminal.
func ReadPassphrase(in io.Reader, out io.Writer, prompt string) (string, error) {
	f, ok := in.(*os.File)
	if !ok || !xterm.IsTerminal(int(f.Fd())) {
		return "", ErrNoTerminal
	}
	fmt.Fprint(out, Clean(prompt))
	typed, err := xterm.ReadPassword(int(f.Fd()))
	fmt.Fprintln(out)
	if err != nil {
		return "", fmt.Errorf("read passphrase: %w", err)
	}
	return string(typed), nil
}
