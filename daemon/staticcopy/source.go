package staticcopy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/crypto/tlog"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/registry/envelope"
)

// Errors of a [Source] that a caller branches on.
var (
	// ErrAbsent reports a file that the copy does not have.
	ErrAbsent = errors.New("is not there")
	// ErrTooLarge reports a file that is larger than any such file can be.
	ErrTooLarge = errors.New("is larger than it can be")
	// ErrMalformed reports a file that is not what its name says.
	ErrMalformed = errors.New("malformed")
)

const (
	fileTimeout = 30 * time.Second // the longest envelope at 9 KB/s
	atOnce      = 8                // files that are asked for at once
)

// Source is a static copy that is read. It is safe for concurrent use.
type Source struct {
	name string
	get  func(ctx context.Context, path string, limit int64) ([]byte, error)
	idle func()
	wait time.Duration // for one file
}

// Open returns the copy at an address that [config.ParseCopy] takes, of which nothing
// is read yet. Connections to
// a web server are made with dial, as through a proxy; nil: directly.
func Open(address string, dial func(ctx context.Context, network, address string) (net.Conn, error)) (*Source, error) {
	u, err := config.ParseCopy(address)
	if err != nil {
		return nil, fmt.Errorf("static copy: %w", err)
	}
	if u.Scheme == "file" {
		return &Source{name: address, get: reader(u.Path), idle: func() {}, wait: fileTimeout}, nil
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	transport := &http.Transport{
		DialContext: dial, MaxConnsPerHost: atOnce, MaxIdleConnsPerHost: atOnce, IdleConnTimeout: 10 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 20 * time.Second,
		DisableCompression: true, MaxResponseHeaderBytes: 16 << 10, ForceAttemptHTTP2: true,
	}
	client := &http.Client{CheckRedirect: stay, Transport: transport}
	return &Source{name: address, get: asker(client, u), idle: transport.CloseIdleConnections, wait: fileTimeout}, nil
}

// Name returns the address.
func (s *Source) Name() string { return s.name }

// Close drops idle connections.
func (s *Source) Close() { s.idle() }

// asker gets files from a web server.
func asker(client *http.Client, base *url.URL) func(context.Context, string, int64) ([]byte, error) {
	return func(ctx context.Context, path string, limit int64) ([]byte, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath(path).String(), nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			var u *url.Error
			if errors.As(err, &u) {
				err = u.Err // whose address was said before
			}
			return nil, err
		}
		defer resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
			return nil, ErrAbsent
		case resp.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("the web server says %.80q", resp.Status)
		case resp.ContentLength > limit:
			return nil, ErrTooLarge
		}
		return readAll(resp.Body, limit)
	}
}

// reader gets files from a folder.
func reader(dir string) func(context.Context, string, int64) ([]byte, error) {
	return func(_ context.Context, path string, limit int64) ([]byte, error) {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(path)))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrAbsent
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readAll(f, limit)
	}
}

func readAll(r io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(raw)) > limit {
		err = ErrTooLarge
	}
	return raw, err
}

func (s *Source) file(ctx context.Context, path string, limit int64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.wait)
	defer cancel()
	raw, err := s.get(ctx, path, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return raw, nil
}

// Describe returns which network the copy is of, and whether it has bodies.
func (s *Source) Describe(ctx context.Context) (network [32]byte, bodies bool, err error) {
	raw, err := s.file(ctx, DescriptionFile, maxDescriptionBytes)
	if err != nil {
		return network, false, err
	}
	d, network, err := parseDescription(raw)
	return network, d.Bodies, err
}

// Checkpoint returns the copy's checkpoint, not verified.
func (s *Source) Checkpoint(ctx context.Context) ([]byte, error) {
	return s.file(ctx, checkpointFile, maxCheckpointBytes)
}

// Envelopes returns the envelopes from one number to before another, or fewer if the
// copy ends; at least one. Nothing of them is verified but their encoding.
func (s *Source) Envelopes(ctx context.Context, from, to uint64) ([]consensus.Unsalted, error) {
	return s.several(ctx, from, to, s.whole)
}

// Bare is Envelopes without the bodies, which not every copy has.
func (s *Source) Bare(ctx context.Context, from, to uint64) ([]consensus.Unsalted, error) {
	return s.several(ctx, from, to, s.bare)
}

// Tile returns a tile of hashes or of leaves, not verified.
func (s *Source) Tile(ctx context.Context, t tlog.Tile) ([]byte, error) {
	return s.file(ctx, t.Path(), tlog.TileWidth*(2+tlog.MaxLeafBytes))
}

// A getter gets one envelope.
type getter func(ctx context.Context, n uint64) (consensus.Unsalted, error)

func (s *Source) several(ctx context.Context, from, to uint64, get getter) ([]consensus.Unsalted, error) {
	var out []consensus.Unsalted
	for from < to {
		list, err := some(ctx, from, min(to, from+atOnce), get)
		out = append(out, list...)
		if errors.Is(err, ErrAbsent) && len(out) > 0 {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		from += uint64(len(list))
	}
	return out, nil
}

// some returns envelopes up to the first that cannot be had, and why.
func some(ctx context.Context, from, to uint64, get getter) ([]consensus.Unsalted, error) {
	list, errs := make([]consensus.Unsalted, to-from), make([]error, to-from)
	var workers sync.WaitGroup
	for i := range list {
		workers.Go(func() { list[i], errs[i] = get(ctx, from+uint64(i)) })
	}
	workers.Wait()
	for i, err := range errs {
		if err != nil {
			return list[:i], err
		}
	}
	return list, nil
}

func (s *Source) bare(ctx context.Context, n uint64) (out consensus.Unsalted, err error) {
	path := envelopePath(n)
	raw, err := s.file(ctx, path, maxEnvelopeBytes)
	if err != nil {
		return out, err
	}
	if out, err = parseBare(raw); err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}

func (s *Source) whole(ctx context.Context, n uint64) (consensus.Unsalted, error) {
	out, err := s.bare(ctx, n)
	if err != nil || out.Envelope.Kind == envelope.KindAct {
		return out, err
	}
	path := bodiesPath(n)
	raw, err := s.file(ctx, path, maxBodiesBytes)
	if err != nil {
		return out, err
	}
	if out.Bodies, err = parseBodies(raw, out.Envelope); err != nil {
		return out, fmt.Errorf("%s: %w", path, err)
	}
	return out, nil
}
