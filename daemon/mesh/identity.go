package mesh

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/raresync/raresync/crypto/sign"
)

// Why a handshake is refused.
var (
	// ErrUnknownKey reports a peer whose TLS key no node of the roster has.
	ErrUnknownKey = errors.New("the key is not in the roster")

	// ErrWrongNode reports that the key at a dialled address belongs to a
	// node other than the one expected there.
	ErrWrongNode = errors.New("the key belongs to another node")

	// ErrSelf reports a connection of this node to itself.
	ErrSelf = errors.New("the peer is this node")

	// ErrRefused reports a peer that did not let this node in, as a rule
	// because its roster does not have this node's key.
	ErrRefused = errors.New("the other side refused this node; is its key in the roster there")

	// ErrProtocol reports a peer that does not speak as this package does.
	ErrProtocol = errors.New("not the protocol of the network")
)

// A Peer is the authenticated other end of a stream. The two fields are
// bound: the peer proved that it holds the key, and the roster gave the key to
// the node when the session began or was last refreshed.
type Peer struct {
	Node NodeID
	Key  sign.KeyID // of its TLS key
}

// An identityError is a refusal that names the key it is about.
type identityError struct {
	err error
	key sign.KeyID
}

func (e *identityError) Error() string { return fmt.Sprintf("key %s: %v", shortKey(e.key), e.err) }
func (e *identityError) Unwrap() error { return e.err }

func shortKey(id sign.KeyID) string { return hex.EncodeToString(id[:6]) }

// keyID returns the id of an Ed25519 TLS key.
func keyID(pub ed25519.PublicKey) (sign.KeyID, error) {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return sign.KeyID{}, err
	}
	k, err := sign.ParsePublicKey(sign.PurposeTLS, spki, nil)
	if err != nil {
		return sign.KeyID{}, err
	}
	return k.ID(), nil
}

