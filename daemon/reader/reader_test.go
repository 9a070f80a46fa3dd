package reader

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// list returns what a member may open, as "hospital:type", sorted.
func (w *world) list(m *member, from uint64, limit int) []string {
	w.t.Helper()
	var out []string
	for o, err := range w.reader(m, "", nil).Entries(w.t.Context(), from, limit) {
		must(w.t, err)
		if o.Problem != "" {
			out = append(out, fmt.Sprintf("%d:%s", o.Hospital, o.Problem))
			continue
		}
		out = append(out, fmt.Sprintf("%d:%s", o.Hospital, o.Entry.Type))
	}
	slices.Sort(out)
	return out
}

func kinds(t *testing.T, hospital int, plains []envelope.Plain, genetics bool) (out []string) {
	t.Helper()
	for _, p := range plains {
		e, err := entry.Decode(p.CBOR)
		must(t, err)
		if genetics || e.Type != entry.TypeGenetics {
			out = append(out, fmt.Sprintf("%d:%s", hospital, e.Type))
		}
	}
	slices.Sort(out)
	return out
}

func TestEachOpensWhatItsRightsCover(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)
	w.post(w.a, plains)
	w.post(w.b, plains[:1])
	w.post(w.b, plains[1:])
	ofA, ofB := kinds(t, 1, plains, true), kinds(t, 2, plains, true)
	withoutGenetics := append(kinds(t, 1, plains, false), kinds(t, 2, plains, false)...)
	for name, tc := range map[string]struct {
		m    *member
		want []string
	}{
		"hospital a its own":                                   {w.a, ofA},
		"hospital b its own":                                   {w.b, ofB},
		"hospital c, which sent nothing, nothing":              {w.c, nil},
		"the national reader everything":                       {w.genetic, append(ofA, ofB...)},
		"the national reader without genetics the rest":        {w.clinical, withoutGenetics},
		"the province reader its province's, without genetics": {w.prov31, kinds(t, 2, plains, false)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := w.list(tc.m, 0, 0); !slices.Equal(got, tc.want) {
				t.Errorf("opened %v\nwant %v", got, tc.want)
			}
		})
	}
}

func TestAListGoesFromAnIndexToALimit(t *testing.T) {
	w := newWorld(t)
	plains := plaintexts(t)
	first, _ := w.post(w.a, plains)
	all := uint64(len(plains))
	for name, tc := range map[string]struct {
		from  uint64
		limit int
		want  int
	}{
		"all":                     {0, 0, len(plains)},
		"the first two":           {0, 2, 2},
		"from within":             {first + 2, 0, len(plains) - 2},
		"the last":                {first + all - 1, 5, 1},
		"from the end of the log": {first + all, 0, 0},
		"from far beyond":         {1 << 60, 0, 0},
	} {
		if got := w.list(w.a, tc.from, tc.limit); len(got) != tc.want {
			t.Errorf("%s: %d entries, want %d", name, len(got), tc.want)
		}
	}
	for range w.reader(w.a, "", nil).Entries(t.Context(), 0, 0) {
		break // a caller may stop early
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range w.reader(w.a, "", nil).Entries(ctx, 0, 0) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
	}
}

func TestWhyAnEntryIsNotGiven(t *testing.T) {
	w := newWorld(t)
	first, _ := w.post(w.a, plaintexts(t)[:1])
	for name, tc := range map[string]struct {
		m     *member
		index uint64
		want  error
	}{
		"its own":                   {w.a, first, nil},
		"another hospital's":        {w.b, first, ErrNotAllowed},
		"of another province":       {w.prov31, first, ErrNotAllowed},
		"the genesis":               {w.a, 0, ErrNotAllowed},
		"an index beyond the log":   {w.a, first + 1, ErrNotFound},
		"an index far beyond":       {w.genetic, 1<<64 - 1, ErrNotFound},
		"the national reader reads": {w.clinical, first, nil},
	} {
		o, err := w.reader(tc.m, "", nil).Entry(tc.index)
		if !errors.Is(err, tc.want) || err == nil && (o.Index != tc.index || o.Hospital != 1 || o.LogTime != signedAt+1000 || o.Entry.Case == nil) {
			t.Errorf("%s: got %+v, %v; want %v", name, o.Index, err, tc.want)
		}
	}
}

// caseIndex returns the index of the case among what a member may open.
func (w *world) index(m *member, kind entry.Type) uint64 {
	w.t.Helper()
	for o, err := range w.reader(m, "", nil).Entries(w.t.Context(), 0, 0) {
		must(w.t, err)
		if o.Entry.Type == kind {
			return o.Index
		}
	}
	w.t.Fatalf("no %s", kind)
	return 0
}

// packet returns the members of a case's phenopacket.
func (w *world) packet(m *member) map[string]any {
	w.t.Helper()
	index := w.index(m, entry.TypeCase)
	raw, err := w.reader(m, "", nil).Phenopacket(w.t.Context(), index)
	must(w.t, err)
	var out map[string]any
	must(w.t, json.Unmarshal(raw, &out))
	if out["id"] != fmt.Sprint("entry-", index) {
		w.t.Errorf("the packet's id is %v", out["id"])
	}
	return out
}

func visits(packet map[string]any) int {
	extra, _ := packet["raresync"].(map[string]any)
	list, _ := extra["followUps"].([]any)
	return len(list)
}

