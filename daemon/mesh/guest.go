package mesh

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/raresync/raresync/crypto/sign"
)

// A guest is not in the roster. It may ask one thing, over a connection of a class
// of its own, without a session: whether it may be let in.

const (
	guestProtocol = "raresync-guest/1"
	maxGuests     = 8                // at once
	guestTimeout  = 20 * time.Second // from the handshake to the end
)

// isGuest reports whether a connection was made for a guest's question.
func isGuest(cs tls.ConnectionState) bool { return cs.NegotiatedProtocol == guestProtocol }

// serveGuest hands a guest's connection over, or ends it if there are too many.
// Nothing is known of the guest but that its connection is private.
func (m *Mesh) serveGuest(conn *tls.Conn) {
	select {
	case m.guests <- struct{}{}:
	default:
		conn.Close()
		return
	}
	defer func() { <-m.guests }()
	defer conn.Close()
	defer context.AfterFunc(m.ctx, func() { conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(guestTimeout)); err == nil {
		m.cfg.Guest(guestConn{conn})
	}
}

// guestConn keeps from an HTTP server that the connection is TLS: it would not
// know the protocol.
type guestConn struct{ net.Conn }

// DialGuest opens a guest's connection to a node at an address, which has to show
// the key with the given id (sign.KeyID), by way of the proxy if it is not nil.
// key is the guest's own TLS key.
func DialGuest(ctx context.Context, proxy *Proxy, address string, key ed25519.PrivateKey, want [32]byte) (net.Conn, error) {
	own, err := newOwnKey(key)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", address, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{own.cert}, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768},
		InsecureSkipVerify: true, // the key is compared below
		NextProtos:         []string{guestProtocol},
		VerifyConnection: func(cs tls.ConnectionState) error {
			if opened := openedBy(address, cs); opened != nil {
				return opened
			}
			id, err := shownKey(cs)
			if err == nil && id != sign.KeyID(want) {
				err = &identityError{ErrWrongNode, id}
			}
			return err
		},
	}
	raw, err := proxy.dialOrDirect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", address, err)
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("ask %s: %w", address, alerted(err))
	}
	return conn, nil
}

// shownKey returns the id of the key that the other side shows.
func shownKey(cs tls.ConnectionState) (sign.KeyID, error) {
	if len(cs.PeerCertificates) != 1 {
		return sign.KeyID{}, fmt.Errorf("%w: %d certificates, want 1", ErrProtocol, len(cs.PeerCertificates))
	}
	pub, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return sign.KeyID{}, fmt.Errorf("%w: not an Ed25519 key", ErrProtocol)
	}
	id, err := keyID(pub)
	if err != nil {
		return sign.KeyID{}, errors.Join(ErrProtocol, err)
	}
	return id, nil
}
