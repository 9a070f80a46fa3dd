package integration

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/raresync/raresync/cmd/raresync/demo"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// TestBadInput gives a running network what a careless clerk, a broken export
// and a member with a forged program would.
func TestBadInput(t *testing.T) {
	t.Parallel()
	n := newNetwork(t, 4, 3)
	n.register(madeUpVisits(t, 24, 4))
	n.converge()
	t.Run("files", func(t *testing.T) { n.badFiles(t) })
	g := newGuest(t, n, n.Hospitals[3])
	t.Run("envelopes are refused alike by every voter and through a mirror", g.badEnvelopes)
	t.Run("a flipped bit anywhere is refused alike", g.flippedBits)
	t.Run("the same envelope again gets its first place", g.resent)
	t.Run("a reader accuses the sender of an envelope copied from another hospital", g.copied)
	g.leave()
	t.Run("the hospital goes on from where the log is", func(t *testing.T) {
		n := n.with(t)
		must(t, n.Hospitals[3].Start())
		more := madeUpVisits(t, 48, 4)[30:]
		n.register(more)
		n.converge()
		for _, v := range more {
			if v.result.Outcome != "accepted" {
				t.Errorf("%s: %s %v", v.file.Name, v.result.Outcome, v.result.Findings)
			}
		}
	})
}

// badFiles hands in what is no phenopacket, alone and beside a good file, and
// watches the daemon's memory.
func (n *network) badFiles(t *testing.T) {
	n = n.with(t)
	p := n.Hospitals[0]
	good := madeUpVisits(t, 30, 1)[29].file
	large := append(bytes.TrimRight(good.Data, "}\n"), `,"padding":"`+strings.Repeat("x", 17<<20)+`"}`...)
	before := memory(t, p, "VmRSS")
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":                       {nil, "PP002"},
		"not JSON":                      {[]byte("patient;diagnosis\n"), "PP002"},
		"not a phenopacket":             {[]byte(`{"resourceType":"Patient","id":"example"}`), "PP002"},
		"JSON that ends in the middle":  {good.Data[:len(good.Data)/2], "PP002"},
		"lists 10,000 deep":             {[]byte(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), "PP002"},
		"objects 10,000 deep":           {[]byte(strings.Repeat(`{"subject":`, 10_000) + "1" + strings.Repeat("}", 10_000)), "PP002"},
		"text that is not UTF-8":        {[]byte("{\"id\":\"\xc5\xb7\xd1\xf4\"}"), "FM001"},
		"a file of 17 MiB":              {large, "FM005"},
		"a phenopacket without subject": {[]byte(`{"id":"a","metaData":{"created":"2023-01-01T00:00:00Z","phenopacketSchemaVersion":"2.0"}}`), "PP001"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := p.Client.Submit(n.ctx, admin.Submission{Wait: true, Files: []admin.File{{Name: "bad.json", Data: tc.data}}})
			must(t, err)
			if r.Files[0].Outcome != "refused" || refusal(t, visit{file: good, result: r.Files[0]}) != tc.want {
				t.Errorf("%s %v, want refused by %s", r.Files[0].Outcome, r.Files[0].Findings, tc.want)
			}
		})
	}
	t.Run("a submission of 48 MiB", func(t *testing.T) {
		_, err := p.Client.Submit(n.ctx, admin.Submission{Files: []admin.File{{Name: "bad.json", Data: make([]byte, 36<<20)}}})
		var problem *admin.Problem
		if !errors.As(err, &problem) || problem.Status != 400 && problem.Status != 413 {
			t.Errorf("got %v, want a named problem", err)
		}
	})
	t.Run("a good file beside a bad one", func(t *testing.T) {
		r, err := p.Client.Submit(n.ctx, admin.Submission{Wait: true, Files: []admin.File{{Name: "bad.json", Data: []byte("{")}, good}})
		must(t, err)
		if r.Files[0].Outcome != "refused" || r.Files[1].Outcome != "accepted" || !r.Files[1].Entries[0].Receipt {
			t.Errorf("got %+v", r.Files)
		}
	})
	const bound = 200 << 10 // KiB
	after, peak := memory(t, p, "VmRSS"), memory(t, p, "VmHWM")
	t.Logf("memory in KiB: %d before, %d after, %d at most", before, after, peak)
	if after > before+bound || peak > before+bound {
		t.Errorf("memory grew from %d KiB to %d, at most %d", before, after, peak)
	}
}

