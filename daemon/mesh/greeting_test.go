package mesh

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestJudge(t *testing.T) {
	at := func(dialled bool, process byte, count uint64) link {
		return link{dialled: dialled, peer: greeting{process: [16]byte{process}, count: count}}
	}
	const ours, theirs = true, false
	for name, tc := range map[string]struct {
		self, peer string
		old, new   link
		want       verdict
	}{
		"a race goes to the dial of the first node, seen by it as it accepts": {"a", "b", at(ours, 1, 5), at(theirs, 1, 4), keepOld},
		"a race goes to the dial of the first node, seen by it as it dials":   {"a", "b", at(theirs, 1, 4), at(ours, 1, 5), preferNew},
		"a race goes to the dial of the first node, seen by the other's dial": {"b", "a", at(theirs, 1, 4), at(ours, 1, 5), keepOld},
		"a race goes to the dial of the first node, accepted by the other":    {"b", "a", at(ours, 1, 5), at(theirs, 1, 4), preferNew},
		"a peer that lost our session and greets anew replaces it":            {"a", "b", at(ours, 1, 5), at(theirs, 1, 6), replaceOld},
		"a peer that restarted replaces our session":                          {"a", "b", at(ours, 1, 5), at(theirs, 2, 1), replaceOld},
		"a peer that dials again replaces its own session":                    {"a", "b", at(theirs, 1, 5), at(theirs, 1, 6), replaceOld},
		"a peer that restarted replaces its own session":                      {"b", "a", at(theirs, 1, 5), at(theirs, 2, 1), replaceOld},
		"a welcome overtaken by the peer's next greeting is stale":            {"a", "b", at(theirs, 1, 6), at(ours, 1, 5), keepOld},
		"a welcome from another process of the peer is judged as a race":      {"a", "b", at(theirs, 1, 6), at(ours, 2, 5), preferNew},
	} {
		t.Run(name, func(t *testing.T) {
			if got := judge(tc.self, tc.peer, tc.old, tc.new); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	g := greeting{process: [16]byte{1, 2, 3}, count: 77}
	for name, tc := range map[string]struct {
		bytes []byte
		want  error
	}{
		"welcome":            {g.answer(answerWelcome), nil},
		"duplicate":          {g.answer(answerDuplicate), errDuplicate},
		"twin":               {g.answer(answerTwin), ErrTwin},
		"unknown code":       {g.answer(3), ErrProtocol},
		"nothing":            {nil, io.EOF},
		"half an answer":     {g.answer(answerWelcome)[:12], io.ErrUnexpectedEOF},
		"a code and no more": {g.answer(answerWelcome)[:1], io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readAnswer(bytes.NewReader(tc.bytes))
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if err == nil && got != g {
				t.Errorf("got %v, want %v", got, g)
			}
		})
	}
}

// FuzzGreeting: what is read encodes back to the same bytes.
func FuzzGreeting(f *testing.F) {
	f.Add(greeting{}.append(nil))
	f.Add(greeting{process: [16]byte{255}, count: 1 << 63}.append(nil))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := readGreeting(bytes.NewReader(b))
		if err != nil {
			if len(b) >= greetingSize {
				t.Fatalf("%d bytes refused: %v", len(b), err)
			}
			return
		}
		if !bytes.Equal(g.append(nil), b[:greetingSize]) {
			t.Errorf("%x encodes to %x", b, g.append(nil))
		}
	})
}
