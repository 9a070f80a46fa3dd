package keyshare

import (
	"bytes"
	"crypto/hpke"
	"crypto/rand"
	"errors"
	"testing"
)

// lie replaces what a dealer sealed to a holder.
func (c ceremony) lie(t *testing.T, dealer, holder uint16, plain []byte, info []byte) {
	t.Helper()
	key, err := parsePublic(c.public[holder-1][dealer-1])
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := hpke.Seal(key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, plain)
	if err != nil {
		t.Fatal(err)
	}
	c.deals[dealer-1].Sealed[holder-1] = sealed
}

func (c ceremony) judge(dealer, holder uint16) (bool, error) {
	return Judge(c.run, c.deals[dealer-1], holder, c.public[holder-1][dealer-1], c.keys[holder-1].Reveal(c.run, dealer))
}

func TestLyingDealerIsFoundAndConvicted(t *testing.T) {
	for name, lie := range map[string]func(*testing.T, ceremony){
		"a wrong value": func(t *testing.T, c ceremony) {
			c.lie(t, 2, 4, mustMarshal(c.dealings[1].at(3)), sealInfo(c.run, 2, 4))
		},
		"another dealer's value": func(t *testing.T, c ceremony) {
			c.lie(t, 2, 4, mustMarshal(c.dealings[0].at(4)), sealInfo(c.run, 2, 4))
		},
		"a zero":                       func(t *testing.T, c ceremony) { c.lie(t, 2, 4, make([]byte, 32), sealInfo(c.run, 2, 4)) },
		"a scalar that is not reduced": func(t *testing.T, c ceremony) { c.lie(t, 2, 4, bytes.Repeat([]byte{0xff}, 32), sealInfo(c.run, 2, 4)) },
		"a value sealed for another": func(t *testing.T, c ceremony) {
			c.lie(t, 2, 4, mustMarshal(c.dealings[1].at(4)), sealInfo(c.run, 2, 3))
		},
		"what does not open":            func(_ *testing.T, c ceremony) { c.deals[1].Sealed[3][1130] ^= 1 },
		"an encapsulation of low order": func(_ *testing.T, c ceremony) { clear(c.deals[1].Sealed[3][1088:1120]) },
		"another dealer's sealed share": func(_ *testing.T, c ceremony) { c.deals[1].Sealed[3] = c.deals[0].Sealed[3] },
	} {
		t.Run(name, func(t *testing.T) {
			c := newDKG(t, 5)
			lie(t, c)
			if err := c.deals[1].CheckDKG(c.run, c.commits[1]); err != nil {
				t.Fatalf("the lie shows in public: %v", err)
			}
			if _, err := c.deals[1].Open(c.run, 4, c.keys[3]); !errors.Is(err, ErrDeal) {
				t.Errorf("Open: got %v, want %v", err, ErrDeal)
			}
			if lied, err := c.judge(2, 4); !lied || err != nil {
				t.Errorf("Judge: got %v, %v, want the dealer convicted", lied, err)
			}
			if lied, err := c.judge(2, 5); lied || err != nil {
				t.Errorf("another holder's complaint: got %v, %v, want the holder convicted", lied, err)
			}
		})
	}
}

func TestFalseComplaintConvictsTheComplainer(t *testing.T) {
	c := newDKG(t, 3)
	if lied, err := c.judge(1, 2); lied || err != nil {
		t.Errorf("got %v, %v, want the holder convicted", lied, err)
	}
	// Evidence that is none convicts nobody.
	for name, seed := range map[string][32]byte{
		"the seed for another dealer": c.keys[1].Reveal(c.run, 3),
		"another holder's seed":       c.keys[0].Reveal(c.run, 1),
		"the seed of all":             c.keys[1].Seed(),
		"zeros":                       {},
	} {
		lied, err := Judge(c.run, c.deals[0], 2, c.public[1][0], seed)
		if lied || !errors.Is(err, ErrCeremonyKey) {
			t.Errorf("%s: got %v, %v, want %v", name, lied, err, ErrCeremonyKey)
		}
	}
	if _, err := Judge(c.run, c.deals[0], 4, c.public[1][0], c.keys[1].Reveal(c.run, 1)); !errors.Is(err, ErrRun) {
		t.Errorf("a holder that is not: got %v, want %v", err, ErrRun)
	}
}

// In a reshare the dealers' constant terms are shares in use. Whoever provokes
// complaints must learn nothing of an honest dealer: what a complaint reveals
// opens what the accused dealer sealed, and nothing else.
func TestComplaintOpensOneDealersShareOnly(t *testing.T) {
	old, shares := newDKG(t, 3).finishDKG(t)
	c := newReshare(t, old, shares[:2], 3)
	revealed := c.keys[2].Reveal(c.run, 1)
	if _, err := c.deals[0].open(c.run, 3, revealed); err != nil {
		t.Fatalf("the accused dealer's share: %v", err)
	}
	if _, err := c.deals[1].open(c.run, 3, revealed); !errors.Is(err, ErrDeal) {
		t.Errorf("another dealer's share: got %v, want %v", err, ErrDeal)
	}
	again := c.run
	again.Number++
	if c.keys[2].Reveal(again, 1) == revealed {
		t.Error("one seed for two runs: a complaint in one opens the other")
	}
}

