package mesh

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/raresync/raresync/crypto/sign"
)

// OpenedError reports that somebody answers TLS in a node's place: a proxy or a
// firewall on the way that opens encrypted connections to look into them, or
// another service at the node's address. It is an [ErrProtocol].
type OpenedError struct {
	Address string // dialled, host:port
	Issuer  string // of the certificate shown
}

// Error says what happened and what to ask the network department for.
func (e *OpenedError) Error() string {
	return fmt.Sprintf("a proxy or firewall on the way opens TLS and answers in the node's place, with a certificate issued by %q; "+
		"ask the network department to exempt %s from TLS inspection", e.Issuer, e.Address)
}

// Unwrap returns ErrProtocol.
func (e *OpenedError) Unwrap() error { return ErrProtocol }

// foreign returns the issuer of a certificate that no node of any network made:
// a node's has an Ed25519 key and no names.
func foreign(cert *x509.Certificate) (issuer string, ok bool) {
	_, own := cert.PublicKey.(ed25519.PublicKey)
	issuer = cert.Issuer.String()
	if own && issuer == "" {
		return "", false
	}
	if issuer == "" {
		issuer = "nobody named"
	}
	return issuer, true
}

// openedBy says whether what a dialled address showed is a stranger's.
func openedBy(address string, cs tls.ConnectionState) *OpenedError {
	if len(cs.PeerCertificates) == 0 {
		return nil
	}
	if issuer, ok := foreign(cs.PeerCertificates[0]); ok {
		return &OpenedError{Address: address, Issuer: fmt.Sprintf("%.200s", issuer)}
	}
	return nil
}

// A handshakeFault is a TLS handshake that failed on the dialling side.
type handshakeFault struct{ err error }

func (e *handshakeFault) Error() string { return "handshake: " + e.err.Error() }
func (e *handshakeFault) Unwrap() error { return e.err }

// A look is what was found at an address when it was last looked at.
type look struct {
	at     time.Time
	opened *OpenedError // nil if nothing
}

// lookAgain is how long a look holds.
const lookAgain = time.Minute

// whoAnswered explains a handshake that failed. A proxy that opens TLS seldom
// speaks what this network does, and then fails without showing a certificate:
// so the address is asked again, once a minute, in the way of a browser.
func (m *Mesh) whoAnswered(ctx context.Context, address string, err error) error {
	var fault *handshakeFault
	var opened *OpenedError
	var identity *identityError
	if !errors.As(err, &fault) || errors.As(err, &opened) || errors.As(err, &identity) {
		return err
	}
	m.mu.Lock()
	last, looked := m.looks[address]
	m.mu.Unlock()
	if !looked || time.Since(last.at) >= lookAgain {
		last = look{time.Now(), m.lookAt(ctx, address)}
		m.mu.Lock()
		m.looks[address] = last
		m.mu.Unlock()
	}
	if last.opened != nil {
		return last.opened
	}
	return err
}

var errSeen = errors.New("seen")

// Look begins a handshake at an address (host:port) that any server can answer, by
// way of the proxy if it is not nil, to see who is there, and ends it. It shows no
// certificate. What it returns is the key that a node showed, without proof that
// it has it; an [*OpenedError] says that somebody else is there.
func Look(ctx context.Context, proxy *Proxy, address string) (seen sign.KeyID, err error) {
	raw, err := proxy.dialOrDirect(ctx, address)
	if err != nil {
		return sign.KeyID{}, err
	}
	defer raw.Close()
	name, _, _ := net.SplitHostPort(address)
	if net.ParseIP(name) != nil {
		name = ""
	}
	look := &tls.Config{
		ServerName: name, MinVersion: tls.VersionTLS12, InsecureSkipVerify: true,
		VerifyConnection: func(cs tls.ConnectionState) (err error) {
			if opened := openedBy(address, cs); opened != nil {
				return opened
			}
			if seen, err = shownKey(cs); err != nil {
				return err
			}
			return errSeen
		},
	}
	if err = tls.Client(raw, look).HandshakeContext(ctx); errors.Is(err, errSeen) {
		err = nil
	}
	return seen, err
}

// lookAt returns who opens TLS at an address, or nil.
func (m *Mesh) lookAt(ctx context.Context, address string) *OpenedError {
	ctx, cancel := context.WithTimeout(ctx, m.cfg.HandshakeTimeout)
	defer cancel()
	_, err := Look(ctx, m.cfg.Proxy, address)
	var opened *OpenedError
	errors.As(err, &opened)
	return opened
}

// A Trouble is why a node cannot be reached that this one dials.
type Trouble struct {
	Node NodeID
	Err  error
}

// Troubles lists the nodes that this one dialled in vain last, without a session
// since, by node.
func (m *Mesh) Troubles() (list []Trouble) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, node := range m.dialled() {
		for class := range classCount {
			at := slot{node, class}
			if err := m.failures[at]; err != nil && m.current[at] == nil {
				list = append(list, Trouble{node, err})
				break
			}
		}
	}
	return list
}
