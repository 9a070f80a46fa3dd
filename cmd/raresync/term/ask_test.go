package term

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

func TestAQuestionThatIsInterruptedDecidesNothing(t *testing.T) {
	in, typist := io.Pipe()
	defer typist.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	var screen bytes.Buffer
	asked := make(chan struct{})
	go func() {
		<-asked
		interrupt()
	}()
	line, err := Answer(ctx, &screen, func() (string, error) {
		close(asked)
		return readLine(in)
	})
	if line != "" || !errors.Is(err, ErrUnanswered) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %q, %v; want no answer, ErrUnanswered for a cancelled context", line, err)
	}
	if screen.String() != "\n" {
		t.Errorf("the screen got %q; want the end of the question's line", screen.String())
	}
}

func TestAnAnswerIsReadToTheEndOfItsLine(t *testing.T) {
	in := bytes.NewBufferString(" yes \nthe next")
	line, err := Answer(t.Context(), io.Discard, func() (string, error) { return readLine(in) })
	if line != "yes" || err != nil || in.String() != "the next" {
		t.Errorf("got %q, %v, and %q is left; want yes, and the next line", line, err, in.String())
	}
	if _, err := Answer(t.Context(), io.Discard, func() (string, error) { return readLine(in) }); !errors.Is(err, io.EOF) {
		t.Errorf("an unfinished line gave %v, want io.EOF", err)
	}
}
