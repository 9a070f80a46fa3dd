package home

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
)

// Keys are all secrets of a node and of the institution that runs it. They
// print as "[node keys]".
type Keys struct {
	Envelope *sign.PrivateKey // the institution's: envelopes and approvals
	Request  *sign.PrivateKey // the institution's: evaluation requests
	Response *sign.PrivateKey // the institution's: evaluation responses, if it holds a share
	TLS      *sign.PrivateKey // the node's identity on the wire
	Log      *sign.PrivateKey // the node's: checkpoints while it leads
	Cosign   *sign.PrivateKey // the node's: cosignatures, if it votes

	Sealing *seal.ReaderPrivate // opens what is sealed to the institution

	EntryID [32]byte // keyed hash that makes entry ids
	Local   [32]byte // HMAC key for local record numbers, which never leave
	Handle  [32]byte // HMAC key for printed case numbers

	Shares Shares // of the pseudonymisation key

	Next    Next                  // made and not in force yet
	Former  []*seal.ReaderPrivate // sealing keys from before: they open what was sealed then
	Rotated bool                  // the genesis knows this node by another TLS key

	Gone []Gone // keys that were here and are not any more

	FormerTLS *sign.PrivateKey // the node's TLS key before this one, for peers that do not know this one yet; nil if none
}

const redacted = "[node keys]"

// String returns a placeholder.
func (Keys) String() string { return redacted }

// GoString returns a placeholder.
func (Keys) GoString() string { return redacted }

// Format prints a placeholder whatever the verb.
func (Keys) Format(s fmt.State, _ rune) { fmt.Fprint(s, redacted) }

// LogValue returns a placeholder.
func (Keys) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON returns a placeholder.
func (Keys) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// sealingName is the name of the sealing key in the key file.
const sealingName = "sealing"

func (k *Keys) signing() map[string]**sign.PrivateKey {
	return map[string]**sign.PrivateKey{
		"envelope": &k.Envelope, "request": &k.Request, "response": &k.Response,
		"tls": &k.TLS, "log": &k.Log, "cosign": &k.Cosign,
	}
}

// purposes says what each signing key of the file is for.
var purposes = map[string]sign.Purpose{
	"envelope": sign.PurposeEnvelope, "request": sign.PurposeRequest, "response": sign.PurposeResponse,
	"tls": sign.PurposeTLS, "log": sign.PurposeLog, "cosign": sign.PurposeCosign,
}

func (k *Keys) seeds() map[string]*[32]byte {
	return map[string]*[32]byte{"entry-id": &k.EntryID, "local": &k.Local, "handle": &k.Handle}
}

func newKeys() (*Keys, error) {
	k := &Keys{}
	var err error
	for name, key := range k.signing() {
		if *key, err = sign.Generate(purposes[name]); err != nil {
			return nil, err
		}
	}
	if k.Sealing, err = seal.GenerateReader(); err != nil {
		return nil, err
	}
	for _, seed := range k.seeds() {
		rand.Read(seed[:]) // never fails: it ends the process instead
	}
	return k, nil
}

func (k *Keys) bundle() (*keyfile.Bundle, error) {
	b := &keyfile.Bundle{}
	var problems []error
	for name, key := range k.signing() {
		problems = append(problems, b.PutSign(name, *key))
	}
	for name, seed := range k.seeds() {
		problems = append(problems, b.PutSeed(name, seed[:]))
	}
	seed := k.Sealing.Seed()
	problems = append(problems, b.PutSeed(sealingName, seed[:]))
	return b, errors.Join(append(problems, k.Shares.put(b), k.putRotating(b))...)
}

func keysOf(b *keyfile.Bundle) (*Keys, error) {
	k := &Keys{}
	for name, key := range k.signing() {
		var err error
		if *key, err = b.Sign(name); err != nil {
			return nil, fmt.Errorf("key %s: %w", name, err)
		}
		if (*key).Purpose() != purposes[name] {
			return nil, fmt.Errorf("key %s is a key for %s", name, (*key).Purpose())
		}
	}
	var sealing [seal.ReaderSeedBytes]byte
	seeds := k.seeds()
	seeds[sealingName] = &sealing
	for name, into := range seeds {
		seed, err := b.Seed(name)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", name, err)
		}
		if len(seed) != len(into) {
			return nil, fmt.Errorf("key %s has %d bytes, want %d", name, len(seed), len(into))
		}
		copy(into[:], seed)
	}
	var err error
	if k.Sealing, err = seal.NewReaderFromSeed(sealing); err != nil {
		return nil, fmt.Errorf("key %s: %w", sealingName, err)
	}
	if k.Shares, err = sharesOf(b); err != nil {
		return nil, err
	}
	return k, k.readRotating(b)
}

// card returns what these keys' owner tells the network's founders.
func (k *Keys) card(o InitOptions) *founding.Card {
	i := o.Institution
	i.Envelope, i.Request, i.Response = k.Envelope.Public(), k.Request.Public(), k.Response.Public()
	i.Sealing = k.Sealing.Public()
	return &founding.Card{Institution: i, Nodes: []act.Node{{
		ID: o.NodeID, Kind: o.Kind, Addresses: o.Addresses,
		TLS: k.TLS.Public(), Log: k.Log.Public(), Cosign: k.Cosign.Public(),
	}}}
}
