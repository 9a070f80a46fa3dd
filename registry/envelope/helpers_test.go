package envelope_test

import (
	"crypto/rand"
	"fmt"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/envelope"
)

var (
	both     = seal.Rights{Clinical: true, Genetic: true}
	clinical = seal.Rights{Clinical: true}

	senderKey = sign.NewFromSeeds(sign.PurposeEnvelope, [32]byte{1}, [32]byte{2})
	link      = envelope.Link{
		Network: [32]byte{9}, Hospital: 7, Sequence: 3, Attempt: 1, Previous: envelope.ID{8}, SignedAt: 1_790_000_000_000,
	}
)

// people are the keys that envelopes of these tests are sealed to, and one
// that they are not.
type people struct {
	own, withGenetics, clinicalOnly, province, stranger *seal.ReaderPrivate
}

func keys(t testing.TB) people {
	t.Helper()
	var p people
	for i, k := range []**seal.ReaderPrivate{&p.own, &p.withGenetics, &p.clinicalOnly, &p.province, &p.stranger} {
		var err error
		if *k, err = seal.NewReaderFromSeed([32]byte{byte(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// readers has two national readers, one of them without the genetics right,
// and a province reader: with two slots, six wraps.
func (p people) readers() *envelope.ReaderSet {
	set := &envelope.ReaderSet{
		Number:   5,
		Own:      p.own.Public(),
		National: []envelope.Reader{{Key: p.withGenetics.Public(), Rights: both}, {Key: p.clinicalOnly.Public(), Rights: clinical}},
		Province: &envelope.Reader{Key: p.province.Public(), Rights: clinical},
	}
	envelope.SortNational(set.National)
	return set
}

// plains returns n distinct entries, every third one genetic.
func plains(n int) []envelope.Plain {
	out := make([]envelope.Plain, n)
	for i := range out {
		out[i] = envelope.Plain{Part: seal.Clinical, CBOR: fmt.Appendf(nil, "entry %d", i)}
		if i%3 == 1 {
			out[i].Part = seal.Genetic
		}
	}
	return out
}

func build(t testing.TB, entries []envelope.Plain) (*envelope.Envelope, []uint32) {
	t.Helper()
	e, places, err := envelope.BuildEntries(link, keys(t).readers(), entries, senderKey, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return e, places
}

// check makes every check that needs no state.
func check(raw []byte) error {
	e, err := envelope.Decode(raw)
	if err != nil {
		return err
	}
	if err := e.CheckBodies(e.Commitments()); err != nil {
		return err
	}
	return e.VerifySignature(senderKey.Public())
}

// rebuild puts an envelope together anew after a change to its header or
// bodies, with the signature it had.
func rebuild(t testing.TB, e *envelope.Envelope, change func(*envelope.Header, []seal.Body)) *envelope.Envelope {
	t.Helper()
	h, bodies := e.Header, append([]seal.Body(nil), e.Bodies...)
	h.Wraps = append([]seal.Wrap(nil), e.Wraps...)
	change(&h, bodies)
	out, err := envelope.Assemble(h.Marshal(), e.Signature, bodies)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