// memory reads a figure of a process, in KiB.
func memory(t *testing.T, p *demo.Process, key string) int {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	must(t, err)
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			must(t, err)
			return kib
		}
	}
	t.Fatalf("no %s for process %d", key, p.PID())
	return 0
}

func (g *guest) badEnvelopes(t *testing.T) {
	g = g.with(t)
	size := g.n.converged()
	good := g.build(t, g.link(), g.keys.Envelope)
	linked := func(change func(*envelope.Link)) []byte {
		l := g.link()
		change(&l)
		return g.build(t, l, g.keys.Envelope).Marshal()
	}
	sig, zeros := good.Signature, make([]byte, len(good.Signature.MLDSA))
	for name, tc := range map[string]struct {
		raw  []byte
		want state.Code
	}{
		"not an envelope":                      {[]byte("PID|1||12345"), state.CodeEncoding},
		"cut short":                            {good.Marshal()[:len(good.Marshal())/2], state.CodeEncoding},
		"one byte too many":                    {append(bytes.Clone(good.Marshal()), 0), state.CodeEncoding},
		"larger than an envelope may be":       {make([]byte, envelope.MaxBytes+1), state.CodeSize},
		"signed with another hospital's key":   {g.build(t, g.link(), g.stolen.Envelope).Marshal(), state.CodeKey},
		"in another hospital's name":           {linked(func(l *envelope.Link) { l.Hospital, l.Sequence = 1, l.Sequence+100 }), state.CodeKey},
		"in nobody's name":                     {linked(func(l *envelope.Link) { l.Hospital = 99 }), state.CodeMember},
		"a sequence that was used":             {linked(func(l *envelope.Link) { l.Sequence, l.Attempt = g.chain.sequence, 2 }), state.CodeSequence},
		"two envelopes for one sequence":       {linked(func(l *envelope.Link) { l.Sequence = g.chain.sequence }), state.CodeFork},
		"a sequence that skips ahead":          {linked(func(l *envelope.Link) { l.Sequence += 3 }), state.CodeGap},
		"not after the hospital's last":        {linked(func(l *envelope.Link) { l.Previous[7] ^= 1 }), state.CodePrevious},
		"made for another network":             {linked(func(l *envelope.Link) { l.Network[0] ^= 1 }), state.CodeNetwork},
		"signed an hour ahead of log time":     {linked(func(l *envelope.Link) { l.SignedAt += 3_600_000 }), state.CodeTime},
		"without the Ed25519 half":             {assemble(good.HeaderBytes, nil, sig.MLDSA, good.Bodies), state.CodeEncoding},
		"without the ML-DSA half":              {assemble(good.HeaderBytes, sig.Ed25519[:], nil, good.Bodies), state.CodeEncoding},
		"the Ed25519 half all zeros":           {assemble(good.HeaderBytes, make([]byte, 64), sig.MLDSA, good.Bodies), state.CodeEd25519},
		"the ML-DSA half all zeros":            {assemble(good.HeaderBytes, sig.Ed25519[:], zeros, good.Bodies), state.CodeMLDSA},
		"a kind nobody knows":                  {g.forge(t, good, func(h *envelope.Header) { h.Kind = 9 }), state.CodeVersion},
		"a suite nobody knows":                 {g.forge(t, good, func(h *envelope.Header) { h.Suite = 2 }), state.CodeVersion},
		"readers that are not in use":          {g.forge(t, good, func(h *envelope.Header) { h.ReaderSet = 7 }), state.CodeReaderSet},
		"sealed past the national reader":      {g.forge(t, good, func(h *envelope.Header) { h.Wraps[1].KeyID = bytes.Repeat([]byte{7}, 32) }), state.CodeWraps},
		"an act where entries are":             {g.forge(t, good, func(h *envelope.Header) { h.Kind = envelope.KindAct }), state.CodeActForm},
		"bodies that the header does not name": {g.forge(t, good, func(h *envelope.Header) { h.BodiesHash[0] ^= 1 }), state.CodeBodies},
	} {
		t.Run(name, func(t *testing.T) {
			if got := g.refusedAlike(t, tc.raw); got != tc.want {
				t.Errorf("refused with %q, want %s", got, tc.want)
			}
		})
	}
	if got := g.n.converged(); got != size {
		t.Errorf("the log grew from %d to %d by refusals", size, got)
	}
}

