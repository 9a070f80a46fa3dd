package survivor_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/armour"
	"github.com/raresync/raresync/registry/envelope"
	"github.com/raresync/raresync/registry/founding/foundingtest"
	"github.com/raresync/raresync/registry/survivor"
)

// surveyed is a signed survey of a hospital.
func surveyed(t testing.TB, m *foundingtest.Member, network [32]byte) *survivor.Survey {
	t.Helper()
	next, err := m.Log.LogKeyOf(network, 2)
	if err != nil {
		t.Fatal(err)
	}
	s := &survivor.Survey{
		Network: network, Node: m.Node, Institution: m.Number, Kind: act.Voter, At: foundingtest.SignedAt, Epoch: 1, Envelopes: 9, Size: 20,
		Root: [32]byte{4}, LogTime: foundingtest.SignedAt, Index: 30, Term: 3, Checkpoint: []byte("a note"), NextLog: next.Public(),
	}
	if err := s.Sign(m.Envelope); err != nil {
		t.Fatal(err)
	}
	return s
}

// drafted is a draft with an approval, and the file that they become.
func drafted(t testing.TB) (*survivor.Draft, act.Approval, *survivor.Recovery) {
	t.Helper()
	net := foundingtest.New(t, 3)
	h := net.Hospitals
	s := surveyed(t, h[0], net.ID)
	r := &act.Recovery{Epoch: 2, Size: 20, Root: s.Root, Envelopes: 9, Index: 31, Term: 4, Fenced: []string{"h2", "h3"},
		Voters: []act.EpochVoter{{Node: "h1", Log: s.NextLog}}}
	a := &act.Act{Version: act.Version, Type: act.TypeRecovery, RosterVersion: 1, Expiry: 7, Payload: r.Marshal()}
	p, err := a.Approve(net.ID, 2, h[1].Envelope)
	if err != nil {
		t.Fatal(err)
	}
	complete := *a
	complete.Approvals = []act.Approval{p}
	e, err := envelope.BuildAct(envelope.Link{Network: net.ID, Hospital: 1, Sequence: 2, Attempt: 1, SignedAt: 1}, complete.Marshal(), h[0].Envelope)
	if err != nil {
		t.Fatal(err)
	}
	return &survivor.Draft{Act: a, Recovery: r, Base: "h1", Surveys: []*survivor.Survey{s}}, p,
		&survivor.Recovery{Envelope: e, Act: r, From: 7, Tail: []survivor.Held{{LogTime: 5, Envelope: []byte("one")}, {LogTime: 6, Envelope: []byte("two")}}}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	d, p, r := drafted(t)
	for name, again := range map[string]func() (file, back []byte, err error){
		"survey": func() ([]byte, []byte, error) {
			s, err := survivor.ParseSurvey(d.Surveys[0].Marshal())
			return d.Surveys[0].Marshal(), s.Marshal(), err
		},
		"draft": func() ([]byte, []byte, error) {
			got, err := survivor.ParseDraft(d.Marshal())
			return d.Marshal(), got.Marshal(), err
		},
		"approval": func() ([]byte, []byte, error) {
			got, err := d.ParseApproval(d.MarshalApproval(p))
			return d.MarshalApproval(p), d.MarshalApproval(got), err
		},
		"recovery": func() ([]byte, []byte, error) {
			got, err := survivor.Parse(r.Marshal())
			if !reflect.DeepEqual(got.Act.Fenced, r.Act.Fenced) {
				t.Errorf("fences %v", got.Act.Fenced)
			}
			return r.Marshal(), got.Marshal(), err
		},
	} {
		if file, back, err := again(); err != nil || !bytes.Equal(file, back) {
			t.Errorf("%s: %v, the same bytes: %t", name, err, bytes.Equal(file, back))
		}
	}
}

