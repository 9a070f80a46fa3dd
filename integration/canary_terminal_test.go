package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/registry/identity"
)

// terminal is one that a person sits at: what is written to it is typed, and
// what is shown on it is kept.
type terminal struct {
	keys     *os.File // the person's side
	screen   *os.File // the program's side
	answered int      // bytes of what was shown when a question was answered last

	mu    sync.Mutex // guards what follows
	shown bytes.Buffer
}

func openTerminal() (*terminal, error) {
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	fd := int(keys.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		return nil, errors.Join(err, keys.Close())
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, errors.Join(err, keys.Close())
	}
	t := &terminal{keys: keys, screen: screen}
	return t, nil
}

// watch keeps what is shown until the program's side is closed.
func (t *terminal) watch() {
	b := make([]byte, 4096)
	for {
		n, err := t.keys.Read(b)
		if err != nil {
			return
		}
		t.mu.Lock()
		t.shown.Write(b[:n])
		t.mu.Unlock()
	}
}

func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.shown.String()
}

// hides reports whether what is typed is not shown.
func (t *terminal) hides() bool {
	state, err := unix.IoctlGetTermios(int(t.screen.Fd()), unix.TCGETS)
	return err == nil && state.Lflag&unix.ECHO == 0
}

// typed runs a command at a terminal and types the documents of patients as it
// asks for them. A number is typed once nothing shows what is typed, and again
// where it is asked for again.
func (w *canaryWorld) typed(p *demo.Process, patients []*canaryPatient, words ...string) {
	w.t.Helper()
	cmd := exec.Command(w.Binary, append(words, "-c", p.Config())...)
	cmd.Env, cmd.Dir = append(os.Environ(), "TMPDIR="+w.temp(p), "NO_COLOR=1"), w.temp(p)
	var prompts []prompt
	for _, one := range patients {
		prompts = append(prompts, asked(one.document)...)
	}
	shown, err := atTerminal(w.ctx, cmd, prompts)
	w.keep(p, "a terminal with raresync "+strings.Join(words, " "), []byte(shown))
	if err != nil {
		w.t.Errorf("raresync %s at a terminal at %s: %v: %s", strings.Join(words, " "), p.Node, err, shown)
	}
}

// atTerminal runs a command at a terminal, answers its questions, and returns what
// was shown.
func atTerminal(ctx context.Context, cmd *exec.Cmd, prompts []prompt) (shown string, err error) {
	t, err := openTerminal()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, typingTime)
	defer cancel()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.screen, t.screen, t.screen
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		return "", errors.Join(err, t.screen.Close(), t.keys.Close())
	}
	var watching sync.WaitGroup
	watching.Go(t.watch)
	err = t.answer(ctx, prompts)
	if err != nil {
		err = errors.Join(err, cmd.Process.Kill())
	}
	err = errors.Join(err, cmd.Wait(), t.screen.Close())
	watching.Wait() // the last end of the program's side is closed
	return t.text(), errors.Join(err, t.keys.Close())
}

// typingTime is how long a command at a terminal may take.
const typingTime = 20 * time.Second

// prompt is a question and what is typed then.
type prompt struct {
	question, answer string
	hidden           bool
}

// asked are the questions after a document: its type, its issuer where there is one,
// and its number, twice unless it has a check digit.
func asked(d identity.Document) []prompt {
	prompts := []prompt{{"type (", string(d.Type), false}, {"Number (not shown)", d.Value, true}}
	switch d.Type {
	case identity.PP:
		prompts = slices.Insert(prompts, 1, prompt{"Country", d.Issuer, false})
	case identity.LOCAL:
		prompts = slices.Insert(prompts, 1, prompt{"Number series", "", false})
	}
	if d.Type != identity.RIC {
		prompts = append(prompts, prompt{"once more", d.Value, true})
	}
	return prompts
}

// answer types each answer once its question stands there.
func (t *terminal) answer(ctx context.Context, prompts []prompt) error {
	for _, p := range prompts {
		err := poll(ctx, func() error {
			text := t.text()
			if !strings.Contains(text[t.answered:], p.question) || p.hidden != t.hides() {
				return fmt.Errorf("it does not ask %q", p.question)
			}
			t.answered = len(text)
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(t.keys, p.answer); err != nil {
			return err
		}
	}
	return nil
}
