package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"time"
)

// linkRTTs are the round trips between two voters, all three as far apart.
var linkRTTs = []time.Duration{30 * time.Millisecond, 80 * time.Millisecond}

// links measures commits and receipts of one client beside the leader while every
// connection between voters is late.
func (b *bench) links(ctx context.Context) error {
	for _, rtt := range linkRTTs {
		b.note("links of %s", rtt)
		if err := b.echo(rtt); err != nil {
			return fmt.Errorf("%s: a byte there and back: %w", rtt, err)
		}
		dir := filepath.Join(b.dir, "links"+rtt.String())
		n, err := foundNetwork(dir, b.binary)
		if err != nil {
			return err
		}
		err = b.overLinks(ctx, n, rtt)
		if err := errors.Join(err, discard(n, dir)); err != nil {
			return fmt.Errorf("%s: %w", rtt, err)
		}
	}
	return nil
}

// echo measures what a byte takes there and back through a wire: the proxy wakes up
// somewhat late itself.
func (b *bench) echo(rtt time.Duration) (err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w, err := layWire(l.Addr().String(), rtt/2, nil)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	var answering sync.WaitGroup
	defer func() { err = errors.Join(err, w.close(), l.Close()); answering.Wait() }()
	answering.Go(func() {
		if far, err := l.Accept(); err == nil {
			_, _ = io.Copy(far, far) // until the wire is cut
			far.Close()
		}
	})
	near, err := net.Dial("tcp", w.address())
	if err != nil {
		return err
	}
	defer near.Close()
	var took []time.Duration
	for range 100 {
		began := time.Now()
		if _, err := near.Write([]byte{1}); err != nil {
			return err
		}
		if _, err := io.ReadFull(near, make([]byte, 1)); err != nil {
			return err
		}
		took = append(took, time.Since(began))
	}
	b.results.add(fmt.Sprintf("links of %d ms: a byte there and back p50", rtt.Milliseconds()), "ms", ms(quantile(took, 0.5)))
	return nil
}

func (b *bench) overLinks(ctx context.Context, n *network, rtt time.Duration) (err error) {
	wires, err := n.delay(rtt / 2)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cut(wires)) }()
	start, cancel := context.WithTimeout(ctx, faultTimeout)
	defer cancel()
	if err := n.start(start); err != nil {
		return err
	}
	if err := n.aim(start); err != nil {
		return err
	}
	if err := n.connected(start, 0); err != nil {
		return err
	}
	for round := range b.rounds {
		b.note("round %d of %d", round+1, b.rounds)
		if err := b.linksRound(ctx, n, rtt); err != nil {
			return err
		}
	}
	return nil
}

// delay puts a wire on the way from each voter to each other one.
func (n *network) delay(one time.Duration) (wires []*wire, err error) {
	for _, p := range n.procs {
		addresses := map[string]string{}
		for _, t := range n.targets() {
			if t.Node == p.Node {
				continue
			}
			w, err := layWire(t.Addresses[0], one, nil)
			if err != nil {
				return nil, errors.Join(err, cut(wires))
			}
			wires = append(wires, w)
			addresses[t.Node] = w.address()
		}
		if err := reroute(p.Config(), addresses); err != nil {
			return nil, errors.Join(err, cut(wires))
		}
	}
	return wires, nil
}

// linksRound measures a client that waits for each receipt, and one that sends the
// next envelope as soon as the last is committed.
func (b *bench) linksRound(ctx context.Context, n *network, rtt time.Duration) error {
	commits, receipts, err := n.oneClient(ctx, b.single)
	if err != nil {
		return err
	}
	work, err := n.sealFor(0, b.single)
	if err != nil {
		return err
	}
	var stream []time.Duration
	for _, raw := range work {
		began := time.Now()
		if _, err := n.commit(ctx, 0, raw); err != nil {
			return err
		}
		stream = append(stream, time.Since(began))
	}
	size, err := n.size(ctx)
	if err == nil {
		err = n.awaitReceipt(ctx, size)
	}
	for _, figure := range []struct {
		name string
		took []time.Duration
	}{{"commit p50", commits}, {"receipt p50", receipts}, {"commit p50 without waiting for receipts", stream}} {
		name := fmt.Sprintf("links of %d ms: %s", rtt.Milliseconds(), figure.name)
		p50 := quantile(figure.took, 0.5)
		b.results.add(name, "ms", ms(p50))
		b.results.add(name+", by round trips", "x", ms(p50)/ms(rtt))
	}
	return err
}
