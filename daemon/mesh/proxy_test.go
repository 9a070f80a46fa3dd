package mesh

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A connectProxy is an HTTP proxy that knows CONNECT alone.
type connectProxy struct {
	ln     net.Listener
	answer string      // in place of a connection, if set
	login  string      // that it wants, as "Basic ..."; "" for none
	opens  *tls.Config // it answers TLS itself with this, if set

	mu    sync.Mutex
	asked []string // addresses, guarded by mu
	conns []net.Conn
	wg    sync.WaitGroup
}

func (p *connectProxy) start(t *testing.T) *Proxy {
	t.Helper()
	var err error
	if p.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	p.wg.Go(func() {
		for {
			conn, err := p.ln.Accept()
			if err != nil {
				return
			}
			p.keep(conn)
			p.wg.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		p.ln.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return &Proxy{Address: p.ln.Addr().String()}
}

func (p *connectProxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
}

func (p *connectProxy) serve(conn net.Conn) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	switch {
	case p.login != "" && r.Header.Get("Proxy-Authorization") != p.login:
		io.WriteString(conn, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"hospital\"\r\nContent-Length: 2\r\n\r\nno")
	case p.answer != "":
		io.WriteString(conn, p.answer)
	case p.opens != nil:
		io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n")
		io.Copy(io.Discard, tls.Server(conn, p.opens))
	default:
		p.carry(conn, r.Host)
	}
}

// carry makes the connection, and sends the peer's first bytes in one packet
// with its own answer, as a proxy may.
func (p *connectProxy) carry(conn net.Conn, to string) {
	out, err := net.Dial("tcp", to)
	if err != nil {
		io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\n\r\n")
		return
	}
	defer out.Close()
	p.keep(out)
	io.WriteString(conn, "HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\n\r\n")
	p.wg.Go(func() {
		defer out.Close()
		io.Copy(out, conn)
	})
	io.Copy(conn, out)
}

func (p *connectProxy) addresses() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

func loginOf(name, password string) func() (string, string, error) {
	return func() (string, string, error) { return name, password, nil }
}

func TestANodeBehindAProxyIsAFullMember(t *testing.T) {
	w := newWorld(t, "a", "b")
	proxy := &connectProxy{login: "Basic aDI6cMOkc3M6d29yZA=="} // h2, päss:word
	cfg := w.config("b")
	cfg.Listen, cfg.Proxy = "", proxy.start(t)
	cfg.Proxy.Login = loginOf("h2", "päss:word")
	a, b := w.start(t, "a"), start(t, cfg)
	b.SetPeers([]Target{target(a)})
	for class := range classCount {
		echo(t, a, class)
		echo(t, b, class)
		ask(t, a, "b", class, "from a")
		ask(t, b, "a", class, "from b")
	}
	if got := proxy.addresses(); len(got) != 2 || got[0] != "CONNECT "+a.Addr().String() {
		t.Errorf("the proxy was asked %q, want once for each class", got)
	}
	if got := b.Troubles(); got != nil {
		t.Errorf("troubles %v, want none", got)
	}
}

func TestAProxysRefusalIsNamed(t *testing.T) {
	for name, tc := range map[string]struct {
		proxy *connectProxy
		login func() (string, string, error)
		want  error
		says  string
	}{
		"credentials are wanted": {&connectProxy{login: "Basic x"}, nil, ErrProxyLogin, "none are configured"},
		"credentials are wrong":  {&connectProxy{login: "Basic x"}, loginOf("h2", "old"), ErrProxyLogin, "wrong, or has expired"},
		"credentials cannot be read": {&connectProxy{}, func() (string, string, error) { return "", "", errors.New("no such file") },
			ErrProxyLogin, "no such file"},
		"only another way of proof": {&connectProxy{answer: "HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n\r\n"},
			loginOf("h2", "x"), ErrProxyLogin, `it takes "NTLM, Negotiate"`},
		"the address is forbidden": {&connectProxy{answer: "HTTP/1.0 403 Forbidden\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\r\n"}, nil, ErrProxyForbids, "403"},
		"the peer is not reached":  {&connectProxy{answer: "HTTP/1.1 502 Bad Gateway\r\n\r\n"}, nil, ErrProxy, `"502 Bad Gateway"`},
		"it is no proxy":           {&connectProxy{answer: "220 mail.example ESMTP\r\n"}, nil, ErrProxy, "does not answer as an HTTP proxy"},
		"its answer has no end":    {&connectProxy{answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 2*maxProxyAnswerBytes)}, nil, ErrProxy, "longer than 16384 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := tc.proxy.start(t)
			p.Login = tc.login
			conn, err := p.Dial(soon(t), "h1.example:8470")
			if err == nil {
				conn.Close()
			}
			if !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("got %v, want %v with %q", err, tc.want, tc.says)
			}
			if strings.Contains(err.Error(), "old") {
				t.Errorf("the error tells the password: %v", err)
			}
		})
	}
}

