package mesh

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// A greeting is what a side says of itself before yamux starts. It is of fixed
// width because it is read from a peer's socket before anything else is known.
type greeting struct {
	process [16]byte // drawn when the process started
	count   uint64   // rises with each greeting of the process
}

const greetingSize = 16 + 8

// The answers to a greeting.
const (
	answerWelcome   = 0
	answerDuplicate = 1
	answerTwin      = 2
)

// errDuplicate reports that the peer prefers a session it already has.
var errDuplicate = errors.New("the peer has a session already")

// errToldTwin reports that the peer has met another instance of this node.
var errToldTwin = fmt.Errorf("the peer says of this node: %w", ErrTwin)

func (g greeting) append(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, g.process[:]...), g.count)
}

func readGreeting(r io.Reader) (g greeting, err error) {
	var b [greetingSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return g, fmt.Errorf("read greeting: %w", err)
	}
	copy(g.process[:], b[:16])
	g.count = binary.BigEndian.Uint64(b[16:])
	return g, nil
}

func (g greeting) answer(code byte) []byte { return g.append([]byte{code}) }

// readAnswer reads what the peer makes of our greeting.
func readAnswer(r io.Reader) (greeting, error) {
	var code [1]byte
	if _, err := io.ReadFull(r, code[:]); err != nil {
		return greeting{}, fmt.Errorf("read answer: %w", err)
	}
	g, err := readGreeting(r)
	switch {
	case err != nil:
		return greeting{}, err
	case code[0] == answerDuplicate:
		return greeting{}, errDuplicate
	case code[0] == answerTwin:
		return greeting{}, errToldTwin
	case code[0] != answerWelcome:
		return greeting{}, fmt.Errorf("%w: answer %d", ErrProtocol, code[0])
	}
	return g, nil
}

// A verdict says which of two sessions between the same nodes stays.
type verdict uint8

const (
	keepOld    verdict = iota // the new one goes
	preferNew                 // the old one lost a race: it may finish its streams
	replaceOld                // the old one is dead on the other side
)

// A link is what [judge] knows of a session.
type link struct {
	dialled bool      // by this node
	began   time.Time // before this node's part of the handshake
	peer    greeting  // what the peer said when it agreed to the session
}

// judge weighs two sessions with one peer. A node greets only while it has no
// session, and gives out its counts in that order. So a greeting counted after
// the one the old session began with says that the peer lost the old session;
// a greeting counted before it was under way when the old session began, and
// the two raced. A race goes to the node whose id sorts first, which the two
// sides decide alike.
func judge(self, peer NodeID, old, new link) verdict {
	sameProcess := old.peer.process == new.peer.process
	switch {
	case old.dialled == new.dialled:
		return replaceOld // a node dials one at a time: it gave the old one up
	case !new.dialled && (!sameProcess || new.peer.count > old.peer.count):
		return replaceOld
	case new.dialled && sameProcess && old.peer.count > new.peer.count:
		return keepOld // the peer came back before its welcome arrived
	case new.dialled == (self < peer):
		return preferNew
	}
	return keepOld
}
