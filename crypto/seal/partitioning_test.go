package seal_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/raresync/raresync/crypto/seal"
)

// A dishonest sender builds one ciphertext that AES-256-GCM opens to a
// different text under each of two keys, and gives one key to one reader and
// the other to another. These tests carry the attack out and show what stops
// it: the header can commit to one of the keys only.

func TestOneCiphertextOpensUnderTwoKeysWithoutCommitments(t *testing.T) {
	story := twoStories(t)
	for i, kek := range story.keks {
		plaintext, err := story.gcm(t, kek).Open(nil, make([]byte, 12), story.ciphertext, story.additional)
		if err != nil {
			t.Fatalf("reader %d cannot open the ciphertext: %v", i+1, err)
		}
		if !bytes.Contains(plaintext, story.texts[i]) {
			t.Errorf("reader %d does not read %q", i+1, story.texts[i])
		}
		if bytes.Contains(plaintext, story.texts[1-i]) {
			t.Errorf("reader %d reads %q too", i+1, story.texts[1-i])
		}
	}
}

func TestReaderWhoWasGivenTheOtherKeySeesIt(t *testing.T) {
	story := twoStories(t)
	genetic := newKEKs(t).Genetic
	committed := seal.KEKs{Clinical: story.keks[0], Genetic: genetic}
	commitC, commitG := commits(testContext, committed)
	for i, want := range []error{nil, seal.ErrCommitment} {
		r := newReader(t)
		// The sender wraps what it likes, bound to the commitments in the header.
		opened, err := testContext.Unwrap(r, forgeWrap(t, r, story.keks[i], genetic, commitC, commitG), commitC, commitG)
		if err != nil {
			t.Fatal(err)
		}
		if err := opened.CheckRights(bothRights); !errors.Is(err, want) {
			t.Errorf("reader %d: got %v, want %v", i+1, err, want)
		}
		body := mustSeal(t, seal.Clinical, seal.KEKs{Clinical: story.keks[i]}, []byte("another story"))
		if _, _, err := testContext.Open(5, opened.KEKs, body); (err == nil) != (want == nil) {
			t.Errorf("reader %d: a body under the key it was given: %v", i+1, err)
		}
	}
}

// forgeWrap wraps a clinical key that the commitments do not name.
func forgeWrap(t *testing.T, r *seal.ReaderPrivate, clinical, genetic seal.KEK, commitC, commitG [32]byte) seal.Wrap {
	t.Helper()
	public, err := hpke.MLKEM768X25519().NewPublicKey(r.Public().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	info := wrapInfo(testContext, r.Public().ID(), commitC, commitG)
	data, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), info, append(clinical[:], genetic[:]...))
	if err != nil {
		t.Fatal(err)
	}
	return seal.Wrap{Data: data}
}

// stories is one ciphertext with its two keys and texts.
type stories struct {
	keks       [2]seal.KEK
	texts      [2][]byte
	salt       [32]byte
	additional []byte
	ciphertext []byte
}

// gcm returns the AEAD that a body of the clinical part at place 5 has under
// kek.
func (s stories) gcm(t *testing.T, kek seal.KEK) cipher.AEAD {
	t.Helper()
	aead, err := cipher.NewGCM(s.block(t, kek))
	if err != nil {
		t.Fatal(err)
	}
	return aead
}

func (s stories) block(t *testing.T, kek seal.KEK) cipher.Block {
	t.Helper()
	info := testContext.Append([]byte("raresync/v1/dek\x00"))
	info = append(info, 0, 0, 0, 5, byte(seal.Clinical))
	dek, err := hkdf.Expand(sha256.New, kek[:], string(info)+string(s.salt[:]), 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(dek)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// twoStories puts the first text into block 1 under the first key and the
// second into block 2 under the second, and solves block 3 so that both keys
// give the same GCM tag.
func twoStories(t *testing.T) stories {
	t.Helper()
	k := newKEKs(t)
	s := stories{
		keks:       [2]seal.KEK{k.Clinical, k.Genetic},
		texts:      [2][]byte{[]byte("the test was +ve"), []byte("the test was -ve")},
		additional: append(testContext.Append(nil), 0, 0, 0, 5, byte(seal.Clinical)),
	}
	rand.Read(s.salt[:])
	const size, first, second, free = 512, 1, 2, 3
	s.ciphertext = make([]byte, size)
	for i, n := range []int{first, second} {
		// GCM with a 96-bit nonce numbers its key stream from 2.
		stream := encrypt(s.block(t, s.keks[i]), uint32(n+2))
		for j, b := range s.texts[i] {
			s.ciphertext[16*n+j] = b ^ stream[j]
		}
	}
	var h, sum [2]element
	for i, kek := range s.keks {
		block := s.block(t, kek)
		var zero [16]byte
		block.Encrypt(zero[:], zero[:])
		h[i] = elementOf(zero[:])
		sum[i] = ghash(h[i], s.additional, s.ciphertext).add(elementOf(encrypt(block, 1)))
	}
	// Block `free` counts with the power of h by which it precedes the end:
	// the other blocks after it, its own step, and the block of lengths.
	power := size/16 - free + 1
	weight := h[0].pow(power).add(h[1].pow(power))
	solved := sum[0].add(sum[1]).mul(weight.inverse())
	copy(s.ciphertext[16*free:], solved.bytes())
	tag := ghash(h[0], s.additional, s.ciphertext).add(elementOf(encrypt(s.block(t, s.keks[0]), 1)))
	s.ciphertext = append(s.ciphertext, tag.bytes()...)
	return s
}

// encrypt returns the block cipher's output for the zero nonce and counter.
func encrypt(block cipher.Block, counter uint32) []byte {
	var b [16]byte
	binary.BigEndian.PutUint32(b[12:], counter)
	block.Encrypt(b[:], b[:])
	return b[:]
}

// ghash is GHASH of NIST SP 800-38D section 6.4 over additional data, whole
// blocks of ciphertext and their lengths.
func ghash(h element, additional, ciphertext []byte) element {
	blocks := append(bytes.Clone(additional), make([]byte, (16-len(additional)%16)%16)...)
	blocks = append(blocks, ciphertext...)
	blocks = binary.BigEndian.AppendUint64(blocks, 8*uint64(len(additional)))
	blocks = binary.BigEndian.AppendUint64(blocks, 8*uint64(len(ciphertext)))
	var y element
	for ; len(blocks) > 0; blocks = blocks[16:] {
		y = y.add(elementOf(blocks[:16])).mul(h)
	}
	return y
}

// An element of GF(2^128) as GCM writes it: the first bit is the coefficient
// of x^0.
type element struct{ high, low uint64 }

func elementOf(b []byte) element {
	return element{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

func (a element) bytes() []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, a.high), a.low)
}

func (a element) add(b element) element { return element{a.high ^ b.high, a.low ^ b.low} }

func (a element) mul(b element) (product element) {
	for i := range 128 {
		word := a.high
		if i >= 64 {
			word = a.low
		}
		if word>>(63-i%64)&1 == 1 {
			product = product.add(b)
		}
		carry := b.low & 1
		b.low = b.low>>1 | b.high<<63
		b.high = b.high>>1 ^ carry*0xe1<<56
	}
	return product
}

func (a element) pow(n int) element {
	p := element{high: 1 << 63}
	for range n {
		p = p.mul(a)
	}
	return p
}

// inverse returns a^(2^128 - 2).
func (a element) inverse() element {
	p := element{high: 1 << 63}
	for range 127 {
		a = a.mul(a)
		p = p.mul(a)
	}
	return p
}