// converged returns the size of the log that the running nodes agree on.
func (n *network) converged() uint64 {
	n.t.Helper()
	var size uint64
	n.eventually("converge", func() error {
		for i, p := range n.Processes() {
			if !p.Running() {
				continue
			}
			s, err := p.Client.Status(n.ctx)
			if err != nil {
				return err
			}
			if i == 0 {
				size = s.Size
			}
			if s.Size != size || s.Checkpoint != size || s.Outbox != 0 {
				return fmt.Errorf("%s has %d entries, %d under a checkpoint, and %d envelopes under way; want %d", p.Node, s.Size, s.Checkpoint, s.Outbox, size)
			}
		}
		return nil
	})
	return size
}

// flips returns the bytes of which a bit is flipped: many where the header's
// numbers are, then all over the wraps, signatures and bodies.
func flips(size int) (places []int) {
	const dense = 400
	for at := 0; at < dense; at += 9 {
		places = append(places, at)
	}
	for at := dense; at < size; at += size / 24 {
		places = append(places, at)
	}
	return append(places, size-1)
}

func (g *guest) flippedBits(t *testing.T) {
	g = g.with(t)
	size := g.n.converged()
	raw := g.build(t, g.link(), g.keys.Envelope).Marshal()
	codes := map[state.Code]int{}
	places := flips(len(raw))
	for i, at := range places {
		changed := bytes.Clone(raw)
		changed[at] ^= 1 << (i % 8)
		code := g.refusedAlike(t, changed)
		if code == "" {
			t.Errorf("bit %d of byte %d of %d", i%8, at, len(raw))
		}
		codes[code]++
	}
	t.Logf("%d flipped bits: %v", len(places), codes)
	if len(codes) < 6 {
		t.Errorf("only %v were seen: the bits lie too close together", codes)
	}
	if got := g.n.converged(); got != size {
		t.Errorf("the log grew from %d to %d by refusals", size, got)
	}
}

// accepted submits an envelope and goes on from it.
func (g *guest) accepted(t *testing.T, raw []byte) consensus.Outcome {
	t.Helper()
	var out consensus.Outcome
	g.n.eventually("submit", func() (err error) {
		out, err = g.peers.Submit(g.n.ctx, g.n.Hospitals[0].Node, raw)
		return err
	})
	if out.Refusal != nil {
		t.Fatal(out.Refusal)
	}
	*g.chain = chain{g.chain.sequence + 1, out.ID}
	return out
}

func (g *guest) resent(t *testing.T) {
	g = g.with(t)
	raw := g.build(t, g.link(), g.keys.Envelope).Marshal()
	first := g.accepted(t, raw)
	for where, again := range g.everywhere(t, raw) {
		if !again.Duplicate || again.Refusal != nil || again.Number != first.Number || again.First != first.First ||
			again.LogTime != first.LogTime || again.ID != first.ID {
			t.Errorf("%s: %+v, want the place of %+v", where, again, first)
		}
	}
	size := g.n.converged()
	if want := first.First + uint64(first.Count); size != want {
		t.Errorf("the log has %d entries, want %d", size, want)
	}
	if e, err := g.n.Reader.Client.Entry(g.n.ctx, first.First); err != nil || e.Problem != "" || e.Type != "case" {
		t.Errorf("the coordinator reads it as %+v, %v", e, err)
	}
}