func TestAProxyThatIsNotThere(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	p := &Proxy{Address: ln.Addr().String()}
	if _, err := p.Dial(soon(t), "h1.example:8470"); !errors.Is(err, ErrProxyUnreachable) {
		t.Errorf("got %v, want ErrProxyUnreachable", err)
	}
}

func TestAProxyThatSaysNothingIsGivenUp(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // the system accepts, nobody answers
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = (&Proxy{Address: ln.Addr().String()}).Dial(ctx, "h1.example:8470")
	if !errors.Is(err, ErrProxy) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want ErrProxy after the deadline", err)
	}
}

// inspector is the certificate that a proxy makes for whatever it opens.
func inspector(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "Hospital Web Gateway", Organization: []string{"IT"}}}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "h1.example"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, issuer, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestAProxyThatOpensTLSIsNamed(t *testing.T) {
	cert := inspector(t)
	for name, opens := range map[string]*tls.Config{
		"speaking as this network does":  {NextProtos: []string{ClassRaft.protocol(), ClassAPI.protocol()}},
		"speaking TLS 1.2 at most":       {MaxVersion: tls.VersionTLS12},
		"without X25519MLKEM768":         {CurvePreferences: []tls.CurveID{tls.X25519}},
		"without a protocol of networks": {NextProtos: []string{"h2", "http/1.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opens.Certificates = []tls.Certificate{cert}
			w := newWorld(t, "a", "b")
			var log logbook
			cfg := w.config("b")
			cfg.Listen, cfg.Logger = "", log.logger()
			cfg.Proxy = (&connectProxy{opens: opens}).start(t)
			b := start(t, cfg)
			b.SetPeers([]Target{{Node: "a", Addresses: []string{"h1.example:8470"}}})
			var opened *OpenedError
			until(t, "the trouble is known", func() bool {
				list := b.Troubles()
				return len(list) == 1 && list[0].Node == "a" && errors.As(list[0].Err, &opened)
			})
			if opened.Address != "h1.example:8470" || opened.Issuer != "CN=Hospital Web Gateway,O=IT" {
				t.Errorf("got %+v", opened)
			}
			if !strings.Contains(log.String(), "exempt h1.example:8470 from TLS inspection") {
				t.Errorf("the log does not say what to ask for:\n%s", log.String())
			}
			if got := b.Connected(); len(got) != 0 {
				t.Errorf("sessions %v through a proxy that opens TLS", got)
			}
		})
	}
}

// TestAPeerThatRefusesIsNoProxy keeps the look at a certificate from blaming
// the network for what the roster did.
func TestAPeerThatRefusesIsNoProxy(t *testing.T) {
	w, strange := newWorld(t, "a", "b"), newWorld(t, "a", "b")
	a := w.start(t, "a")
	cfg := strange.config("b") // a does not know this b
	cfg.Lookup = w.lookup
	b := start(t, cfg)
	err := b.connectTo(soon(t), a.Addr().String(), slot{"a", ClassAPI}, showing{})
	if !errors.Is(err, ErrRefused) {
		t.Fatalf("got %v, want ErrRefused", err)
	}
	var opened *OpenedError
	if got := b.lookAt(soon(t), a.Addr().String()); got != nil || errors.As(err, &opened) {
		t.Errorf("a node's own certificate is taken for a proxy's: %v, %v", got, err)
	}
}

func TestAGuestBehindAProxyIsAnswered(t *testing.T) {
	w := newWorld(t, "a")
	cfg := w.config("a")
	cfg.Guest = echoGuest
	a := start(t, cfg)
	proxy := &connectProxy{}
	conn, err := DialGuest(soon(t), proxy.start(t), a.Addr().String(), newKey(t), idOf(t, w.keys["a"]))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "may I\n"); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(conn).ReadString('\n'); got != "may I\n" || len(proxy.addresses()) != 1 {
		t.Errorf("answer %q (%v), the proxy was asked %q", got, err, proxy.addresses())
	}
	opening := &connectProxy{opens: &tls.Config{Certificates: []tls.Certificate{inspector(t)}}}
	var opened *OpenedError
	_, err = DialGuest(soon(t), opening.start(t), a.Addr().String(), newKey(t), idOf(t, w.keys["a"]))
	if !errors.As(err, &opened) {
		t.Errorf("through a proxy that opens TLS: %v, want it named", err)
	}
}
