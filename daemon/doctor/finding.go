package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/mesh"
)

// Level says how bad a finding is.
type Level int

// The levels, from good to bad.
const (
	Good    Level = iota
	Unknown       // it could not be examined
	Warning       // the node runs, and somebody should look
	Failure       // the node does not run so, or is of no use
)

// String returns the level as a lower-case word.
func (l Level) String() string {
	return [...]string{"ok", "unknown", "warning", "failure"}[l]
}

// Text is the same in both languages.
type Text struct{ EN, ZH string }

// In returns the text in a language, "zh" or else English.
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// Finding is one thing found.
type Finding struct {
	Check string // what was examined, as "disk"
	Level Level
	Says  Text
	Fix   Text // what to do; empty if all is well
}

// Patient is the node to examine.
type Patient struct {
	Config config.Config
	Proxy  *mesh.Proxy // way out as configured; nil if it is direct
	Answer error       // of the daemon on its socket: nil if it runs
	Now    func() time.Time
}

// report collects findings.
type report struct {
	Patient
	found []Finding
}

func (r *report) add(level Level, check string, says, fix Text) {
	r.found = append(r.found, Finding{check, level, says, fix})
}

func (r *report) good(check, en, zh string, values ...any) {
	r.add(Good, check, say(en, zh, values...), Text{})
}

// say puts values into both forms.
func say(en, zh string, values ...any) Text {
	return Text{fmt.Sprintf(en, values...), fmt.Sprintf(zh, values...)}
}

// Examine looks at everything, in the order in which an operator would mend it.
func Examine(ctx context.Context, p Patient) []Finding {
	if p.Now == nil {
		p.Now = time.Now
	}
	r := &report{Patient: p}
	r.directory()
	r.disk()
	r.keys()
	r.inbox()
	r.page()
	r.console()
	nodes := r.network()
	r.daemon()
	r.clock()
	r.port()
	r.way(ctx, nodes)
	return r.found
}

// node is another one that this node is to reach.
type node struct {
	id        string
	key       sign.KeyID // of TLS; zero if it is not known
	addresses []string
}
