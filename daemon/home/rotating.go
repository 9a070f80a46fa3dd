package home

import (
	"errors"
	"fmt"
	"strings"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
)

// Next are keys that are made and not in force yet; nil where there is none.
type Next struct {
	Envelope, Request, Response, TLS *sign.PrivateKey
	Sealing                          *seal.ReaderPrivate
	Rotation                         []byte // payload of the act that brings them, once it may have been posted
}

// Any reports whether there is a next key.
func (n *Next) Any() bool {
	return n.Envelope != nil || n.Request != nil || n.Response != nil || n.TLS != nil || n.Sealing != nil
}

// Of returns the next keys that are chosen, without the act that brings them.
func (n *Next) Of(c Choice) Next {
	var out Next
	for p, chosen := range c.signing() {
		if chosen {
			*out.place(p) = n.byPurpose(p)
		}
	}
	if c.Sealing {
		out.Sealing = n.Sealing
	}
	return out
}

func (n *Next) byPurpose(p sign.Purpose) *sign.PrivateKey {
	if place := n.place(p); place != nil {
		return *place
	}
	return nil
}

func (n *Next) place(p sign.Purpose) **sign.PrivateKey {
	switch p {
	case sign.PurposeEnvelope:
		return &n.Envelope
	case sign.PurposeRequest:
		return &n.Request
	case sign.PurposeResponse:
		return &n.Response
	case sign.PurposeTLS:
		return &n.TLS
	}
	return nil
}

// rotating lists the purposes of the signing keys that a rotation can change.
var rotating = []sign.Purpose{sign.PurposeEnvelope, sign.PurposeRequest, sign.PurposeResponse, sign.PurposeTLS}

func (k *Keys) place(p sign.Purpose) **sign.PrivateKey {
	for name, of := range purposes {
		if of == p {
			return k.signing()[name]
		}
	}
	return nil
}

func (k *Keys) byPurpose(p sign.Purpose) *sign.PrivateKey { return *k.place(p) }

// Holds reports whether the private half of a key is among these, by its id.
func (k *Keys) Holds(id [32]byte) bool {
	signing := []*sign.PrivateKey{k.Log, k.Cosign, k.FormerTLS}
	for _, p := range rotating {
		signing = append(signing, k.byPurpose(p), k.Next.byPurpose(p))
	}
	for _, key := range signing {
		if key != nil && key.Public().ID() == id {
			return true
		}
	}
	for _, key := range append([]*seal.ReaderPrivate{k.Sealing, k.Next.Sealing}, k.Former...) {
		if key != nil && key.Public().ID() == id {
			return true
		}
	}
	return false
}

const (
	nextPrefix   = "next."
	formerPrefix = "former."
	rotationName = "next.rotation"
	rotatedName  = "rotated"
	oldTLSName   = "former-tls"
	maxFormer    = 40
)

// nameOf returns the name of a rotating key in the key file.
func nameOf(p sign.Purpose) string {
	for name, of := range purposes {
		if of == p {
			return name
		}
	}
	return ""
}

// putRotating puts what a rotation changes into a bundle, in place of what was
// there.
func (k *Keys) putRotating(b *keyfile.Bundle) error {
	for _, name := range b.Names() {
		if strings.HasPrefix(name, nextPrefix) || strings.HasPrefix(name, formerPrefix) {
			b.Delete(name)
		}
	}
	var problems []error
	putSeed := func(name string, seed []byte) { problems = append(problems, b.PutSeed(name, seed)) }
	for _, p := range rotating {
		problems = append(problems, b.PutSign(nameOf(p), k.byPurpose(p)))
		if next := k.Next.byPurpose(p); next != nil {
			problems = append(problems, b.PutSign(nextPrefix+nameOf(p), next))
		}
	}
	seed := k.Sealing.Seed()
	putSeed(sealingName, seed[:])
	if k.Next.Sealing != nil {
		seed = k.Next.Sealing.Seed()
		putSeed(nextPrefix+sealingName, seed[:])
	}
	if k.Next.Rotation != nil {
		putSeed(rotationName, k.Next.Rotation)
	}
	for _, f := range k.Former {
		seed = f.Seed()
		putSeed(formerPrefix+f.Public().ID().String()[:32], seed[:])
	}
	if k.FormerTLS != nil {
		problems = append(problems, b.PutSign(oldTLSName, k.FormerTLS))
	}
	if k.Rotated {
		putSeed(rotatedName, []byte{1})
	}
	if len(k.Gone) > 0 {
		putSeed(goneName, marshalGone(k.Gone))
	}
	return errors.Join(problems...)
}

// readRotating reads what putRotating wrote beside the present keys.
func (k *Keys) readRotating(b *keyfile.Bundle) error {
	for _, p := range rotating {
		name := nextPrefix + nameOf(p)
		key, err := b.Sign(name)
		if errors.Is(err, keyfile.ErrMissing) {
			continue
		}
		if key.Purpose() != p {
			return fmt.Errorf("key %s is a key for %s", name, key.Purpose())
		}
		*k.Next.place(p) = key
	}
	for _, name := range b.Names() {
		var err error
		switch {
		case name == nextPrefix+sealingName:
			k.Next.Sealing, err = sealingOf(b, name)
		case name == rotationName:
			k.Next.Rotation, err = b.Seed(name)
		case name == oldTLSName:
			if k.FormerTLS, err = b.Sign(name); err == nil && k.FormerTLS.Purpose() != sign.PurposeTLS {
				err = fmt.Errorf("is a key for %s", k.FormerTLS.Purpose())
			}
		case name == goneName:
			var raw []byte
			if raw, err = b.Seed(name); err == nil {
				k.Gone, err = parseGone(raw)
			}
		case name == rotatedName:
			k.Rotated = true
		case strings.HasPrefix(name, formerPrefix):
			var former *seal.ReaderPrivate
			if former, err = sealingOf(b, name); err == nil && formerPrefix+former.Public().ID().String()[:32] != name {
				err = errors.New("it is another key than its name says")
			}
			k.Former = append(k.Former, former)
		}
		if err != nil {
			return fmt.Errorf("key %s: %w", name, err)
		}
	}
	return nil
}

func sealingOf(b *keyfile.Bundle, name string) (*seal.ReaderPrivate, error) {
	seed, err := b.Seed(name)
	if err != nil {
		return nil, err
	}
	if len(seed) != seal.ReaderSeedBytes {
		return nil, fmt.Errorf("has %d bytes, want %d", len(seed), seal.ReaderSeedBytes)
	}
	return seal.NewReaderFromSeed([seal.ReaderSeedBytes]byte(seed))
}
