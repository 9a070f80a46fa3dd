package daemon

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
)

func TestThreeHospitalsAndAReader(t *testing.T) {
	places := network(t)
	h1, h2, reader := places["h1"], places["h2"], places["reader"]
	for _, p := range places {
		p.start(t)
	}
	for _, p := range places {
		p.ready(t)
	}
	file, number := made(t)
	var index uint64

	t.Run("a submitted case gets receipts", func(t *testing.T) {
		got, err := h1.client.Submit(t.Context(), admin.Submission{Files: []admin.File{file}, Wait: true})
		must(t, err)
		f := got.Files[0]
		if f.Outcome != "accepted" || len(f.Entries) < 2 {
			t.Fatalf("got %+v", f)
		}
		for i, e := range f.Entries {
			if !e.Receipt || e.Index == 0 {
				t.Errorf("entry %d has no receipt: %+v", i, e)
			}
			opened, err := h1.client.Entry(t.Context(), e.Index)
			if err != nil || opened.ID != e.ID || opened.Type != e.Type || opened.Hospital != 1 || len(opened.Content) == 0 {
				t.Errorf("index %d opens as %s %s of %d, want %s %s (%v)", e.Index, opened.Type, opened.ID, opened.Hospital, e.Type, e.ID, err)
			}
		}
		index = f.Entries[0].Index
	})
	t.Run("submitted again it is known", func(t *testing.T) {
		got, err := h1.client.Submit(t.Context(), admin.Submission{Files: []admin.File{file}, Wait: true})
		must(t, err)
		if got.Files[0].Outcome != "known" {
			t.Errorf("got %+v", got.Files[0])
		}
	})
	t.Run("two hospitals give one patient one pseudonym", func(t *testing.T) {
		_, err := h2.client.Submit(t.Context(), admin.Submission{Files: []admin.File{file}, Wait: true})
		must(t, err)
		people := map[string]int{}
		until(t, "the reader has both", func() (bool, error) {
			clear(people)
			hospitals := map[uint32]bool{}
			for e, err := range reader.client.Entries(t.Context(), 0, 0) {
				must(t, err)
				if e.Problem != "" {
					t.Errorf("index %d: %s", e.Index, e.Problem)
				}
				people[e.Person]++
				hospitals[e.Hospital] = true
			}
			return len(hospitals) == 2, nil
		})
		if len(people) != 1 {
			t.Errorf("the reader counts %d people, want 1", len(people))
		}
	})
	t.Run("another hospital does not open it", func(t *testing.T) {
		if _, err := h2.client.Entry(t.Context(), index); problemCode(err) != admin.CodeNotAllowed {
			t.Errorf("got %v", err)
		}
		if _, err := h2.client.Phenopacket(t.Context(), index); problemCode(err) != admin.CodeNotAllowed {
			t.Errorf("got %v", err)
		}
	})
	t.Run("it comes back as a phenopacket", func(t *testing.T) {
		raw, err := reader.client.Phenopacket(t.Context(), index)
		must(t, err)
		if !bytes.Contains(raw, []byte("interpretations")) || !json.Valid(raw) {
			t.Errorf("got %.200s", raw)
		}
	})
	t.Run("status and members", func(t *testing.T) {
		s, err := h1.client.Status(t.Context())
		must(t, err)
		if s.Node != "h1" || s.Hospital != 1 || s.Kind != "voter" || !s.Demo || s.Envelopes < 3 || s.Outbox != 0 || s.Version != "test" || len(s.Peers) == 0 {
			t.Errorf("got %+v", s)
		}
		m, err := h1.client.Members(t.Context())
		must(t, err)
		if len(m) != 4 || m[2].Nodes[0] != "h3" || m[2].Holder != 3 || m[3].Holder != 0 || m[0].Sequence < 2 {
			t.Errorf("got %+v", m)
		}
	})
	t.Run("head, policy and proof hold together", func(t *testing.T) { provesItself(t, h2, index) })
	t.Run("leaves are the log's", func(t *testing.T) {
		var leaves []admin.Leaf
		for l, err := range h2.client.Leaves(t.Context(), 0, 3, false) {
			must(t, err)
			leaves = append(leaves, l)
		}
		if len(leaves) != 3 || leaves[0].Kind != "act" || leaves[1].Kind != "entry" || leaves[1].Hospital != 1 {
			t.Errorf("got %+v", leaves)
		}
	})
	t.Run("what makes no sense is refused", func(t *testing.T) { refusesNonsense(t, h1, file) })
	t.Run("the socket is the owner's alone", func(t *testing.T) {
		i, err := os.Stat(h1.cfg.Listen.AdminSocket)
		if err != nil || i.Mode().Perm() != 0o600 || i.Mode().Type() != fs.ModeSocket {
			t.Errorf("got %v, %v; want a socket of mode 0600", i.Mode(), err)
		}
	})
	t.Run("a second daemon on the directory does not start", func(t *testing.T) {
		if err := Run(t.Context(), h1.cfg, slog.New(slog.DiscardHandler), "test"); !errors.Is(err, home.ErrInUse) {
			t.Errorf("got %v, want that it is in use", err)
		}
	})
	t.Run("a daemon that stops ends what waits on it with an error", func(t *testing.T) {
		followed := make(chan error, 1)
		first := make(chan struct{}, 1)
		go func() {
			var last error
			for _, err := range places["h3"].client.Leaves(t.Context(), 0, 0, true) {
				last = err
				select {
				case first <- struct{}{}:
				default:
				}
			}
			followed <- last
		}()
		<-first
		places["h3"].end(t)
		if err := <-followed; err == nil {
			t.Error("a follower was told nothing")
		}
	})
	t.Run("it starts again over a socket left behind, with its receipts", func(t *testing.T) {
		h3 := places["h3"]
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: h3.cfg.Listen.AdminSocket, Net: "unix"})
		must(t, err)
		l.SetUnlinkOnClose(false)
		must(t, l.Close())
		h3.start(t)
		h3.ready(t)
		until(t, "h3 has the checkpoint", func() (bool, error) {
			_, err := h3.client.Prove(t.Context(), index)
			return err == nil, err
		})
	})
	t.Run("no log line names the patient", func(t *testing.T) {
		for id, p := range places {
			for _, planted := range []string{number, number[6:14], strings.TrimSuffix(file.Name, ".json")} {
				if strings.Contains(p.logged.text(), planted) {
					t.Errorf("%s logged %q", id, planted)
				}
			}
		}
	})
}

