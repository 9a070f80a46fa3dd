package reads

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// noticeLabel is what notices are sealed under.
const noticeLabel = "raresync/v1/read-notice"

// maxSpans is how many spans a notice has room for; others are joined with their
// neighbours.
const maxSpans = 40

var errStop = errors.New("stop")

// Part is what a notice says of one purpose.
type Part struct {
	Purpose act.Purpose
	Entries uint64     // of the hospital, that were read
	Spans   []act.Span // in which they lie, ascending; entries of others may lie between
}

// noticed is the file with the last day of which notices were sent.
const noticed = "noticed"

const (
	noticeTick  = time.Minute
	noticeRetry = 5 * time.Minute
	mostDays    = 7 // of which notices are sent after a node was off
)

// Run sends the notices of each day once it is over, until the context ends.
func (l *Log) Run(ctx context.Context) {
	wait := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = noticeTick
		if err := l.Notify(ctx); err != nil && ctx.Err() == nil {
			l.cfg.Logger.Warn("hospitals have not been told yet what was read of theirs", "reason", err.Error())
			wait = noticeRetry
		}
	}
}

// Notify sends the notices of days that are over and of which none were sent. There
// are none of days before this node first ran, and below feature level 3.
func (l *Log) Notify(ctx context.Context) error {
	view := l.cfg.Node.View()
	if self, ok := view.Member(l.cfg.Institution); !ok || self.Rights == 0 || view.FeatureLevel < Level {
		return nil
	}
	now := today(l.cfg.Now())
	last, err := l.lastNoticed()
	if err != nil {
		return err
	}
	if last == 0 { // this day is the first
		return l.setNoticed(now - 1)
	}
	if now > mostDays+1 {
		last = max(last, now-mostDays-1)
	}
	for day := last + 1; day < now; day++ {
		if err := l.notify(ctx, view, day); err != nil {
			return err
		}
		if err := l.setNoticed(day); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) lastNoticed() (uint32, error) {
	raw, err := ledger.ReadFileDurable(filepath.Join(l.cfg.Dir, noticed))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err == nil && len(raw) != 4 {
		err = fmt.Errorf("%d bytes", len(raw))
	}
	if err != nil {
		return 0, fmt.Errorf("read audit: the day of the last notices: %w; remove the file to begin with this day", err)
	}
	return binary.BigEndian.Uint32(raw), nil
}

func (l *Log) setNoticed(day uint32) error {
	if err := os.MkdirAll(l.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("read audit: %w", err)
	}
	return ledger.WriteFileDurable(filepath.Join(l.cfg.Dir, noticed), binary.BigEndian.AppendUint32(nil, day))
}

// notify tells every hospital what of its own was read on a day.
func (l *Log) notify(ctx context.Context, view *state.State, day uint32) error {
	read, err := l.readOn(day)
	if err != nil {
		return err
	}
	own, err := l.byHospital(read)
	if err != nil {
		return err
	}
	out := act.Notices{Day: day}
	send := func() error {
		if len(out.To) == 0 {
			return nil
		}
		err := l.cfg.Post(ctx, act.Act{Version: act.Version, Type: act.TypeNotices, Payload: out.Marshal()})
		out.To = nil
		return err
	}
	for i := range view.Members {
		m, number := &view.Members[i], uint32(i+1)
		if _, removed := view.RemovedAt(number); removed || m.Role != act.RoleHospital {
			continue
		}
		plain := encodeNotice(l.cfg.Institution, number, day, own[number])
		sealed, err := m.Institution.Sealing.SealMessage(noticeLabel, plain)
		if err != nil {
			return err
		}
		out.To = append(out.To, act.Notice{Hospital: number, Sealed: sealed})
		if len(out.To) == act.MaxNotices {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// readOn returns the indexes that were read on a day, by purpose.
func (l *Log) readOn(day uint32) (map[act.Purpose][]act.Span, error) {
	records, err := l.ofDay(day)
	if err != nil {
		return nil, err
	}
	keys, out := l.cfg.Sealing(), map[act.Purpose][]act.Span{}
	for _, sealed := range records {
		r, _, ok := sealed.open(keys)
		if !ok {
			return nil, fmt.Errorf("a record of day %s does not open with the keys of this node", DayOf(day))
		}
		if len(r.Spans) > 0 {
			p, _ := act.ParsePurpose(r.Purpose)
			out[p] = append(out[p], r.Spans...)
		}
	}
	return out, nil
}

// byHospital sorts indexes that were read by whose they are.
func (l *Log) byHospital(read map[act.Purpose][]act.Span) (map[uint32][]Part, error) {
	out := map[uint32][]Part{}
	m, size := l.cfg.Node.Machine(), l.cfg.Node.View().Tree.Size()
	for purpose, spans := range read {
		parts := map[uint32]*Part{}
		for _, span := range union(spans) {
			for at, end := span.First, min(span.End(), size); at < end; {
				number, err := m.EnvelopeAt(at)
				if err != nil {
					return nil, err
				}
				meta, err := m.Meta(number)
				if err != nil {
					return nil, err
				}
				upTo := min(end, meta.First+uint64(meta.Count))
				raw, err := m.Leaf(at)
				if err != nil {
					return nil, err
				}
				leaf, err := envelope.ParseLeaf(raw)
				if err != nil {
					return nil, err
				}
				if leaf.Kind == envelope.KindEntries {
					if parts[meta.Hospital] == nil {
						parts[meta.Hospital] = &Part{Purpose: purpose}
					}
					parts[meta.Hospital].add(act.Span{First: at, Count: upTo - at})
				}
				at = upTo
			}
		}
		for hospital, p := range parts {
			out[hospital] = append(out[hospital], *p)
		}
	}
	return out, nil
}

func (p *Part) add(s act.Span) {
	p.Entries += s.Count
	if n := len(p.Spans); n > 0 && p.Spans[n-1].End() == s.First {
		p.Spans[n-1].Count += s.Count
		return
	}
	p.Spans = append(p.Spans, s)
}

// joined returns at most so many spans that cover the given ones, with the widest
// gaps left open.
func joined(spans []act.Span, most int) []act.Span {
	if len(spans) <= most {
		return spans
	}
	gaps := make([]int, len(spans)-1) // before which span
	for i := range gaps {
		gaps[i] = i + 1
	}
	gap := func(i int) uint64 { return spans[i].First - spans[i-1].End() }
	slices.SortFunc(gaps, func(a, b int) int { return cmp.Or(cmp.Compare(gap(b), gap(a)), cmp.Compare(a, b)) })
	kept := slices.Sorted(slices.Values(gaps[:most-1]))
	var out []act.Span
	from := 0
	for _, next := range append(kept, len(spans)) {
		first := spans[from].First
		out = append(out, act.Span{First: first, Count: spans[next-1].End() - first})
		from = next
	}
	return out
}

// encodeNotice returns a notice's plaintext, NoticeBytes long.
func encodeNotice(reader, hospital, day uint32, parts []Part) []byte {
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Purpose, b.Purpose) })
	b := cbor.AppendArray(nil, 5)
	for _, n := range []uint32{1, reader, hospital, day} {
		b = cbor.AppendUint(b, uint64(n))
	}
	b = cbor.AppendArray(b, len(parts))
	for _, p := range parts {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendUint(b, uint64(p.Purpose))
		b = cbor.AppendUint(b, p.Entries)
		spans := joined(p.Spans, maxSpans/len(parts))
		b = cbor.AppendArray(b, len(spans))
		for _, s := range spans {
			b = cbor.AppendUint(cbor.AppendArray(b, 2), s.First)
			b = cbor.AppendUint(b, s.Count)
		}
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(b)))
	out = append(out, b...)
	return append(out, make([]byte, act.NoticeBytes-len(out))...)
}

