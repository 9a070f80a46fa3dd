package pseudonym

import (
	"crypto"
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"slices"
	"testing"

	"github.com/cloudflare/circl/group"
	"github.com/cloudflare/circl/zk/dleq"
)

const (
	forgedBatch = 4
	candidates  = 12_288         // per element
	window      = toyOrder >> 13 // of sums kept on the way
)

// A holder that knows its share k answers k·C + e for errors e of its choice.
// The proof passes if the errors, weighted, sum to zero. Where a weight
// depends on its own element alone, the holder can draw many (error, weight)
// for each element and search for a combination: Wagner's generalised
// birthday, here with four lists. Bound to the whole batch, all weights
// change with every draw, and there is nothing to search.
func TestErrorsThatCancelAreAcceptedUnboundAndRefusedBound(t *testing.T) {
	if !big.NewInt(toyOrder).ProbablyPrime(20) {
		t.Fatal("the toy order is no prime")
	}
	f := forger{key: &toyScalar{v: 123_456_789_012}, dst: []byte("a tag chosen before the answer")}
	for i := range forgedBatch {
		f.blinded = append(f.blinded, &toyElement{v: 1_000_003 * uint64(i+1)})
	}
	forged := f.search(t)
	honest := f.answer([forgedBatch]uint64{})
	for i := range forged {
		if forged[i].(*toyElement).v == honest[i].(*toyElement).v {
			t.Fatalf("element %d of the forgery is right", i)
		}
	}
	if !f.accepted(t, f.dst, honest) || !f.accepted(t, f.transcript(honest), honest) {
		t.Error("an honest answer is refused")
	}
	if !f.accepted(t, f.dst, forged) {
		t.Error("unbound: the forgery is refused, so it shows nothing about the bound proof")
	}
	if f.accepted(t, f.transcript(forged), forged) {
		t.Error("bound to its batch, the forgery is accepted")
	}
}

type forger struct {
	key     *toyScalar
	dst     []byte
	blinded []group.Element
}

// answer returns k·C_i + e_i for each element.
func (f forger) answer(errors [forgedBatch]uint64) []group.Element {
	out := make([]group.Element, forgedBatch)
	for i, c := range f.blinded {
		kc := toyGroup{}.NewElement().Mul(c, f.key)
		out[i] = kc.Add(kc, &toyElement{v: errors[i]})
	}
	return out
}

// accepted proves an answer as an honest holder would and verifies it.
func (f forger) accepted(t *testing.T, dst []byte, evaluated []group.Element) bool {
	t.Helper()
	params := dleq.Params{G: toyGroup{}, H: crypto.SHA512, DST: dst}
	base := toyGroup{}.Generator()
	public := toyGroup{}.NewElement().Mul(base, f.key)
	p, err := dleq.Prover{Params: params}.ProveBatchWithRandomness(
		f.key, base, public, f.blinded, evaluated, &toyScalar{v: 987_654_321})
	if err != nil {
		t.Fatal(err)
	}
	return dleq.Verifier{Params: params}.VerifyBatch(base, public, f.blinded, evaluated, p)
}

// transcript is this package's, over the toy elements.
func (f forger) transcript(evaluated []group.Element) []byte {
	return transcript(Request{Epoch: 1, Holder: 1, N: forgedBatch}, toBytes(f.blinded), toBytes(evaluated))
}

func toBytes(in []group.Element) (out [][32]byte) {
	for _, e := range in {
		out = append(out, e.(*toyElement).bytes())
	}
	return out
}

// draw is one error for one element, and what it adds to the weighted sum.
type draw struct{ e, value uint64 }

// pair is two draws and their sum.
type pair struct{ first, second, sum uint64 }

// search returns an answer that is wrong in every element and whose weighted
// errors sum to zero.
func (f forger) search(t *testing.T) []group.Element {
	t.Helper()
	lists := [forgedBatch][]draw{}
	for i := range lists {
		lists[i] = f.draws(t, i)
	}
	left := map[uint64]pair{}
	for _, p := range nearZero(lists[0], lists[1], 0) {
		left[p.sum] = p
	}
	for _, p := range nearZero(lists[2], lists[3], toyOrder-window+1) {
		if l, ok := left[(toyOrder-p.sum)%toyOrder]; ok {
			return f.answer([forgedBatch]uint64{l.first, l.second, p.first, p.second})
		}
	}
	t.Fatal("no combination found")
	return nil
}

// nearZero returns the pairs whose sum lies in [from, from + window) modulo
// the order.
func nearZero(a, b []draw, from uint64) (out []pair) {
	byValue := slices.SortedFunc(slices.Values(b), func(x, y draw) int { return int(x.value) - int(y.value) })
	for _, x := range a {
		low := (from + toyOrder - x.value) % toyOrder
		i, _ := slices.BinarySearchFunc(byValue, low, func(d draw, v uint64) int { return int(d.value) - int(v) })
		for ; i < len(byValue) && byValue[i].value < low+window; i++ {
			out = append(out, pair{x.e, byValue[i].e, (x.value + byValue[i].value) % toyOrder})
		}
	}
	return out
}

// draws tries the errors 1, 2, 3... for element i.
func (f forger) draws(t *testing.T, i int) []draw {
	t.Helper()
	seed := f.seed()
	kc := toyGroup{}.NewElement().Mul(f.blinded[i], f.key).(*toyElement).v
	out := make([]draw, candidates)
	for j := range out {
		e := uint64(j + 1)
		d := &toyElement{v: (kc + e) % toyOrder}
		out[j] = draw{e, toyMul(f.weight(seed, i, d), e)}
	}
	return out
}

// seed and weight follow RFC 9497 section 2.2.1 (ComputeComposites), as the
// library does.
func (f forger) seed() []byte {
	public := toyGroup{}.NewElement().Mul(toyGroup{}.Generator(), f.key).(*toyElement).bytes()
	sum := sha512.Sum512(append(prefixed(nil, public[:]), prefixed(nil, append([]byte("Seed-"), f.dst...))...))
	return sum[:]
}

func (f forger) weight(seed []byte, i int, d *toyElement) uint64 {
	c, kc := f.blinded[i].(*toyElement).bytes(), d.bytes()
	msg := binary.BigEndian.AppendUint16(prefixed(nil, seed), uint16(i))
	msg = append(prefixed(prefixed(msg, c[:]), kc[:]), "Composite"...)
	return toyGroup{}.HashToScalar(msg, append([]byte("HashToScalar-"), f.dst...)).(*toyScalar).v
}

func prefixed(b, v []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(v))), v...)
}