// provesItself checks an entry's proof with nothing but the policy.
func provesItself(t *testing.T, p *place, index uint64) {
	t.Helper()
	head, err := p.client.Head(t.Context())
	must(t, err)
	text, err := p.client.Policy(t.Context())
	must(t, err)
	policy, err := tlog.ParsePolicy([]byte(text))
	must(t, err)
	note, err := tlog.ParseSignedCheckpoint([]byte(head.Note))
	must(t, err)
	if _, err := policy.Verify(note); err != nil || note.Size != head.Size || len(head.Cosigners) < 2 {
		t.Errorf("the head does not verify: %v, %+v", err, head)
	}
	got, err := p.client.Prove(t.Context(), index)
	must(t, err)
	proof, err := tlog.ParseProof([]byte(got.Proof))
	must(t, err)
	if _, err := policy.Verify(proof.Checkpoint); err != nil || proof.Index != index {
		t.Errorf("the proof's checkpoint does not verify: %v", err)
	}
	if err := tlog.VerifyInclusion(tlog.LeafHash(proof.Extra), index, proof.Checkpoint.Size, proof.Hashes, proof.Checkpoint.Root); err != nil {
		t.Errorf("the proof does not verify: %v", err)
	}
	if _, err := p.client.Prove(t.Context(), 1<<40); problemCode(err) != admin.CodeNotFound {
		t.Errorf("of an entry that is not there: %v", err)
	}
}

func refusesNonsense(t *testing.T, p *place, file admin.File) {
	t.Helper()
	ctx := t.Context()
	if _, err := p.client.Entry(ctx, 1<<40); problemCode(err) != admin.CodeNotFound {
		t.Errorf("an entry beyond the log: %v", err)
	}
	if _, err := p.client.Submit(ctx, admin.Submission{Files: []admin.File{file}, Profile: "secret"}); problemCode(err) != admin.CodeInvalid {
		t.Errorf("an unknown profile: %v", err)
	}
	big := admin.Submission{Files: []admin.File{{Name: "big.json", Data: make([]byte, maxSubmissionBytes)}}}
	if _, err := p.client.Submit(ctx, big); problemCode(err) != admin.CodeTooLarge {
		t.Errorf("a submission that is too large: %.200v", err)
	}
	for range p.client.Leaves(ctx, 0, -1, false) {
	}
	if err := last(p.client.Entries(ctx, 0, -1)); problemCode(err) != admin.CodeInvalid {
		t.Errorf("a negative limit: %v", err)
	}
	got, err := p.client.Submit(ctx, admin.Submission{Files: []admin.File{{Name: "bad.json", Data: []byte("no")}}, Wait: true})
	if err != nil || got.Files[0].Outcome != "refused" || got.Files[0].Findings[0].Code != "PP002" {
		t.Errorf("a file that is none: %+v, %v", got, err)
	}
}

func last(entries func(func(admin.Entry, error) bool)) (err error) {
	for _, e := range entries {
		err = e
	}
	return err
}

func TestADaemonThatCannotStartSaysWhyAndLeavesNothingRunning(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, p, other *place)
		want   string
	}{
		"another node's keys":              {func(t *testing.T, p, other *place) { p.cfg.Keys = other.cfg.Keys }, "is not that of node"},
		"no genesis":                       {func(t *testing.T, p, _ *place) { must(t, os.Remove(p.cfg.Network.Genesis)) }, "belongs to no network yet"},
		"a node the genesis does not know": {func(t *testing.T, p, _ *place) { p.cfg.Node.ID = "h9" }, "h9"},
		"a file where the socket belongs": {func(t *testing.T, p, _ *place) {
			must(t, os.WriteFile(p.cfg.Listen.AdminSocket, []byte("precious"), 0o600))
		}, "no socket"},
	} {
		t.Run(name, func(t *testing.T) {
			places := network(t)
			p := places["h1"]
			tc.change(t, p, places["h2"])
			err := Run(t.Context(), p.cfg, slog.New(slog.DiscardHandler), "test")
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
}

func TestEveryProblemHasAStatusAndACode(t *testing.T) {
	for _, p := range problems {
		if p.status < 400 || p.code == "" || http.StatusText(p.status) == "" {
			t.Errorf("%v is %d %q", p.err, p.status, p.code)
		}
	}
	if !slices.ContainsFunc(problems, func(p struct {
		err error
		problem
	}) bool {
		return p.err == consensus.ErrNotYet
	}) {
		t.Error("not yet has no answer of its own")
	}
}