// certificate wraps key for TLS. The dates say "always" (RFC 5280 section
// 4.1.2.5), and the serial number "none": a peer looks at the key alone.
func certificate(key ed25519.PrivateKey) (tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// ownKeys are the keys by which this node shows who it is.
type ownKeys struct{ present, former *ownKey }

type ownKey struct {
	cert tls.Certificate
	id   sign.KeyID
}

// SetKeys changes this node's TLS key, for new sessions; those that there are
// stay. former, which may be nil, serves peers whose roster is from before the
// change: to one that refuses the new key, or that asks for the old one by name,
// this node shows the old.
func (m *Mesh) SetKeys(present, former ed25519.PrivateKey) error {
	keys := &ownKeys{}
	var err error
	if keys.present, err = newOwnKey(present); err != nil {
		return err
	}
	if former != nil {
		if keys.former, err = newOwnKey(former); err != nil {
			return err
		}
	}
	m.own.Store(keys)
	return nil
}

func newOwnKey(key ed25519.PrivateKey) (*ownKey, error) {
	id, err := keyID(key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	cert, err := certificate(key)
	return &ownKey{cert: cert, id: id}, err
}

// is reports whether a key is this node's.
func (k *ownKeys) is(id sign.KeyID) bool {
	return id == k.present.id || k.former != nil && id == k.former.id
}

// serverName names a key in a handshake: the first 31 bytes of its id, which
// fit a label of RFC 6066 section 3.
func serverName(id sign.KeyID) string { return hex.EncodeToString(id[:31]) }

// A showing says by which keys a handshake is tried.
type showing struct {
	former bool   // this node shows its former key
	asks   string // for the peer's key of this name; "" = for none
}

// nextShowing returns how a handshake is tried again that failed so, if that may
// help: the two sides may know each other by keys from before a rotation.
func (m *Mesh) nextShowing(node NodeID, tried showing, err error) (showing, bool) {
	switch {
	case errors.Is(err, ErrRefused) && !tried.former && m.own.Load().former != nil:
		return showing{former: true, asks: tried.asks}, true
	case errors.Is(err, ErrUnknownKey) && tried.asks == "" && m.cfg.KeyOf != nil:
		if id, ok := m.cfg.KeyOf(node); ok {
			return showing{former: tried.former, asks: serverName(id)}, true
		}
	}
	return showing{}, false
}

// baseTLS is what both ends of a connection have in common. Certificates are
// checked by check alone, which is why the usual verification is off. Tickets
// are off because a resumed connection would not be asked for its key.
func (m *Mesh) baseTLS(check func(tls.ConnectionState) error) *tls.Config {
	return &tls.Config{
		Certificates:                []tls.Certificate{m.own.Load().present.cert},
		MinVersion:                  tls.VersionTLS13,
		MaxVersion:                  tls.VersionTLS13,
		CurvePreferences:            []tls.CurveID{tls.X25519MLKEM768},
		ClientAuth:                  tls.RequireAnyClientCert,
		InsecureSkipVerify:          true,
		VerifyConnection:            check,
		SessionTicketsDisabled:      true,
		DynamicRecordSizingDisabled: true,
	}
}

// serverTLS accepts any node of the roster, for either class.
func (m *Mesh) serverTLS() *tls.Config {
	c := m.baseTLS(func(cs tls.ConnectionState) error {
		if isGuest(cs) && cs.Version == tls.VersionTLS13 && cs.CurveID == tls.X25519MLKEM768 {
			return nil
		}
		_, err := m.identify(cs)
		return err
	})
	c.NextProtos = []string{ClassRaft.protocol(), ClassAPI.protocol()}
	if m.cfg.Guest != nil {
		c.NextProtos = append(c.NextProtos, guestProtocol)
	}
	c.Certificates = nil // asked for with each connection: keys change
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		own := m.own.Load()
		if own.former != nil && hello.ServerName == serverName(own.former.id) {
			return &own.former.cert, nil
		}
		return &own.present.cert, nil
	}
	return c
}

// clientTLS accepts the node of a slot only, at an address.
func (m *Mesh) clientTLS(address string, at slot, show showing) *tls.Config {
	c := m.baseTLS(func(cs tls.ConnectionState) error {
		if opened := openedBy(address, cs); opened != nil {
			return opened
		}
		p, err := m.identify(cs)
		if err == nil && p.Node != at.node {
			err = &identityError{fmt.Errorf("%w: %s", ErrWrongNode, p.Node), p.Key}
		}
		return err
	})
	c.NextProtos = []string{at.class.protocol()}
	c.ServerName = show.asks
	if own := m.own.Load(); show.former && own.former != nil {
		c.Certificates = []tls.Certificate{own.former.cert}
	}
	return c
}

// identify names the peer of a connection. During the handshake the peer has
// only claimed the key; once the handshake is over it has proved it.
func (m *Mesh) identify(cs tls.ConnectionState) (Peer, error) {
	if cs.Version != tls.VersionTLS13 || cs.CurveID != tls.X25519MLKEM768 {
		return Peer{}, fmt.Errorf("%w: not TLS 1.3 with X25519MLKEM768", ErrProtocol)
	}
	if _, err := classOf(cs); err != nil {
		return Peer{}, err
	}
	if len(cs.PeerCertificates) != 1 {
		return Peer{}, fmt.Errorf("%w: %d certificates, want 1", ErrProtocol, len(cs.PeerCertificates))
	}
	pub, ok := cs.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return Peer{}, fmt.Errorf("%w: not an Ed25519 key", ErrProtocol)
	}
	id, err := keyID(pub)
	if err != nil {
		return Peer{}, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return m.roster(id)
}

// roster names the peer that holds the key with the given id.
func (m *Mesh) roster(id sign.KeyID) (Peer, error) {
	if m.own.Load().is(id) {
		return Peer{}, &identityError{ErrSelf, id}
	}
	node, ok := m.cfg.Lookup(id)
	switch {
	case !ok || node == "":
		return Peer{}, &identityError{ErrUnknownKey, id}
	case node == m.cfg.Self:
		return Peer{}, &identityError{ErrSelf, id}
	}
	return Peer{Node: node, Key: id}, nil
}

func classOf(cs tls.ConnectionState) (Class, error) {
	for c := range classCount {
		if cs.NegotiatedProtocol == c.protocol() {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%w: no protocol agreed", ErrProtocol)
}
