package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/reads"
	"github.com/raresync/raresync/registry/act"
)

// sayTimeout bounds how long a reading waits until the log says so.
const sayTimeout = 20 * time.Second

// errUnsaid reports a reading that the log does not say, so that nothing is shown.
var errUnsaid = errors.New("nothing is shown: the log has not taken the act that it is read")

// atSocket is the account of whoever uses the admin socket.
const atSocket = "operator"

func (s *service) openReads(dir string) {
	s.reads = reads.New(reads.Config{
		Dir: filepath.Join(dir, "reads"), Node: s.node, Institution: s.self.Institution, Post: s.sayRead,
		Sealing: s.ring.Sealing, Now: s.clock, Logger: s.log,
	})
}

func (s *service) sayRead(ctx context.Context, a act.Act) error {
	ctx, cancel := context.WithTimeout(ctx, sayTimeout)
	defer cancel()
	if err := s.postAct(ctx, a); err != nil {
		return fmt.Errorf("%w: %w", errUnsaid, err)
	}
	return nil
}

// audited says on the log that what f shows is read, before f runs. f notes the
// indexes that it shows with [reads.Saw].
func (s *service) audited(f http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		purpose := act.PurposeRegistry
		if code := r.Header.Get(admin.PurposeHeader); code != "" {
			var ok bool
			if purpose, ok = act.ParsePurpose(code); !ok {
				fail(w, fmt.Errorf("%w: purpose is one of the codes that raresync audit purposes lists", errInvalid))
				return
			}
		}
		reading, err := s.reads.Commit(r.Context(), reads.Question{Account: atSocket, Purpose: purpose, Query: r.Method + " " + r.URL.RequestURI()})
		if err != nil {
			fail(w, err)
			return
		}
		defer func() {
			if err := reading.Close(); err != nil {
				s.log.Error("what was read is not kept", "reason", err.Error())
			}
		}()
		f.ServeHTTP(w, r.WithContext(reads.With(r.Context(), reading)))
	})
}

// sawAll notes that all entries below a tree size were read.
func sawAll(ctx context.Context, size uint64) { reads.Saw(ctx, act.Span{Count: size}) }

// sawOne notes that an entry was read.
func sawOne(ctx context.Context, index uint64) { reads.Saw(ctx, act.Span{First: index, Count: 1}) }

// listReads lists what this node has read, and what readers have told it.
func (s *service) listReads(*http.Request) (out admin.Reads, err error) {
	view := s.node.View()
	out = admin.Reads{Said: view.FeatureLevel >= reads.Level, Reads: []admin.Read{}, Notices: []admin.ReadNotice{}}
	keys := s.ring.Sealing()
	records, err := s.reads.Records()
	if err != nil {
		return out, err
	}
	if out.Reads, err = s.describeReads(s.self.Institution, records, keys); err != nil {
		return out, err
	}
	told, err := reads.Notices(s.node, s.self.Institution, keys)
	if err != nil {
		return out, err
	}
	for _, t := range told {
		n := admin.ReadNotice{Day: reads.DayOf(t.Day), Reader: t.Reader, Name: institutionName(view, t.Reader), Index: t.Index, Problem: t.Problem, Read: []admin.ReadPart{}}
		for _, p := range t.Read {
			n.Entries += p.Entries
			n.Read = append(n.Read, admin.ReadPart{Purpose: p.Purpose.String(), Entries: p.Entries, Spans: p.Spans})
		}
		out.Notices = append(out.Notices, n)
	}
	return out, nil
}

func (s *service) describeReads(reader uint32, records []reads.Sealed, keys []*seal.ReaderPrivate) ([]admin.Read, error) {
	list, err := reads.List(s.node, reader, records, keys)
	if err != nil {
		return nil, err
	}
	out := make([]admin.Read, len(list))
	for i, e := range list {
		out[i] = admin.Read{
			Day: reads.DayOf(e.Day), Time: e.Time, Account: e.Account, Purpose: e.Purpose, Query: e.Query, Entries: e.Entries,
			OnLog: e.OnLog, Act: e.Act, Problem: e.Problem,
		}
	}
	return out, nil
}

// readRecords hands over this reader's records, sealed as they lie.
func (s *service) readRecords(*http.Request) (admin.ReadRecords, error) {
	records, err := s.reads.Records()
	if err != nil {
		return admin.ReadRecords{}, err
	}
	raw, err := json.Marshal(records)
	return admin.ReadRecords{Network: fmt.Sprintf("%x", s.node.View().Network), Reader: s.self.Institution, Records: raw}, err
}

// openReadRecords opens, at another national reader, what a reader has handed over,
// and holds it against that reader's acts.
func (s *service) openReadRecords(r *http.Request) ([]admin.Read, error) {
	var in admin.ReadRecords
	var records []reads.Sealed
	err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, admin.MaxRecordsBytes)).Decode(&in)
	if err == nil {
		err = json.Unmarshal(in.Records, &records)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the file is none of raresync audit records", errInvalid)
	}
	view := s.node.View()
	if m, ok := view.Member(in.Reader); !ok || in.Network != fmt.Sprintf("%x", view.Network) || m.Rights == 0 {
		return nil, fmt.Errorf("%w: the file is not of a reader of this network", errInvalid)
	}
	return s.describeReads(in.Reader, records, s.ring.Sealing())
}
