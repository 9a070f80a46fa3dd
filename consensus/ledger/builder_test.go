package ledger

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/raresync/raresync/crypto/tlog"
)

// A builder makes batches as the state machine would, with the tree beside.
type builder struct {
	random   *rand.Rand
	frontier *tlog.Frontier
	at       Lengths
	newest   map[uint32]uint64 // number of the hospital's newest envelope
	sequence map[uint32]uint64
	batches  []Batch
	lengths  []Lengths // after so many batches
}

func newBuilder(t testing.TB) *builder {
	t.Helper()
	frontier, err := tlog.NewFrontier(0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &builder{random: rand.New(rand.NewPCG(1, 2)), frontier: frontier,
		newest: map[uint32]uint64{}, sequence: map[uint32]uint64{}, lengths: []Lengths{{}}}
}

func (b *builder) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(b.random.Uint32())
	}
	return out
}

// next builds the following envelope: count entries with bodyBytes of
// ciphertext each.
func (b *builder) next(hospital uint32, count, bodyBytes int) Batch {
	number := uint64(len(b.batches))
	b.sequence[hospital]++
	batch := Batch{Header: b.bytes(40 + int(number%7)), MLDSA: b.bytes(mldsaBytes), LogTimeMS: 1000 + number,
		Hospital: hospital, Sequence: b.sequence[hospital], Attempt: 1, PrevOfHospital: None}
	if prev, ok := b.newest[hospital]; ok {
		batch.PrevOfHospital = prev
	}
	b.newest[hospital] = number
	copy(batch.Ed25519[:], b.bytes(64))
	copy(batch.ID[:], b.bytes(32))
	after := b.at
	for range count {
		leaf := b.bytes(LeafBytes)
		body := Body{Ciphertext: b.bytes(bodyBytes)}
		copy(body.Salt[:], b.bytes(SaltBytes))
		copy(body.Tag[:], b.bytes(TagBytes))
		batch.Leaves, batch.Bodies = append(batch.Leaves, leaf), append(batch.Bodies, body)
		b.frontier.Append(tlog.LeafHash(leaf), func(height uint, h tlog.Hash) {
			if height%8 == 0 && height/8 < 4 {
				batch.Hashes[height/8] = append(batch.Hashes[height/8], h)
			}
		})
		after.BodiesBytes += uint64(TagBytes + bodyBytes)
	}
	b.at = newLengths(number+1, b.at.TreeSize+uint64(count),
		after.EnvelopesBytes+uint64(envelopeFixedBytes+len(batch.Header)), after.BodiesBytes)
	b.batches, b.lengths = append(b.batches, batch), append(b.lengths, b.at)
	return batch
}

func open(t testing.TB, dir string) *Ledger {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func appendAll(t testing.TB, l *Ledger, batches []Batch) {
	t.Helper()
	for _, b := range batches {
		if err := l.Append(b); err != nil {
			t.Fatal(err)
		}
	}
}

// wantHolds checks that l holds exactly the first n batches, by every read.
func wantHolds(t testing.TB, l *Ledger, b *builder, n int) {
	t.Helper()
	if got := l.Lengths(); got != b.lengths[n] {
		t.Fatalf("lengths after %d envelopes: got %+v, want %+v", n, got, b.lengths[n])
	}
	if got, err := l.LengthsAt(uint64(n / 2)); err != nil || got != b.lengths[n/2] {
		t.Fatalf("lengths at %d envelopes: got %+v, %v, want %+v", n/2, got, err, b.lengths[n/2])
	}
	for number, want := range b.batches[:n] {
		rec, bodies, err := l.WholeEnvelope(uint64(number))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(rec.Header, want.Header) || rec.Ed25519 != want.Ed25519 || !bytes.Equal(rec.MLDSA, want.MLDSA) ||
			rec.LogTimeMS != want.LogTimeMS || rec.ID != want.ID || rec.Hospital != want.Hospital ||
			rec.Sequence != want.Sequence || rec.Attempt != want.Attempt || rec.PrevOfHospital != want.PrevOfHospital {
			t.Fatalf("envelope %d differs: got %+v", number, rec)
		}
		if !reflect.DeepEqual(bodies, want.Bodies) {
			t.Fatalf("bodies of envelope %d differ", number)
		}
		leaves, err := l.LeafRange(rec.First, int(rec.Count))
		if err != nil || !reflect.DeepEqual(leaves, want.Leaves) {
			t.Fatalf("leaves of envelope %d: %v, differ", number, err)
		}
		last := rec.First + uint64(rec.Count) - 1
		if at, err := l.EnvelopeAt(last); err != nil || at != uint64(number) {
			t.Fatalf("envelope of entry %d: got %d, %v, want %d", last, at, err, number)
		}
		if body, err := l.Body(last); err != nil || !reflect.DeepEqual(body, want.Bodies[rec.Count-1]) {
			t.Fatalf("body %d: %v, differs", last, err)
		}
	}
}