func TestTranscriptCoversEverything(t *testing.T) {
	c := newDKG(t, 3)
	want := Transcript(c.run, c.public, c.commits, c.deals)
	if got := Transcript(c.run, c.public, c.commits, []Deal{c.deals[2], c.deals[0], c.deals[1]}); got != want {
		t.Error("the order in which deals came changes the transcript")
	}
	for name, spoil := range map[string]func(*ceremony){
		"the run's number": func(c *ceremony) { c.run.Number++ },
		"the network":      func(c *ceremony) { c.run.Network[31] ^= 1 },
		"the origin":       func(c *ceremony) { c.run.Origin = Dealt },
		"the epoch":        func(c *ceremony) { c.run.Epoch++ },
		"the threshold":    func(c *ceremony) { c.run.Threshold++ },
		"the holders":      func(c *ceremony) { c.run.Holders++ },
		"the dealers":      func(c *ceremony) { c.run.Dealers++ },
		"a key":            func(c *ceremony) { c.public[1][2][0] ^= 1 },
		"a holder's keys":  func(c *ceremony) { c.public = c.public[:2] },
		"a commit hash":    func(c *ceremony) { c.commits[0][0] ^= 1 },
		"no commit hashes": func(c *ceremony) { c.commits = nil },
		"a nonce":          func(c *ceremony) { c.deals[0].Nonce[0] ^= 1 },
		"a commitment":     func(c *ceremony) { c.deals[0].Commitments[1][0] ^= 1 },
		"a proof":          func(c *ceremony) { c.deals[2].Proof[0] ^= 1 },
		"a sealed share":   func(c *ceremony) { c.deals[1].Sealed[1][0] ^= 1 },
		"a deal missing":   func(c *ceremony) { c.deals = c.deals[:2] },
	} {
		other := c.clone()
		if got := Transcript(other.run, other.public, other.commits, other.deals); got != want {
			t.Fatalf("%s: the untouched copy differs", name)
		}
		spoil(&other)
		if got := Transcript(other.run, other.public, other.commits, other.deals); got == want {
			t.Errorf("%s changed: the transcript does not", name)
		}
	}
}

// clone copies what a test may spoil.
func (c ceremony) clone() ceremony {
	out := c
	out.public, out.commits, out.deals = nil, append([][32]byte(nil), c.commits...), nil
	for _, p := range c.public {
		out.public = append(out.public, append([][CeremonyPublicBytes]byte(nil), p...))
	}
	for _, d := range c.deals {
		out.deals = append(out.deals, cloneDeal(d))
	}
	return out
}

func TestCeremonyKeysThatNobodyCanSealToAreRefused(t *testing.T) {
	c := newDKG(t, 3)
	if err := CheckCeremonyKeys(c.run, c.public[0]); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*ceremony){
		"a key missing":                 func(c *ceremony) { c.public[0] = c.public[0][:2] },
		"no keys":                       func(c *ceremony) { c.public[0] = nil },
		"an ML-KEM part not reduced":    func(c *ceremony) { c.public[0][1][0], c.public[0][1][1] = 0xff, 0xff },
		"an X25519 part of low order":   func(c *ceremony) { clear(c.public[0][2][1184:]) },
		"an X25519 part of order eight": func(c *ceremony) { copy(c.public[0][2][1184:], lowOrder) },
	} {
		other := c.clone()
		spoil(&other)
		if err := CheckCeremonyKeys(other.run, other.public[0]); !errors.Is(err, ErrCeremonyKey) {
			t.Errorf("%s: got %v, want %v", name, err, ErrCeremonyKey)
		}
	}
	short := c.keysFor(1)[:2]
	if _, err := c.dealings[0].Deal(short); !errors.Is(err, ErrCeremonyKey) {
		t.Errorf("dealt to two of three: got %v, want %v", err, ErrCeremonyKey)
	}
	keys := c.keysFor(1)
	clear(keys[2][1184:])
	if _, err := c.dealings[0].Deal(keys); !errors.Is(err, ErrCeremonyKey) {
		t.Errorf("dealt to a key of low order: got %v, want %v", err, ErrCeremonyKey)
	}
}

// lowOrder is a point of order eight on Curve25519 (RFC 7748 section 7 speaks
// of such points; this one is in every list of them).
var lowOrder = []byte{
	0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
	0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
}

func TestCeremonyKeyComesBackFromItsSeed(t *testing.T) {
	run := dkgRun(3)
	key, err := NewCeremonyKey()
	if err != nil {
		t.Fatal(err)
	}
	again, err := CeremonyKeyFromSeed(key.Seed())
	if err != nil {
		t.Fatal(err)
	}
	a, errA := key.Public(run)
	b, errB := again.Public(run)
	if errA != nil || errB != nil || len(a) != 3 || a[0] != b[0] || a[2] != b[2] || a[0] == a[1] {
		t.Errorf("public keys: %v, %v, %d of them", errA, errB, len(a))
	}
	if _, err := CeremonyKeyFromSeed([32]byte{}); !errors.Is(err, ErrCeremonyKey) {
		t.Errorf("a seed of zeros: got %v, want %v", err, ErrCeremonyKey)
	}
	if _, err := key.Public(Run{}); !errors.Is(err, ErrRun) {
		t.Errorf("no run: got %v, want %v", err, ErrRun)
	}
	if _, err := NewDealing(run, 1, rand.Reader); err != nil {
		t.Error(err)
	}
}
