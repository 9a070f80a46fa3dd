package keyshare

import (
	"crypto/rand"
	"crypto/sha256"
	"syscall"
	"testing"

	"github.com/cloudflare/circl/group"
)

// ceremony is one run played through by everyone, up to the deals.
type ceremony struct {
	run      Run
	keys     []*CeremonyKey                // of each new holder
	public   [][][CeremonyPublicBytes]byte // of each new holder, one for each dealer
	dealings []*Dealing
	commits  [][32]byte
	deals    []Deal
}

var testNetwork = sha256.Sum256([]byte("a network"))

func dkgRun(n int) Run {
	return Run{Network: testNetwork, Number: 7, Origin: DKG, Epoch: 1,
		Threshold: uint16(Threshold(n)), Holders: uint16(n), Dealers: uint16(n)}
}

func reshareRun(old Record, n int) Run {
	return Run{Network: testNetwork, Number: 7 + uint64(old.Epoch), Origin: old.Origin, Epoch: old.Epoch + 1,
		Threshold: uint16(Threshold(n)), Holders: uint16(n), Dealers: old.Holders}
}

// newCeremony makes the new holders' keys and lets the dealings deal to them.
func newCeremony(t testing.TB, run Run, dealings []*Dealing) ceremony {
	t.Helper()
	c := ceremony{run: run, dealings: dealings}
	for range run.Holders {
		key, err := NewCeremonyKey()
		if err != nil {
			t.Fatal(err)
		}
		public, err := key.Public(run)
		if err != nil {
			t.Fatal(err)
		}
		c.keys, c.public = append(c.keys, key), append(c.public, public)
	}
	for _, d := range dealings {
		c.commits = append(c.commits, d.Commit())
		deal, err := d.Deal(c.keysFor(d.dealer))
		if err != nil {
			t.Fatal(err)
		}
		c.deals = append(c.deals, deal)
	}
	return c
}

// keysFor returns what the new holders published for one dealer.
func (c ceremony) keysFor(dealer uint16) (out [][CeremonyPublicBytes]byte) {
	for i := range c.public {
		out = append(out, c.public[i][dealer-1])
	}
	return out
}

func newDKG(t testing.TB, n int) ceremony {
	t.Helper()
	run := dkgRun(n)
	var dealings []*Dealing
	for i := range n {
		d, err := NewDealing(run, uint16(i+1), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		dealings = append(dealings, d)
	}
	return newCeremony(t, run, dealings)
}

// newReshare lets the given shares deal to n new holders.
func newReshare(t testing.TB, old Record, shares []Share, n int) ceremony {
	t.Helper()
	run := reshareRun(old, n)
	var dealings []*Dealing
	for _, s := range shares {
		d, err := NewReshare(run, s, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		dealings = append(dealings, d)
	}
	return newCeremony(t, run, dealings)
}

// finishDKG checks every deal as every holder does and joins the shares.
func (c ceremony) finishDKG(t testing.TB) (Record, []Share) {
	t.Helper()
	for i, d := range c.deals {
		if err := d.CheckDKG(c.run, c.commits[i]); err != nil {
			t.Fatal(err)
		}
	}
	record, err := RecordOfDKG(c.run, c.deals)
	if err != nil {
		t.Fatal(err)
	}
	return record, c.join(t, record)
}

func (c ceremony) finishReshare(t testing.TB, old Record) (Record, []Share) {
	t.Helper()
	for _, d := range c.deals {
		if err := d.CheckReshare(c.run, old); err != nil {
			t.Fatal(err)
		}
	}
	record, err := RecordOfReshare(c.run, old, c.deals)
	if err != nil {
		t.Fatal(err)
	}
	return record, c.join(t, record)
}

func (c ceremony) join(t testing.TB, record Record) []Share {
	t.Helper()
	shares := make([]Share, c.run.Holders)
	for i := range shares {
		share, err := Join(c.run, record, c.pieces(t, uint16(i+1)))
		if err != nil {
			t.Fatal(err)
		}
		shares[i] = share
	}
	return shares
}

func (c ceremony) pieces(t testing.TB, holder uint16) (out []Piece) {
	t.Helper()
	for _, d := range c.deals {
		p, err := d.Open(c.run, holder, c.keys[holder-1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// keyOf interpolates the public key that some shares make.
func keyOf(t testing.TB, shares []Share) [32]byte {
	t.Helper()
	numbers := make([]uint16, len(shares))
	for i, s := range shares {
		numbers[i] = s.Holder
	}
	sum := group.Ristretto255.NewScalar()
	for i, w := range weights(Run{Epoch: 2}, numbers) {
		sum.Add(sum, w.Mul(w, shares[i].Scalar.scalar()))
	}
	return mustEncode(group.Ristretto255.NewElement().MulGen(sum))
}

// choose returns every choice of k of the values.
func choose[T any](values []T, k int) [][]T {
	if k == 0 {
		return [][]T{nil}
	}
	var out [][]T
	for i := range values {
		for _, rest := range choose(values[i+1:], k-1) {
			out = append(out, append([]T{values[i]}, rest...))
		}
	}
	return out
}

func TestCeremoniesOfEverySizeMakeSharesOfOneKey(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5} {
		c := newDKG(t, n)
		record, shares := c.finishDKG(t)
		for _, some := range choose(shares, int(record.Threshold)) {
			if got := keyOf(t, some); got != record.PublicKey() {
				t.Errorf("%d holders: key %x, want %x", n, got, record.PublicKey())
			}
		}
	}
}

func TestResharesKeepTheKey(t *testing.T) {
	c := newDKG(t, 5)
	first, shares := c.finishDKG(t)
	record := first
	for _, n := range []int{9, 7, 1, 3} {
		old := record
		dealers := shares[len(shares)-int(old.Threshold):]
		record, shares = newReshare(t, old, dealers, n).finishReshare(t, old)
		if record.KeyID != first.KeyID || record.PublicKey() != first.PublicKey() || record.Epoch != old.Epoch+1 {
			t.Errorf("%d holders: record %+v, want the first key in epoch %d", n, record, old.Epoch+1)
		}
		for _, some := range choose(shares, int(record.Threshold)) {
			if got := keyOf(t, some); got != first.PublicKey() {
				t.Errorf("%d holders: key %x, want %x", n, got, first.PublicKey())
			}
		}
	}
}

// All the work of nine holders together: cpu-ns/op is what the process used.
func BenchmarkDKG9(b *testing.B) {
	started := cpuTime(b)
	for b.Loop() {
		c := newDKG(b, 9)
		for range c.run.Holders - 1 { // the ninth's checks are in finishDKG, with all nine's opening
			for i, d := range c.deals {
				if err := d.CheckDKG(c.run, c.commits[i]); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := RecordOfDKG(c.run, c.deals); err != nil {
				b.Fatal(err)
			}
		}
		c.finishDKG(b)
	}
	b.ReportMetric(float64(cpuTime(b)-started)/float64(b.N), "cpu-ns/op")
}

func cpuTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
