package ledger

import (
	"encoding/binary"
	"fmt"

	"github.com/raresync/raresync/consensus/fault"
)

// An EnvelopeRec is an envelope as the ledger keeps it, without its bodies.
type EnvelopeRec struct {
	Number    uint64
	Header    []byte // as signed
	Ed25519   [ed25519Bytes]byte
	MLDSA     []byte
	LogTimeMS uint64

	EnvelopeMeta
}

// EnvelopeMeta is what the index alone says of an envelope.
type EnvelopeMeta struct {
	First          uint64 // index of its first entry
	Count          uint32 // number of its entries
	Hospital       uint32
	Sequence       uint64
	Attempt        uint32
	PrevOfHospital uint64 // number of the hospital's previous envelope, or None
	ID             [32]byte
}

func (r indexRecord) meta() EnvelopeMeta {
	return EnvelopeMeta{First: r.first, Count: r.count, Hospital: r.hospital, Sequence: r.sequence,
		Attempt: r.attempt, PrevOfHospital: r.prev, ID: r.id}
}

// Meta returns what the index says of envelope number n, in one read.
func (l *Ledger) Meta(n uint64) (EnvelopeMeta, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n >= l.at.Envelopes {
		return EnvelopeMeta{}, fmt.Errorf("read envelope %d: %w", n, ErrOutOfRange)
	}
	r, err := l.index(n)
	if err != nil {
		return EnvelopeMeta{}, fmt.Errorf("read envelope %d: %w", n, err)
	}
	return r.meta(), nil
}

// Envelope returns header, signatures and log time of envelope number n.
func (l *Ledger) Envelope(n uint64) (EnvelopeRec, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	rec, err := l.envelope(n)
	if err != nil {
		return EnvelopeRec{}, fmt.Errorf("read envelope %d: %w", n, err)
	}
	return rec, nil
}

func (l *Ledger) envelope(n uint64) (EnvelopeRec, error) {
	if n >= l.at.Envelopes {
		return EnvelopeRec{}, ErrOutOfRange
	}
	r, start, err := l.span(n)
	if err != nil {
		return EnvelopeRec{}, err
	}
	if r.end > l.at.EnvelopesBytes || r.end-start > envelopeFixedBytes+MaxEnvelopeBytes {
		return EnvelopeRec{}, damaged(fileIndex.name(), "record %d ends at byte %d", n, r.end)
	}
	b := make([]byte, r.end-start)
	if err := l.readAt(fileEnvelopes, b, start); err != nil {
		return EnvelopeRec{}, err
	}
	rec, err := parseEnvelope(b, n)
	rec.EnvelopeMeta = r.meta()
	return rec, err
}

// parseEnvelope reads the record of envelope number n, all but what the index
// says of it.
func parseEnvelope(b []byte, n uint64) (EnvelopeRec, error) {
	if uint64(binary.BigEndian.Uint32(b)) != uint64(len(b)-envelopeFixedBytes) {
		return EnvelopeRec{}, damaged(fileEnvelopes.name(), "envelope %d has another length", n)
	}
	if !checksumFits(b) && !fault.Planted(fault.SkipReadCheck) {
		return EnvelopeRec{}, damaged(fileEnvelopes.name(), "envelope %d: checksum does not fit", n)
	}
	rec := EnvelopeRec{Number: n}
	b = b[4:]
	header := len(b) - (envelopeFixedBytes - 4)
	rec.Header, b = b[:header:header], b[header:]
	copy(rec.Ed25519[:], b)
	rec.MLDSA = b[ed25519Bytes:][:mldsaBytes:mldsaBytes]
	rec.LogTimeMS = binary.BigEndian.Uint64(b[ed25519Bytes+mldsaBytes:])
	return rec, nil
}

// Body returns the sealed entry at index. An erased one reads as zeros of the
// same length; the state says which those are.
func (l *Ledger) Body(index uint64) (Body, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	bodies, err := l.bodies(index, 1)
	if err != nil {
		return Body{}, fmt.Errorf("read body %d: %w", index, err)
	}
	return bodies[0], nil
}

// WholeEnvelope returns envelope number n with its bodies, as a peer pulls it.
func (l *Ledger) WholeEnvelope(n uint64) (EnvelopeRec, []Body, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	rec, err := l.envelope(n)
	if err != nil {
		return EnvelopeRec{}, nil, fmt.Errorf("read envelope %d: %w", n, err)
	}
	bodies, err := l.bodies(rec.First, rec.Count)
	if err != nil {
		return EnvelopeRec{}, nil, fmt.Errorf("read envelope %d: %w", n, err)
	}
	return rec, bodies, nil
}

// bodies reads count entries from index first on, one read per file. They are
// entries of one envelope, which bounds their size together.
func (l *Ledger) bodies(first uint64, count uint32) ([]Body, error) {
	if !within(first, uint64(count), l.at.TreeSize) {
		return nil, ErrOutOfRange
	}
	start, ends, err := l.bodyEnds(first, count)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, ends[count-1]-start)
	if err := l.readAt(fileBodies, sealed, start); err != nil {
		return nil, err
	}
	salts := make([]byte, uint64(count)*SaltBytes)
	if err := l.readAt(fileSalts, salts, first*SaltBytes); err != nil {
		return nil, err
	}
	out := make([]Body, count)
	for i := range out {
		n := ends[i] - start
		copy(out[i].Salt[:], salts[i*SaltBytes:])
		copy(out[i].Tag[:], sealed)
		out[i].Ciphertext = sealed[TagBytes:n:n]
		sealed, start = sealed[n:], ends[i]
	}
	return out, nil
}

// bodyEnds returns the offset at which body first starts and the offsets at
// which it and the following ones end.
func (l *Ledger) bodyEnds(first uint64, count uint32) (start uint64, ends []uint64, err error) {
	from, skip := first, uint64(0)
	if first > 0 {
		from, skip = first-1, 1
	}
	b := make([]byte, (uint64(count)+skip)*bodyIndexBytes)
	if err := l.readAt(fileBodyIndex, b, from*bodyIndexBytes); err != nil {
		return 0, nil, err
	}
	if skip == 1 {
		start, b = binary.BigEndian.Uint64(b), b[bodyIndexBytes:]
	}
	ends = make([]uint64, count)
	before := start
	for i := range ends {
		end := binary.BigEndian.Uint64(b[i*bodyIndexBytes:])
		if before > l.at.BodiesBytes || end > l.at.BodiesBytes || end < before+TagBytes {
			return 0, nil, damaged(fileBodyIndex.name(), "entry %d ends at byte %d", first+uint64(i), end)
		}
		ends[i], before = end, end
	}
	if before-start > uint64(count)*TagBytes+MaxEnvelopeBytes {
		return 0, nil, damaged(fileBodyIndex.name(), "%d bytes in %d entries from %d", before-start, count, first)
	}
	return start, ends, nil
}
