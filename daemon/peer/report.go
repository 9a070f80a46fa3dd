package peer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/raresync/raresync/crypto/cbor"
)

const (
	maxReportBytes  = 4 << 10
	maxNetworkBytes = 1 << 20
	maxHeard        = 4096
	maxName         = 32  // of a node
	maxVersion      = 64  // of a program
	maxWhy          = 512 // bytes of a reason

	maxAgo = 1 << 43 // ms: 278 years

	reportFields = 12
)

// Report is what a node says of itself, for people to look at. Nothing is decided
// by it: it may lie.
type Report struct {
	Node       string
	Version    string // of the program
	Supports   uint64 // feature level
	Leader     string // whom it follows; "" if it knows none, as a mirror
	Via        string // of a mirror: the peer that answered last
	Term       uint64
	Size       uint64 // of its tree
	Checkpoint uint64 // size of its newest checkpoint
	Cosigned   uint64 // size of the tree that it cosigned last; 0 = none
	Ready      bool
	Why, WhyZH string // why it is not
}

// Heard is what one node knows of another.
type Heard struct {
	Node    string
	Reached bool          // it answers now, or at least has a session
	Ago     time.Duration // how long it has not been heard, in whole milliseconds; 0 if it is reached
	Never   bool          // not since this node started, which Ago says
	Report  *Report       // of one that is reached; nil if it has no answer to that
}

// Teller tells of nodes: this one, and those that it hears.
type Teller interface {
	// Report returns where this node stands.
	Report() Report
	// Heard returns what this node knows of all others.
	Heard(ctx context.Context) []Heard
}

// Report asks a node where it stands.
func (c *Client) Report(ctx context.Context, node string) (Report, error) {
	answer, err := c.ask(ctx, "GET", node, "/v1/node", nil, maxReportBytes)
	if err != nil {
		return Report{}, err
	}
	r, err := decodeReport(answer)
	if err == nil && r.Node != node {
		err = fmt.Errorf("%s calls itself %q", node, r.Node)
	}
	return r, err
}

// Heard asks a node what it knows of all others.
func (c *Client) Heard(ctx context.Context, node string) ([]Heard, error) {
	answer, err := c.ask(ctx, "GET", node, "/v1/heard", nil, maxNetworkBytes)
	if err != nil {
		return nil, err
	}
	return decodeHeard(answer)
}

var errTellsNothing = errors.New("this node tells nothing of itself")

func (h *Handler) report(context.Context, request) ([]byte, error) {
	if h.Teller == nil {
		return nil, errTellsNothing
	}
	return appendReport(nil, h.Teller.Report()), nil
}

func (h *Handler) heard(ctx context.Context, _ request) ([]byte, error) {
	if h.Teller == nil {
		return nil, errTellsNothing
	}
	return appendHeard(nil, h.Teller.Heard(ctx)), nil
}

// short cuts a text to what others read.
func short(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	runes := []rune(s)
	for len(string(runes)) > limit {
		runes = runes[:len(runes)-1]
	}
	return string(runes)
}

func appendReport(b []byte, r Report) []byte {
	b = cbor.AppendArray(b, reportFields)
	b = cbor.AppendText(b, r.Node)
	b = cbor.AppendText(b, short(r.Version, maxVersion))
	b = cbor.AppendUint(b, r.Supports)
	b = cbor.AppendText(b, r.Leader)
	b = cbor.AppendText(b, r.Via)
	b = cbor.AppendUint(b, r.Term)
	b = cbor.AppendUint(b, r.Size)
	b = cbor.AppendUint(b, r.Checkpoint)
	b = cbor.AppendUint(b, r.Cosigned)
	b = cbor.AppendBool(b, r.Ready)
	b = cbor.AppendText(b, short(r.Why, maxWhy))
	return cbor.AppendText(b, short(r.WhyZH, maxWhy))
}

func readReport(d *cbor.Decoder) (r Report) {
	r.Node = d.Text(maxName)
	r.Version = d.Text(maxVersion)
	r.Supports = d.Uint()
	r.Leader = d.Text(maxName)
	r.Via = d.Text(maxName)
	r.Term = d.Uint()
	r.Size = d.Uint()
	r.Checkpoint = d.Uint()
	r.Cosigned = d.Uint()
	r.Ready = d.Bool()
	r.Why = d.Text(maxWhy)
	r.WhyZH = d.Text(maxWhy)
	return r
}

func decodeReport(raw []byte) (Report, error) {
	d := cbor.NewDecoder(raw)
	d.Array(reportFields)
	r := readReport(d)
	if err := d.Done(); err != nil {
		return Report{}, fmt.Errorf("report: %w", err)
	}
	return r, nil
}

func appendHeard(b []byte, list []Heard) []byte {
	list = list[:min(len(list), maxHeard)]
	b = slices.Grow(b, 128*len(list))
	b = cbor.AppendArray(b, len(list))
	for _, h := range list {
		b = cbor.AppendArray(b, 5)
		b = cbor.AppendText(b, h.Node)
		b = cbor.AppendBool(b, h.Reached)
		b = cbor.AppendUint(b, uint64(h.Ago.Milliseconds()))
		b = cbor.AppendBool(b, h.Never)
		if h.Report == nil {
			b = cbor.AppendArray(b, 0)
			continue
		}
		b = appendReport(b, *h.Report)
	}
	return b
}

func decodeHeard(raw []byte) ([]Heard, error) {
	d := cbor.NewDecoder(raw)
	list := make([]Heard, d.ArrayMax(min(maxHeard, len(raw)/5))) // a row has 5 bytes at least
	for i := range list {
		h := &list[i]
		d.Array(5)
		h.Node = d.Text(maxName)
		h.Reached = d.Bool()
		h.Ago = time.Duration(d.UintMax(maxAgo)) * time.Millisecond
		h.Never = d.Bool()
		switch d.ArrayMax(reportFields) {
		case 0:
		case reportFields:
			r := readReport(d)
			h.Report = &r
		default:
			d.Fail("a report is an array of %d, or empty", reportFields)
		}
	}
	if err := d.Done(); err != nil {
		return nil, fmt.Errorf("heard: %w", err)
	}
	return list, nil
}