func TestASurveyIsItsInstitutionsWord(t *testing.T) {
	net := foundingtest.New(t, 3)
	s := surveyed(t, net.Hospitals[0], net.ID)
	own := net.Hospitals[0].Envelope.Public()
	if err := s.Verify(own); err != nil {
		t.Error(err)
	}
	if err := s.Verify(net.Hospitals[1].Envelope.Public()); err == nil {
		t.Error("it verifies with another's key")
	}
	for name, change := range map[string]func(*survivor.Survey){
		"size": func(s *survivor.Survey) { s.Size++ }, "root": func(s *survivor.Survey) { s.Root[0]++ },
		"node": func(s *survivor.Survey) { s.Node = "h2" }, "checkpoint": func(s *survivor.Survey) { s.Checkpoint = nil },
		"log key": func(s *survivor.Survey) { s.NextLog = net.Hospitals[1].Log.Public() }, "term": func(s *survivor.Survey) { s.Term++ },
	} {
		other := *s
		change(&other)
		if err := other.Verify(own); err == nil {
			t.Errorf("another %s verifies", name)
		}
	}
}

func TestFilesThatAreNotWhatTheySayAreRefused(t *testing.T) {
	d, p, r := drafted(t)
	other, _, _ := drafted(t)
	removal := *d
	removal.Act = &act.Act{Version: act.Version, Type: act.TypeRemoval, Payload: act.Removal{Institution: 1}.Marshal()}
	tls := *d.Surveys[0]
	tls.NextLog = foundingtest.Newcomer(t, "h4", 4).TLS.Public()
	entries := *r
	entries.Envelope = foundingtest.New(t, 3).Genesis
	long := *d
	for range survivor.MaxSurveys + 1 {
		long.Surveys = append(long.Surveys, d.Surveys[0])
	}
	for name, tc := range map[string]struct {
		read func() error
		says string
	}{
		"a draft for a survey":     {func() error { _, err := survivor.ParseSurvey(d.Marshal()); return err }, "want a RARESYNC SURVEY"},
		"a TLS key as the next":    {func() error { _, err := survivor.ParseSurvey(tls.Marshal()); return err }, "next log key is a key for tls"},
		"another act's draft":      {func() error { _, err := survivor.ParseDraft(removal.Marshal()); return err }, "an act of type removal"},
		"too many surveys":         {func() error { _, err := survivor.ParseDraft(long.Marshal()); return err }, "at most 32"},
		"another draft's approval": {func() error { _, err := other.ParseApproval(d.MarshalApproval(p)); return err }, "for another draft"},
		"an envelope of a genesis": {func() error { _, err := survivor.Parse(entries.Marshal()); return err }, "an act of type genesis"},
		"nothing":                  {func() error { _, err := survivor.Parse(nil); return err }, "no RARESYNC RECOVERY"},
		"a survey of a later build": {func() error {
			_, err := survivor.ParseSurvey(armour.Wrap("RARESYNC SURVEY", []byte{0x84, 0x41, 0x8f}))
			return err
		}, "survey: "},
	} {
		if err := tc.read(); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
}

func FuzzFiles(f *testing.F) {
	d, p, r := drafted(f)
	for kind, file := range map[string][]byte{
		"RARESYNC SURVEY": d.Surveys[0].Marshal(), "RARESYNC RECOVERY DRAFT": d.Marshal(),
		"RARESYNC RECOVERY APPROVAL": d.MarshalApproval(p), "RARESYNC RECOVERY": r.Marshal(),
	} {
		raw, err := armour.Unwrap(kind, file, survivor.MaxFileBytes)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		same := func(kind string, again func(file []byte) ([]byte, error)) {
			file := armour.Wrap(kind, raw)
			if back, err := again(file); err == nil && !bytes.Equal(back, file) {
				t.Errorf("%s: %x encodes back to other bytes", kind, raw)
			}
		}
		same("RARESYNC SURVEY", func(file []byte) ([]byte, error) {
			s, err := survivor.ParseSurvey(file)
			if err != nil {
				return nil, err
			}
			return s.Marshal(), nil
		})
		same("RARESYNC RECOVERY DRAFT", func(file []byte) ([]byte, error) {
			s, err := survivor.ParseDraft(file)
			if err != nil {
				return nil, err
			}
			return s.Marshal(), nil
		})
		same("RARESYNC RECOVERY", func(file []byte) ([]byte, error) {
			s, err := survivor.Parse(file)
			if err != nil {
				return nil, err
			}
			return s.Marshal(), nil
		})
		_, _ = d.ParseApproval(armour.Wrap("RARESYNC RECOVERY APPROVAL", raw))
	})
}
