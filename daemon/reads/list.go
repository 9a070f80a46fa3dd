package reads

import (
	"encoding/hex"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// Entry is a reading as a list shows it.
type Entry struct {
	Day      uint32
	Time     string // RFC 3339; of an act without a record, its log time
	Account  string
	Purpose  string
	Query    string
	Entries  uint64 // indexes that were read in all
	Act      uint64 // index of the act
	OnLog    bool   // there is an act
	Problem  string // why something does not fit; empty if it does
	hash     string
	recorded bool
}

// The problems of a reading.
const (
	NoRecord       = "the log has the act, and there is no record of it"
	NoAct          = "there is a record, and the log has no act of it"
	SealedToOthers = "the record is sealed to others"
	Changed        = "the record is not the one that its hash names"
)

// List holds a reader's records against its acts on the log: its own, or those that
// another reader has handed over. The keys are this node's.
func List(n Node, reader uint32, records []Sealed, keys []*seal.ReaderPrivate) ([]Entry, error) {
	var list []Entry
	at := map[string]int{}
	for _, sealed := range records {
		i, known := at[sealed.Hash]
		if !known {
			i = len(list)
			at[sealed.Hash] = i
			list = append(list, Entry{Day: sealed.Day, hash: sealed.Hash, Problem: NoRecord})
		}
		e := &list[i]
		r, plain, ok := sealed.open(keys)
		switch {
		case !ok:
			if !e.recorded {
				e.Problem = SealedToOthers
			}
		case len(r.Salt) == 0:
			for _, span := range r.Spans {
				e.Entries += span.Count
			}
		case !sealed.committed(plain):
			e.Problem, e.recorded = Changed, true
		default:
			e.Time, e.Account, e.Purpose, e.Query, e.Problem, e.recorded = r.Time, r.Account, r.Purpose, r.Query, "", true
		}
	}
	err := acts(n, reader, func(a *act.Act, index, logTime uint64) error {
		if a.Type != act.TypeRead {
			return nil
		}
		d, err := act.DecodeRead(a.Payload)
		if err != nil {
			return nil // not admitted
		}
		hash := hex.EncodeToString(d.Hash[:])
		i, known := at[hash]
		if !known {
			list = append(list, Entry{Day: d.Day, Time: rfc3339(logTime), Purpose: d.Purpose.String(), Act: index, OnLog: true, Problem: NoRecord})
			return nil
		}
		e := &list[i]
		e.Act, e.OnLog = index, true
		if e.recorded && e.Purpose != "" && e.Purpose != d.Purpose.String() {
			e.Problem = Changed
		}
		return nil
	})
	for i := range list {
		if e := &list[i]; !e.OnLog && e.Problem == "" {
			e.Problem = NoAct
		}
	}
	return list, err
}

// ActOf returns the index of the act that says a hash.
func ActOf(n Node, reader uint32, hash [32]byte) (index uint64, found bool, err error) {
	err = acts(n, reader, func(a *act.Act, at, _ uint64) error {
		if d, err := act.DecodeRead(a.Payload); a.Type == act.TypeRead && err == nil && d.Hash == hash {
			index, found = at, true
			return errStop
		}
		return nil
	})
	if err == errStop {
		err = nil
	}
	return index, found, err
}

// Told is a notice to a hospital.
type Told struct {
	Reader  uint32
	Day     uint32
	Index   uint64 // of the act
	Read    []Part // nothing of a hospital of which nothing was read
	Problem string
}

// Notices returns what readers have told an institution, with whose keys they open.
func Notices(n Node, institution uint32, keys []*seal.ReaderPrivate) (out []Told, err error) {
	view := n.View()
	for i := range view.Members {
		reader := uint32(i + 1)
		err := acts(n, reader, func(a *act.Act, index, _ uint64) error {
			if a.Type != act.TypeNotices {
				return nil
			}
			d, err := act.DecodeNotices(a.Payload)
			if err != nil {
				return nil // not admitted
			}
			for _, one := range d.To {
				if one.Hospital == institution {
					out = append(out, told(reader, institution, d.Day, index, one.Sealed, keys))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func told(reader, hospital, day uint32, index uint64, sealed []byte, keys []*seal.ReaderPrivate) Told {
	t := Told{Reader: reader, Day: day, Index: index, Problem: "the notice does not open"}
	for _, k := range keys {
		plain, err := k.OpenMessage(noticeLabel, sealed)
		if err != nil {
			continue
		}
		parts, err := decodeNotice(plain, reader, hospital, day)
		if err != nil {
			t.Problem = err.Error()
			return t
		}
		t.Read, t.Problem = parts, ""
		return t
	}
	return t
}

// acts calls f with the acts of an institution, the newest first. It may have sent
// many entries: only its own chain is walked.
func acts(n Node, institution uint32, f func(a *act.Act, index, logTime uint64) error) error {
	view := n.View()
	m, ok := view.Member(institution)
	if !ok || m.Chain.Sequence == 0 || !everReader(view, institution) {
		return nil
	}
	for number := m.Chain.Number; ; {
		meta, err := n.Machine().Meta(number)
		if err != nil {
			return err
		}
		if meta.Count == 1 {
			env, logTime, err := n.Machine().Envelope(number)
			if err != nil {
				return err
			}
			if env.Kind == envelope.KindAct {
				if a, err := act.Decode(env.Bodies[0].Ciphertext); err == nil {
					if err := f(a, meta.First, logTime); err != nil {
						return err
					}
				}
			}
		}
		if meta.PrevOfHospital >= number {
			return nil
		}
		number = meta.PrevOfHospital
	}
}

// everReader tells institutions that may have read from those that only send: a
// reader whose right was taken has acts from before.
func everReader(view *state.State, institution uint32) bool {
	m, ok := view.Member(institution)
	return ok && (m.Rights != 0 || m.Role == act.RoleReader)
}

// DayOf names a quota day, as 2026-11-28.
func DayOf(day uint32) string {
	return dayTime(day).Format("2006-01-02")
}

// DayAt is the quota day of a log time in ms.
func DayAt(ms uint64) uint32 { return pseudonym.QuotaDay(ms) }