// copied sends another hospital's entries, with their keys as they were sealed
// to the coordinator, under this hospital's name. Every node accepts what is
// well formed; the coordinator, who alone can see it, says so in the log.
func (g *guest) copied(t *testing.T) {
	g = g.with(t)
	victim := g.envelopeOf(t, 1)
	h := victim.Header
	h.Hospital, h.KeyID, h.Sequence, h.Attempt, h.Previous = g.number, g.keys.Envelope.Public().ID(), g.chain.sequence+1, 1, g.chain.previous
	h.SignedAt = uint64(time.Now().UnixMilli())
	own := g.keys.Sealing.Public().ID()
	h.Wraps = append([]seal.Wrap{{KeyID: own[:], Data: h.Wraps[0].Data}}, h.Wraps[1:]...)
	h.BodiesHash = seal.BodiesHash((&envelope.Envelope{Header: h, Bodies: victim.Bodies}).Commitments())
	sig, err := g.keys.Envelope.Sign(envelope.KindEntries.Label(), h.Marshal())
	must(t, err)
	out := g.accepted(t, assemble(h.Marshal(), sig.Ed25519[:], sig.MLDSA, victim.Bodies))

	var accusation act.Unopenable
	g.n.eventually("the coordinator's act", func() error {
		g.n.converged()
		accusation, err = g.accusation(t, out.Number+1)
		return err
	})
	want := act.Unopenable{Envelope: out.Number, Place: act.WholeEnvelope, Reader: g.reader.Sealing.Public().ID(), Code: "SEAL003"}
	if accusation != want {
		t.Errorf("the act says %+v, want %+v", accusation, want)
	}
	leaves := g.n.leaves(g.n.Hospitals[1])
	if last := leaves[len(leaves)-1]; last.Kind != "act" || last.Hospital != g.n.Reader.Number {
		t.Errorf("another hospital sees %+v at the end of the log, want the coordinator's act", last)
	}
	if e, err := g.n.Reader.Client.Entry(g.n.ctx, out.First); err != nil || e.Problem != "SEAL003" {
		t.Errorf("the coordinator reads it as %+v, %v", e, err)
	}
}

// envelopeOf returns an envelope of entries of the given hospital.
func (g *guest) envelopeOf(t *testing.T, hospital uint32) *envelope.Envelope {
	t.Helper()
	for number := uint64(1); number < g.node.View().Envelopes; number++ {
		if e := g.pull(t, number); e.Hospital == hospital && e.Kind == envelope.KindEntries {
			return e
		}
	}
	t.Fatalf("hospital %d has sent nothing", hospital)
	return nil
}

// pull asks a voter for an envelope, as any node may.
func (g *guest) pull(t *testing.T, number uint64) *envelope.Envelope {
	t.Helper()
	pulled, err := g.peers.Envelopes(g.n.ctx, g.n.Hospitals[1].Node, number)
	must(t, err)
	e, err := envelope.Decode(pulled[0].Envelope)
	must(t, err)
	return e
}

// accusation returns the act in the given envelope, which must be the
// coordinator's.
func (g *guest) accusation(t *testing.T, number uint64) (act.Unopenable, error) {
	t.Helper()
	pulled, err := g.peers.Envelopes(g.n.ctx, g.n.Hospitals[1].Node, number)
	if err != nil {
		return act.Unopenable{}, err
	}
	if len(pulled) == 0 {
		return act.Unopenable{}, fmt.Errorf("the log has no envelope %d", number)
	}
	e, err := envelope.Decode(pulled[0].Envelope)
	must(t, err)
	if e.Kind != envelope.KindAct || e.Hospital != g.n.Reader.Number {
		t.Fatalf("envelope %d is a %s of institution %d", number, e.Kind.Label(), e.Hospital)
	}
	a, err := act.Decode(e.Bodies[0].Ciphertext)
	must(t, err)
	if a.Type != act.TypeUnopenable {
		t.Fatalf("the act is of type %d", a.Type)
	}
	return act.DecodeUnopenable(a.Payload)
}
