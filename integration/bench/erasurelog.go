package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
)

// erased is what a node's log says of an erasure.
type erased struct {
	entries        int
	took, snapshot time.Duration // all of it, and of that the snapshot before
}

// erasureLog is a node's log from a place on, where the next erasure will stand.
type erasureLog struct {
	process *demo.Process
	from    int64
}

// erasureLogs returns the voters' logs from where they end now.
func (n *network) erasureLogs() ([]*erasureLog, error) {
	var logs []*erasureLog
	for _, p := range n.procs {
		info, err := os.Stat(p.Log())
		if err != nil {
			return nil, err
		}
		logs = append(logs, &erasureLog{p, info.Size()})
	}
	return logs, nil
}

// await waits for the erasure.
func (l *erasureLog) await(ctx context.Context) (erased, error) {
	for {
		text, err := os.ReadFile(l.process.Log())
		if err != nil {
			return erased{}, err
		}
		if e, found, err := parseErased(text[l.from:]); found || err != nil {
			return e, err
		}
		if !pause(ctx, statusPause) {
			return erased{}, fmt.Errorf("%s has not erased: %w; see %s", l.process.Node, ctx.Err(), l.process.Log())
		}
	}
}

var erasedLine = regexp.MustCompile(`msg="erased what was withdrawn" entries=(\d+) .*\btook=(\S+) snapshot=(\S+)\n`)

// parseErased finds the first erasure in a log.
func parseErased(text []byte) (e erased, found bool, err error) {
	m := erasedLine.FindSubmatch(text)
	if m == nil {
		return e, false, nil
	}
	if e.entries, err = strconv.Atoi(string(m[1])); err != nil {
		return e, false, err
	}
	if e.took, err = time.ParseDuration(string(m[2])); err != nil {
		return e, false, err
	}
	e.snapshot, err = time.ParseDuration(string(m[3]))
	return e, err == nil, err
}
