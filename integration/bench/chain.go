package main

import (
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/registry/envelope"
)

const (
	entriesPerEnvelope = 93
	plaintextBytes     = 480 // pads to 512
)

// chain is a hospital's end of its sequence and what signs the next envelope.
type chain struct {
	link  envelope.Link   // of the next envelope
	links []envelope.Link // of those sealed last, and the one after them
	set   *envelope.ReaderSet
	key   *sign.PrivateKey
}

// seal makes the next envelopes.
func (c *chain) seal(count, entries int) ([][]byte, error) {
	plain := make([]envelope.Plain, entries)
	for i := range plain {
		plain[i] = envelope.Plain{Part: seal.Clinical, CBOR: randomBytes(plaintextBytes)}
	}
	var out [][]byte
	c.links = []envelope.Link{c.link}
	for range count {
		c.link.SignedAt = uint64(time.Now().UnixMilli())
		e, _, err := envelope.BuildEntries(c.link, c.set, plain, c.key, rand.Reader)
		if err != nil {
			return nil, err
		}
		c.follow(e)
		c.links = append(c.links, c.link)
		out = append(out, e.Marshal())
	}
	return out, nil
}

// follow makes the next envelope the one after e.
func (c *chain) follow(e *envelope.Envelope) {
	c.link.Sequence, c.link.Previous = c.link.Sequence+1, e.ID()
}

// rewind says that only so many of those sealed last were sent.
func (c *chain) rewind(sent int) { c.link = c.links[sent] }

// seal makes so many envelopes, spread over the hospitals, each hospital's in
// its chain.
func (n *network) seal(envelopes int) ([][][]byte, error) {
	return n.sealWith(envelopes, entriesPerEnvelope)
}

func (n *network) sealWith(envelopes, entries int) ([][][]byte, error) {
	work := make([][][]byte, len(n.chains))
	problems := make([]error, len(n.chains))
	var wg sync.WaitGroup
	for h, count := range spreadOver(envelopes, len(n.chains)) {
		wg.Go(func() { work[h], problems[h] = n.chains[h].seal(count, entries) })
	}
	wg.Wait()
	return work, errors.Join(problems...)
}

// sealFor makes the next envelopes of one hospital.
func (n *network) sealFor(hospital, count int) ([][]byte, error) {
	return n.chains[hospital].seal(count, entriesPerEnvelope)
}
