package seal_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
)

var testContext = seal.Context{Network: [32]byte{1, 2, 3}, Hospital: 7, Sequence: 12, Attempt: 3}

func newKEKs(t testing.TB) seal.KEKs {
	t.Helper()
	k, err := seal.NewKEKs(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// mustSeal seals plaintext as part p of keks at place 5 of testContext.
func mustSeal(t testing.TB, p seal.Part, keks seal.KEKs, plaintext []byte) seal.Body {
	t.Helper()
	var salt [32]byte
	rand.Read(salt[:])
	b, err := testContext.Seal(5, p, keks.Of(p), salt, plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBodyOpensToItsPartAndPlaintext(t *testing.T) {
	keks := newKEKs(t)
	for _, p := range []seal.Part{seal.Clinical, seal.Genetic} {
		for _, n := range []int{0, 1, 507, 508, 509, 1020, 1021, 65532, 65533, seal.MaxPlaintextBytes} {
			want := bytes.Repeat([]byte{0xa5}, n)
			b := mustSeal(t, p, keks, want)
			part, got, err := testContext.Open(5, keks, b)
			if err != nil {
				t.Fatalf("%s, %d bytes: %v", p, n, err)
			}
			if part != p || !bytes.Equal(got, want) {
				t.Errorf("%s, %d bytes: opened %d bytes as %s", p, n, len(got), part)
			}
		}
	}
}

func TestCiphertextLengthIsASizeClass(t *testing.T) {
	keks := newKEKs(t)
	for n, want := range map[int]int{
		0: 512, 508: 512, 509: 1024, 1020: 1024, 1021: 2048, 65532: 65536, 65533: 131072, 131068: 131072,
	} {
		b := mustSeal(t, seal.Clinical, keks, make([]byte, n))
		if got := len(b.Ciphertext); got != want+16 {
			t.Errorf("%d bytes seal to %d, want %d", n, got, want+16)
		}
	}
	classes := 0
	for n := -1; n < 300_000; n++ {
		if seal.CheckCiphertextLen(n) == nil {
			classes++
		}
	}
	if classes != 9 {
		t.Errorf("%d lengths are accepted, want 9", classes)
	}
}

func TestEntryAboveTheLimitIsRefused(t *testing.T) {
	_, err := testContext.Seal(0, seal.Clinical, newKEKs(t).Clinical, [32]byte{}, make([]byte, seal.MaxPlaintextBytes+1))
	if !errors.Is(err, seal.ErrTooLarge) {
		t.Errorf("got %v, want FM005", err)
	}
}

func TestNothingIsSealedWithoutAKeyOrPart(t *testing.T) {
	if _, err := testContext.Seal(0, seal.Clinical, seal.KEK{}, [32]byte{}, nil); err == nil {
		t.Error("sealed under a key of zeros")
	}
	if _, err := testContext.Seal(0, 'x', newKEKs(t).Clinical, [32]byte{}, nil); err == nil {
		t.Error("sealed as an unknown part")
	}
}

func TestBodyMovedElsewhereDoesNotOpen(t *testing.T) {
	keks := newKEKs(t)
	b := mustSeal(t, seal.Clinical, keks, []byte("an entry"))
	for name, tc := range map[string]struct {
		change func(*seal.Context)
		place  uint32
		ok     bool
	}{
		"where it was sealed":  {func(*seal.Context) {}, 5, true},
		"another place":        {func(*seal.Context) {}, 6, false},
		"another network":      {func(c *seal.Context) { c.Network[31]++ }, 5, false},
		"another hospital":     {func(c *seal.Context) { c.Hospital++ }, 5, false},
		"the next sequence":    {func(c *seal.Context) { c.Sequence++ }, 5, false},
		"another attempt":      {func(c *seal.Context) { c.Attempt++ }, 5, false},
		"fields one byte over": {func(c *seal.Context) { c.Hospital, c.Sequence = 0, 7<<56|12 }, 5, false},
	} {
		c := testContext
		tc.change(&c)
		_, _, err := c.Open(tc.place, keks, b)
		if tc.ok != (err == nil) || (!tc.ok && !errors.Is(err, seal.ErrBody)) {
			t.Errorf("%s: %v", name, err)
		}
		same := c.Commitment(tc.place, b.Salt, b.Tag, b.Ciphertext) ==
			testContext.Commitment(5, b.Salt, b.Tag, b.Ciphertext)
		if same != tc.ok {
			t.Errorf("%s: same commitment: %t", name, same)
		}
	}
}

func TestEveryChangedByteOfABodyIsSeen(t *testing.T) {
	keks := newKEKs(t)
	good := mustSeal(t, seal.Genetic, keks, []byte("an entry"))
	commitment := testContext.Commitment(5, good.Salt, good.Tag, good.Ciphertext)
	check := func(what string, bad seal.Body) {
		t.Helper()
		if _, _, err := testContext.Open(5, keks, bad); !errors.Is(err, seal.ErrBody) {
			t.Errorf("%s: got %v, want SEAL002", what, err)
		}
		if testContext.Commitment(5, bad.Salt, bad.Tag, bad.Ciphertext) == commitment {
			t.Errorf("%s: same commitment", what)
		}
	}
	for i := range good.Salt {
		bad := good
		bad.Salt[i] ^= 1
		check(fmt.Sprintf("salt byte %d", i), bad)
	}
	for i := range good.Tag {
		bad := good
		bad.Tag[i] ^= 1
		check(fmt.Sprintf("tag byte %d", i), bad)
	}
	for i := range good.Ciphertext {
		bad := good
		bad.Ciphertext = bytes.Clone(good.Ciphertext)
		bad.Ciphertext[i] ^= 1
		check(fmt.Sprintf("ciphertext byte %d", i), bad)
	}
}

func TestCiphertextOfAnotherLengthIsRefused(t *testing.T) {
	keks := newKEKs(t)
	good := mustSeal(t, seal.Clinical, keks, make([]byte, 509))
	for _, n := range []int{0, 15, 16, 512, 527, 529, 1024, 1039} {
		bad := good
		bad.Ciphertext = good.Ciphertext[:n]
		if _, _, err := testContext.Open(5, keks, bad); !errors.Is(err, seal.ErrLength) {
			t.Errorf("%d bytes: got %v, want FM006", n, err)
		}
	}
	cut := good
	cut.Ciphertext = good.Ciphertext[:528]
	if _, _, err := testContext.Open(5, keks, cut); !errors.Is(err, seal.ErrBody) {
		t.Errorf("cut to a smaller size class: got %v, want SEAL002", err)
	}
}

func TestBodyOpensWithTheKeyOfItsPartOnly(t *testing.T) {
	keks := newKEKs(t)
	b := mustSeal(t, seal.Genetic, keks, []byte("an entry"))
	for name, tc := range map[string]struct {
		keks        seal.KEKs
		fails, part error
	}{
		"both keys":               {keks, nil, nil},
		"the genetic key":         {seal.KEKs{Genetic: keks.Genetic}, nil, nil},
		"the clinical key":        {seal.KEKs{Clinical: keks.Clinical}, seal.ErrBody, seal.ErrPart},
		"no key":                  {seal.KEKs{}, seal.ErrBody, seal.ErrPart},
		"another envelope's keys": {newKEKs(t), seal.ErrBody, seal.ErrPart},
		"the keys exchanged":      {seal.KEKs{Clinical: keks.Genetic, Genetic: keks.Clinical}, seal.ErrBody, nil},
		"one key for both parts":  {seal.KEKs{Clinical: keks.Genetic, Genetic: keks.Genetic}, seal.ErrBody, nil},
	} {
		part, got, err := testContext.Open(5, tc.keks, b)
		if !errors.Is(err, tc.fails) || errors.Is(err, seal.ErrPart) != (tc.part != nil) {
			t.Errorf("%s: got %v, want %v and %v", name, err, tc.fails, tc.part)
		}
		if tc.fails == nil && (part != seal.Genetic || string(got) != "an entry") {
			t.Errorf("%s: opened %q as %s", name, got, part)
		}
	}
}

func FuzzOpenBody(f *testing.F) {
	keks := seal.KEKs{Clinical: seal.KEK{1}, Genetic: seal.KEK{2}}
	b, err := testContext.Seal(5, seal.Clinical, keks.Clinical, [32]byte{3}, []byte("an entry"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b.Salt[:], b.Tag[:], b.Ciphertext)
	f.Add(make([]byte, 32), make([]byte, 16), make([]byte, 528))
	f.Fuzz(func(t *testing.T, salt, tag, ciphertext []byte) {
		var in seal.Body
		copy(in.Salt[:], salt)
		copy(in.Tag[:], tag)
		in.Ciphertext = ciphertext
		p, plaintext, err := testContext.Open(5, keks, in)
		if err != nil {
			return
		}
		out, err := testContext.Seal(5, p, keks.Of(p), in.Salt, plaintext)
		if err != nil || out.Tag != in.Tag || !bytes.Equal(out.Ciphertext, in.Ciphertext) {
			t.Errorf("what opened seals to another body: %v", err)
		}
	})
}
