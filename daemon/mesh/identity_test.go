package mesh

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// failureOf waits until m has failed to reach node, and returns why.
func failureOf(t *testing.T, m *Mesh, node string) error {
	t.Helper()
	var failure error
	until(t, m.cfg.Self+" failed to reach "+node, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		failure = m.failures[slot{node, ClassAPI}]
		return failure != nil
	})
	return failure
}

func TestKeyIDIsThatOfTheProtocol(t *testing.T) {
	pub := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	want := sha256.Sum256(append([]byte("raresync/v1/key-id\x00\x06"), spki...))
	got, err := keyID(pub)
	if err != nil || got != want {
		t.Errorf("got %x, %v, want %x", got, err, want)
	}
}

func TestKeyOutsideTheRosterIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b")
	var log logbook
	cfg := w.config("a")
	cfg.Logger = log.logger()
	a := start(t, cfg)
	var dialLog logbook
	cfg = w.config("b")
	cfg.Logger = dialLog.logger()
	b := start(t, cfg)
	w.strike(t, w.keys["b"])
	b.SetPeers([]Target{target(a)})

	if err := failureOf(t, b, "a"); !errors.Is(err, ErrRefused) {
		t.Errorf("the dialling side says %v, want ErrRefused", err)
	}
	if got := b.RefusedBy(); !slices.Equal(got, []NodeID{"a"}) {
		t.Errorf("b is refused by %v, want a", got)
	}
	key := shortKey(idOf(t, w.keys["b"]))
	until(t, "the refusing side has logged the key", func() bool {
		return strings.Contains(log.String(), "key="+key) && strings.Contains(log.String(), ErrUnknownKey.Error())
	})
	if len(a.Connected()) != 0 {
		t.Error("a session came up")
	}
	if got := strings.Count(dialLog.String(), `msg="cannot reach node" node=a`); got != 1 {
		t.Errorf("the dialling side logged %d times, want once a minute:\n%s", got, dialLog.String())
	}
	w.enter(t, "b", w.keys["b"])
	until(t, "b is let in once the roster has its key", func() bool { return len(a.Connected()) == 2 })
}

func TestUnknownKeyAtTheDialledAddressIsRefused(t *testing.T) {
	w := newWorld(t, "a", "b")
	a, b := w.start(t, "a"), w.start(t, "b")
	w.strike(t, w.keys["a"])
	b.SetPeers([]Target{target(a)})
	if err := failureOf(t, b, "a"); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("got %v, want ErrUnknownKey", err)
	}
}