func TestACaseIsJoinedWithItsGeneticsAndVisits(t *testing.T) {
	plains := plaintexts(t)
	other := slices.Clone(plains[:1])
	for name, post := range map[string]func(w *world){
		"in one envelope": func(w *world) { w.post(w.a, plains) },
		"in two envelopes with another hospital's between": func(w *world) {
			w.post(w.a, plains[:1])
			w.post(w.b, other)
			w.post(w.a, plains[1:])
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			post(w)
			for who, m := range map[string]*member{"its hospital": w.a, "the national reader": w.genetic} {
				p := w.packet(m)
				if p["interpretations"] == nil || visits(p) != len(plains)-2 {
					t.Errorf("%s: interpretations %v, %d visits, want %d", who, p["interpretations"] != nil, visits(p), len(plains)-2)
				}
			}
			if p := w.packet(w.clinical); p["interpretations"] != nil || visits(p) != len(plains)-2 {
				t.Errorf("without the right: interpretations %v, %d visits", p["interpretations"] != nil, visits(p))
			}
		})
	}
}

func TestWhatIsNoCaseHasNoPhenopacket(t *testing.T) {
	w := newWorld(t)
	w.post(w.a, plaintexts(t))
	r := w.reader(w.a, "", nil)
	if _, err := r.Phenopacket(t.Context(), w.index(w.a, entry.TypeGenetics)); !errors.Is(err, ErrNotCase) {
		t.Errorf("genetics: %v", err)
	}
	if _, err := w.reader(w.b, "", nil).Phenopacket(t.Context(), 1); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("another hospital's: %v", err)
	}
	if _, err := r.Phenopacket(t.Context(), 99); !errors.Is(err, ErrNotFound) {
		t.Errorf("beyond the log: %v", err)
	}
}

// cheat is an envelope of hospital b that the network accepts and that does
// not open for the national reader.
type cheat struct {
	make   func(w *world, plains []envelope.Plain) *envelope.Envelope
	code   string
	all    bool // the whole envelope, else place 0 or the one place with code
	honest bool // hospital b itself can open it
}

var cheats = map[string]cheat{
	"another key for the reader than for the others": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		return w.build(w.b, plains, func(s *envelope.ReaderSet) {
			for i := range s.National {
				if s.National[i].Key.ID() == w.genetic.sealing.Public().ID() {
					s.National[i].Rights = seal.Rights{} // random bytes in place of the keys
				}
			}
		})
	}, "SEAL003", true, true},
	"another genetic key for the reader": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		return w.build(w.b, plains, func(s *envelope.ReaderSet) {
			for i := range s.National {
				s.National[i].Rights = seal.Rights{Clinical: true}
			}
		})
	}, "SEAL003", true, true},
	"bodies and wraps copied from another hospital": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		from := w.build(w.a, plains, nil)
		return w.forge(w.b, w.build(w.b, plains, nil), func(h *envelope.Header, bodies []seal.Body) {
			for i := range h.Wraps { // the ids stay: the network compares those
				h.Wraps[i].Data = from.Wraps[i%len(from.Wraps)].Data
			}
			h.CommitC, h.CommitG = from.CommitC, from.CommitG
			copy(bodies, from.Bodies)
		})
	}, "SEAL003", true, false},
	"bodies copied from another hospital": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		from := w.build(w.a, plains, nil)
		return w.forge(w.b, w.build(w.b, plains, nil), func(_ *envelope.Header, bodies []seal.Body) { copy(bodies, from.Bodies) })
	}, "SEAL002", true, false},
	"a wrap with a flipped bit": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		return w.forge(w.b, w.build(w.b, plains, nil), func(h *envelope.Header, _ []seal.Body) {
			for i := range h.Wraps[1:3] {
				h.Wraps[1+i].Data[1199] ^= 1
			}
		})
	}, "SEAL003", true, true},
	"a body with a flipped bit": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		return w.forge(w.b, w.build(w.b, plains, nil), func(_ *envelope.Header, bodies []seal.Body) {
			bodies[0].Ciphertext = bytes.Clone(bodies[0].Ciphertext)
			bodies[0].Ciphertext[9] ^= 1
		})
	}, "SEAL002", false, false},
	"genetics sealed for readers of the rest": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		wrong := slices.Clone(plains)
		for i := range wrong {
			e, err := entry.Decode(wrong[i].CBOR)
			must(w.t, err)
			if e.Type == entry.TypeGenetics {
				wrong[i].Part = seal.Clinical
			}
		}
		return w.build(w.b, wrong, nil)
	}, "SEAL002", false, false},
	"a body that is no entry": {func(w *world, plains []envelope.Plain) *envelope.Envelope {
		return w.build(w.b, append([]envelope.Plain{{Part: seal.Clinical, CBOR: []byte("text")}}, plains...), nil)
	}, "ENC001", false, false},
}

func TestWhatDoesNotOpenIsAProblemAndNoEntry(t *testing.T) {
	for name, c := range cheats {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			plains := plaintexts(t)
			w.accept(c.make(w, plains))
			bad, total := 0, 0
			for o, err := range w.reader(w.genetic, "", nil).Entries(t.Context(), 0, 0) {
				must(t, err)
				total++
				if o.Problem == "" {
					continue
				}
				if bad++; o.Problem != c.code || o.Entry.Type != 0 || o.Entry.Case != nil {
					t.Errorf("index %d: problem %s with a %s, want %s alone", o.Index, o.Problem, o.Entry.Type, c.code)
				}
			}
			if c.all && bad != total || !c.all && bad != 1 || total < len(plains) {
				t.Errorf("%d of %d entries are problems, all: want %v", bad, total, c.all)
			}
			for o, err := range w.reader(w.b, "", nil).Entries(t.Context(), 0, 0) {
				must(t, err)
				if c.honest && o.Problem != "" {
					t.Errorf("its hospital cannot open index %d: %s", o.Index, o.Problem)
				}
			}
			if got := w.list(w.a, 0, 0); len(got) != 0 {
				t.Errorf("hospital a opens %v", got)
			}
		})
	}
}
