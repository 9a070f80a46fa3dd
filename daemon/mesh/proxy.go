package mesh

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// Why a node is not reached by way of an HTTP proxy.
var (
	// ErrProxyUnreachable reports a proxy that does not take connections.
	ErrProxyUnreachable = errors.New("the proxy cannot be reached")

	// ErrProxyLogin reports a proxy that wants credentials, or others than it
	// was given.
	ErrProxyLogin = errors.New("the proxy does not let this node in (407)")

	// ErrProxyForbids reports a proxy that does not let anybody through to this
	// address.
	ErrProxyForbids = errors.New("the proxy forbids connections to this address (403)")

	// ErrProxy reports any other answer of a proxy.
	ErrProxy = errors.New("the proxy makes no connection")
)

// A Proxy is an HTTP proxy through which a node reaches all others, by CONNECT
// (RFC 9110 section 9.3.6). It carries bytes that it cannot read.
type Proxy struct {
	// Address is the proxy's host:port.
	Address string

	// Login returns the name and password for the proxy (RFC 7617). It is asked
	// at each connection, so they may change while the node runs; nil if the
	// proxy wants none.
	Login func() (name, password string, err error)
}

// maxProxyAnswerBytes bounds the head of a proxy's answer.
const maxProxyAnswerBytes = 16 << 10

// dialTCP connects to an address, by way of the proxy if there is one. The proxy
// looks up the name.
func (m *Mesh) dialTCP(ctx context.Context, address string) (net.Conn, error) {
	return m.cfg.Proxy.dialOrDirect(ctx, address)
}

// dialOrDirect is Dial, or without a proxy a connection as it is.
func (p *Proxy) dialOrDirect(ctx context.Context, address string) (net.Conn, error) {
	if p == nil {
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	}
	return p.Dial(ctx, address)
}

// Dial connects to an address (host:port) by way of the proxy. The context must
// have a deadline, or else a proxy that says nothing is waited for without end.
func (p *Proxy) Dial(ctx context.Context, address string) (net.Conn, error) {
	head, err := p.request(address)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.Address)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProxyUnreachable, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = p.ask(conn, head)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %s did not answer in time: %w", ErrProxy, p.Address, ctx.Err())
		}
		return nil, err
	}
	return conn, nil
}

// request is the head that asks for a connection.
func (p *Proxy) request(address string) (string, error) {
	var login string
	if p.Login != nil {
		name, password, err := p.Login()
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrProxyLogin, err)
		}
		login = "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(name+":"+password)) + "\r\n"
	}
	return "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n" + login + "\r\n", nil
}

// ask sends the request and reads the answer, byte by byte, since what follows
// an answer of success is the peer's.
func (p *Proxy) ask(conn net.Conn, head string) error {
	if _, err := io.WriteString(conn, head); err != nil {
		return fmt.Errorf("%w: %w", ErrProxy, err)
	}
	limited := &io.LimitedReader{R: conn, N: maxProxyAnswerBytes}
	answer, err := http.ReadResponse(bufio.NewReaderSize(slowReader{limited}, 16), &http.Request{Method: http.MethodConnect})
	switch {
	case err != nil && limited.N == 0:
		return fmt.Errorf("%w: its answer is longer than %d bytes", ErrProxy, maxProxyAnswerBytes)
	case err != nil:
		return fmt.Errorf("%w: %s does not answer as an HTTP proxy: %w", ErrProxy, p.Address, err)
	}
	switch { // the body is left unread: after success it is the peer's
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusProxyAuthRequired:
		return p.refusedLogin(answer)
	case answer.StatusCode == http.StatusForbidden:
		return ErrProxyForbids
	}
	return fmt.Errorf("%w: it answered %.80q", ErrProxy, answer.Status)
}

// refusedLogin says which of the ways to lack credentials it is.
func (p *Proxy) refusedLogin(answer *http.Response) error {
	ways := answer.Header.Values("Proxy-Authenticate")
	basic := len(ways) == 0
	for _, way := range ways {
		basic = basic || strings.HasPrefix(strings.ToLower(way), "basic")
	}
	switch {
	case !basic:
		return fmt.Errorf("%w: it takes %.80q, and this node speaks Basic only", ErrProxyLogin, strings.Join(ways, ", "))
	case p.Login == nil:
		return fmt.Errorf("%w: it wants a name and a password, and none are configured", ErrProxyLogin)
	}
	return fmt.Errorf("%w: the name or the password is wrong, or has expired", ErrProxyLogin)
}

// A slowReader reads a byte at a time, so that a buffer in front of it takes
// nothing that comes after what was asked for.
type slowReader struct{ io.Reader }

func (r slowReader) Read(b []byte) (int, error) { return r.Reader.Read(b[:min(len(b), 1)]) }
