package home

import (
	"errors"
	"fmt"
	"sync"

	"github.com/raresync/raresync/crypto/keyfile"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/config"
)

// ErrKeyring reports a step of a rotation that cannot be taken now.
var ErrKeyring = errors.New("the keys are not ready for that")

// A Keyring is the keys of a running node, through rotations. New keys lie in
// the key file beside the present ones before anybody hears of them, and the
// log says which are in force; so a crash at any moment loses none, and at
// every moment the right one signs. It is safe for concurrent use; the process
// holds the lock of the data directory.
type Keyring struct {
	cfg config.Config

	mu   sync.Mutex
	keys *Keys // never changed in place
}

// OpenKeyring returns the ring of keys that were loaded from the
// configuration's key file.
func OpenKeyring(cfg config.Config, k *Keys) *Keyring { return &Keyring{cfg: cfg, keys: k} }

// Keys returns the keys as they are now. They do not change any more.
func (r *Keyring) Keys() *Keys {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// Sign returns the signing key of a purpose that the log has in force, by its
// id: the present or the next one. If it is neither the result is the present
// key, which the network will refuse by name.
func (r *Keyring) Sign(p sign.Purpose, inForce sign.KeyID) *sign.PrivateKey {
	k := r.Keys()
	if next := k.Next.byPurpose(p); next != nil && next.Public().ID() == inForce {
		return next
	}
	return k.byPurpose(p)
}

// Sealing returns every sealing key on this node: the present one, the next
// and those before.
func (r *Keyring) Sealing() []*seal.ReaderPrivate {
	k := r.Keys()
	list := []*seal.ReaderPrivate{k.Sealing}
	if k.Next.Sealing != nil {
		list = append(list, k.Next.Sealing)
	}
	return append(list, k.Former...)
}

// Choice says which keys are meant.
type Choice struct{ Envelope, Request, Response, TLS, Sealing bool }

// All chooses every key that rotates.
var All = Choice{true, true, true, true, true}

func (c Choice) signing() map[sign.Purpose]bool {
	return map[sign.Purpose]bool{
		sign.PurposeEnvelope: c.Envelope, sign.PurposeRequest: c.Request, sign.PurposeResponse: c.Response, sign.PurposeTLS: c.TLS,
	}
}

// Generate makes next keys and writes them into the key file beside the
// present ones. Those that were made before and not used yet are kept. It fails
// with ErrKeyring while a rotation is under way.
func (r *Keyring) Generate(c Choice) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.keys.Next.Rotation != nil {
		return fmt.Errorf("%w: a rotation is under way; wait until it is in force", ErrKeyring)
	}
	if len(r.keys.Former) >= maxFormer {
		return fmt.Errorf("%w: the key file holds %d former sealing keys; take some offline first", ErrKeyring, maxFormer)
	}
	next := r.keys.Next
	for p, wanted := range c.signing() {
		place := next.place(p)
		if !wanted || *place != nil {
			continue
		}
		var err error
		if *place, err = sign.Generate(p); err != nil {
			return err
		}
	}
	if c.Sealing && next.Sealing == nil {
		var err error
		if next.Sealing, err = seal.GenerateReader(); err != nil {
			return err
		}
	}
	return r.save(func(k *Keys) { k.Next = next })
}

// Posting remembers the payload of the act that will bring the next keys, before
// it is posted: the same act is posted again after a crash.
func (r *Keyring) Posting(rotation []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.save(func(k *Keys) { k.Next.Rotation = rotation })
}

// Refused forgets the act after the network refused it. The next keys stay.
func (r *Keyring) Refused() error { return r.Posting(nil) }

// InForce names an institution's keys as the log has them, with the TLS key of
// this node.
type InForce struct {
	Envelope, Request, Response, TLS sign.KeyID
	Sealing                          seal.KeyID
}

func (f *InForce) byPurpose(p sign.Purpose) sign.KeyID {
	switch p {
	case sign.PurposeEnvelope:
		return f.Envelope
	case sign.PurposeRequest:
		return f.Request
	case sign.PurposeResponse:
		return f.Response
	default:
		return f.TLS
	}
}

// Settle makes the next keys that are in force the present ones. Signing keys
// that they replace are destroyed. A sealing key stays, to open what was sealed
// to it, and so does the last TLS key, for peers that do not know the new one
// yet. It reports whether anything changed.
func (r *Keyring) Settle(f InForce) (changed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k := *r.keys
	for _, p := range rotating {
		if next := k.Next.place(p); *next != nil && (*next).Public().ID() == f.byPurpose(p) {
			goes := k.byPurpose(p)
			if p == sign.PurposeTLS {
				goes, k.FormerTLS, k.Rotated = k.FormerTLS, k.TLS, true
			}
			if goes != nil {
				k.Gone = withGone(k.Gone, goneSigning(goes))
			}
			*k.place(p), *next, changed = *next, nil, true
		}
	}
	if next := k.Next.Sealing; next != nil && next.Public().ID() == f.Sealing {
		k.Former = append([]*seal.ReaderPrivate{k.Sealing}, k.Former...)
		k.Sealing, k.Next.Sealing, changed = next, nil, true
	}
	if !changed {
		return false, nil
	}
	k.Next.Rotation = nil
	return true, r.save(func(to *Keys) { *to = k })
}

// save changes the keys, in the file first. The caller holds mu.
func (r *Keyring) save(change func(*Keys)) error {
	k := *r.keys
	change(&k)
	err := updateBundle(r.cfg, k.putRotating)
	if err != nil {
		return fmt.Errorf("%w: save keys: %w", ErrKeys, err)
	}
	r.keys = &k
	return nil
}

// fileMutex serialises the changes of this process's key file.
var fileMutex sync.Mutex

// updateBundle changes the key file. What was in it before is overwritten
// before it is gone, as far as the file system writes in place.
func updateBundle(cfg config.Config, change func(*keyfile.Bundle) error) error {
	fileMutex.Lock()
	defer fileMutex.Unlock()
	b, key, err := openBundle(cfg)
	if err != nil {
		return err
	}
	if err := change(b); err != nil {
		return err
	}
	file, err := keyfile.Seal(b, key)
	if err != nil {
		return err
	}
	return replaceSecret(cfg.Keys.File, file)
}

// Adopt marks a key file whose keys replace those that the genesis knows: it was
// made after those were lost. The caller holds the lock of the data directory.
// Every error is an ErrKeys.
func Adopt(cfg config.Config) error {
	if err := updateBundle(cfg, func(b *keyfile.Bundle) error { return b.PutSeed(rotatedName, []byte{1}) }); err != nil {
		return fmt.Errorf("%w: %w", ErrKeys, err)
	}
	return nil
}