// decodeNotice reads a notice from a reader to a hospital of a day: another's, put
// into this one's place, is none.
func decodeNotice(plain []byte, reader, hospital, day uint32) (parts []Part, err error) {
	if len(plain) != act.NoticeBytes || int(binary.BigEndian.Uint16(plain)) > len(plain)-2 {
		return nil, fmt.Errorf("a notice of %d bytes", len(plain))
	}
	d := cbor.NewDecoder(plain[2 : 2+binary.BigEndian.Uint16(plain)])
	d.Array(5)
	if version, r, h, on := d.Uint(), d.Uint32(), d.Uint32(), d.Uint32(); d.Err() == nil && (version != 1 || r != reader || h != hospital || on != day) {
		return nil, fmt.Errorf("the notice is of reader %d to hospital %d about day %s", r, h, DayOf(on))
	}
	for range d.ArrayMax(len(act.Purposes())) {
		d.Array(3)
		p := Part{Purpose: act.Purpose(d.Uint8()), Entries: d.Uint()}
		for range d.ArrayMax(maxSpans) {
			d.Array(2)
			p.Spans = append(p.Spans, act.Span{First: d.Uint(), Count: d.Uint()})
		}
		parts = append(parts, p)
	}
	return parts, d.Done()
}

func dayTime(day uint32) time.Time { return time.Unix(int64(day)*24*3600, 0).UTC() }

func rfc3339(ms uint64) string { return time.UnixMilli(int64(ms)).UTC().Format(time.RFC3339) }