func TestKeyOfAnotherNodeAtTheDialledAddressIsRefused(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	b, c := w.start(t, "b"), w.start(t, "c")
	c.SetPeers([]Target{{Node: "a", Addresses: []string{b.Addr().String()}}})
	if err := failureOf(t, c, "a"); !errors.Is(err, ErrWrongNode) {
		t.Errorf("got %v, want ErrWrongNode", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Dial(ctx, "a", ClassAPI); !errors.Is(err, ErrWrongNode) {
		t.Errorf("Dial gives %v, want the reason ErrWrongNode", err)
	}
	if len(b.Connected())+len(c.Connected()) != 0 {
		t.Error("a session came up")
	}
}

func TestConnectionToItselfIsRefused(t *testing.T) {
	w := newWorld(t, "a")
	a := w.start(t, "a")
	a.SetPeers([]Target{{Node: "alias", Addresses: []string{a.Addr().String()}}})
	if err := failureOf(t, a, "alias"); !errors.Is(err, ErrSelf) {
		t.Errorf("got %v, want ErrSelf", err)
	}
}

func TestRefreshEndsSessionsWhoseKeyLeftTheRoster(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "a", "b", "c")
	a, b, c := w.start(t, "a"), w.start(t, "b"), w.start(t, "c")
	a.SetPeers([]Target{target(b), target(c)})
	until(t, "both are connected", func() bool { return len(a.Connected()) == 4 })

	w.strike(t, w.keys["b"])
	w.enter(t, "d", w.keys["b"]) // the key is another node's now
	a.Refresh()
	until(t, "only c is left", func() bool {
		s := a.Connected()
		return len(s) == 2 && s[0].Node == "c" && len(b.Connected()) == 0
	})
}

// dialRaw makes a TLS connection as a stranger would, and reports how it ends:
// nil if the other side took the greeting and answered.
func dialRaw(t *testing.T, m *Mesh, c *tls.Config) error {
	t.Helper()
	c.InsecureSkipVerify = true
	conn, err := (&tls.Dialer{Config: c}).DialContext(soon(t), "tcp", m.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write(greeting{count: 1}.append(nil)) // the answer tells
	_, err = readAnswer(conn)
	return err
}

func TestHandshakesThatDifferAreRefused(t *testing.T) {
	w := newWorld(t, "a", "b")
	a := w.start(t, "a")
	own, err := certificate(w.keys["b"])
	if err != nil {
		t.Fatal(err)
	}
	proper := func() *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{own}, NextProtos: []string{"raresync-api/1"}}
	}
	if err := dialRaw(t, a, proper()); err != nil {
		t.Fatalf("the proper handshake failed: %v", err)
	}
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.2":                func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
		"classic key exchange":   func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP256} },
		"no protocol":            func(c *tls.Config) { c.NextProtos = nil },
		"a foreign protocol":     func(c *tls.Config) { c.NextProtos = []string{"h2"} },
		"no certificate":         func(c *tls.Config) { c.Certificates = nil },
		"a certificate too many": func(c *tls.Config) { c.Certificates[0].Certificate = append(own.Certificate[:1:1], own.Certificate[0]) },
		"a key that is not Ed25519": func(c *tls.Config) {
			c.Certificates = []tls.Certificate{ecdsaCertificate(t)}
		},
		"a key in the roster without its private half": func(c *tls.Config) {
			c.Certificates[0].PrivateKey = newKey(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := proper()
			change(c)
			if err := dialRaw(t, a, c); err == nil {
				t.Error("let in")
			}
		})
	}
	until(t, "nobody is connected", func() bool { return len(a.Connected()) == 0 })
}

func ecdsaCertificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// TestDialledSideMustBeModern stands a server before a mesh that dials.
func TestDialledSideMustBeModern(t *testing.T) {
	w := newWorld(t, "a", "b")
	own, err := certificate(w.keys["a"])
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*tls.Config){
		"TLS 1.2":              func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 },
		"classic key exchange": func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} },
		"no protocol":          func(c *tls.Config) { c.NextProtos = nil },
	} {
		t.Run(name, func(t *testing.T) {
			c := &tls.Config{
				Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert,
				NextProtos: []string{"raresync-raft/1", "raresync-api/1"},
			}
			change(c)
			ln, err := tls.Listen("tcp", "127.0.0.1:0", c)
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() {
				defer close(served)
				for {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					_ = conn.(*tls.Conn).Handshake() // the mesh's side tells how it went
					conn.Close()
				}
			}()
			b := w.start(t, "b")
			b.SetPeers([]Target{{Node: "a", Addresses: []string{ln.Addr().String()}}})
			if err := failureOf(t, b, "a"); !strings.Contains(err.Error(), "handshake") {
				t.Errorf("failed later than the handshake: %v", err)
			}
			b.Close()
			ln.Close()
			<-served
		})
	}
}

func TestCertificateCarriesNothingButTheKey(t *testing.T) {
	key := newKey(t)
	cert, err := certificate(key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if c.Subject.String() != "" || len(c.DNSNames)+len(c.IPAddresses) != 0 {
		t.Errorf("names: %q, %v, %v", c.Subject, c.DNSNames, c.IPAddresses)
	}
	if !bytes.Equal(c.PublicKey.(ed25519.PublicKey), key.Public().(ed25519.PublicKey)) {
		t.Error("another key")
	}
	if time.Now().Before(c.NotBefore) || c.NotAfter.Year() != 9999 {
		t.Errorf("valid from %v to %v", c.NotBefore, c.NotAfter)
	}
}
