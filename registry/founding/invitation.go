package founding

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/raresync/raresync/crypto/cbor"
)

// InvitationPeer is a node that an invitation names, with the key by which it is
// known.
type InvitationPeer struct {
	Node      string
	TLS       [32]byte // id of its TLS key
	Addresses []string // host:port
}

// Invitation lets a newcomer ask to be let in, once. It says which network that is
// and by which key the node that answers is known, so that whoever stands in
// between learns nothing of use. It lets nobody in: lead hospitals do.
type Invitation struct {
	Network [32]byte
	Name    string           // of the network
	Secret  [16]byte         // what the inviting node knows it by
	Expiry  uint64           // ms; the inviting node's clock decides
	Peers   []InvitationPeer // the inviting node first
}

// The form of a token.
const (
	tokenPrefix       = "rsjoin1-"
	tokenSumBytes     = 4
	maxTokenBytes     = 4096
	maxPeers          = 9
	invitationVersion = 1
)

// ErrToken reports a text that is no invitation, or one that was cut or mistyped.
var ErrToken = errors.New("this is no whole invitation token")

// Token returns the invitation as one word to hand over. Whoever has it can use it.
func (i *Invitation) Token() string {
	b := cbor.AppendArray(nil, 6)
	b = cbor.AppendUint(b, invitationVersion)
	b = cbor.AppendBytes(b, i.Network[:])
	b = cbor.AppendText(b, i.Name)
	b = cbor.AppendBytes(b, i.Secret[:])
	b = cbor.AppendUint(b, i.Expiry)
	b = cbor.AppendArray(b, len(i.Peers))
	for _, p := range i.Peers {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendText(b, p.Node)
		b = cbor.AppendBytes(b, p.TLS[:])
		b = cbor.AppendArray(b, len(p.Addresses))
		for _, a := range p.Addresses {
			b = cbor.AppendText(b, a)
		}
	}
	sum := tokenSum(b)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(append(b, sum[:]...))
}

func tokenSum(b []byte) [tokenSumBytes]byte {
	h := sha256.Sum256(append([]byte("raresync/v1/invitation\x00"), b...))
	return [tokenSumBytes]byte(h[:tokenSumBytes])
}

// ParseToken reads a token. Every error is an ErrToken.
func ParseToken(token string) (*Invitation, error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(token), tokenPrefix)
	if !ok || len(text) > maxTokenBytes {
		return nil, fmt.Errorf("%w: it begins with %s", ErrToken, tokenPrefix)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < tokenSumBytes {
		return nil, ErrToken
	}
	b, sum := raw[:len(raw)-tokenSumBytes], tokenSum(raw[:len(raw)-tokenSumBytes])
	if subtle.ConstantTimeCompare(sum[:], raw[len(b):]) != 1 {
		return nil, ErrToken
	}
	i, err := decodeInvitation(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return i, nil
}

func decodeInvitation(raw []byte) (*Invitation, error) {
	i := &Invitation{}
	d := cbor.NewDecoder(raw)
	d.Array(6)
	if v := d.Uint(); d.Err() == nil && v != invitationVersion {
		return nil, fmt.Errorf("version %d is not known to this build", v)
	}
	d.BytesInto(i.Network[:])
	i.Name = d.Text(64)
	d.BytesInto(i.Secret[:])
	i.Expiry = d.Uint()
	n := d.ArrayMax(maxPeers)
	for range n {
		var p InvitationPeer
		d.Array(3)
		p.Node = d.Text(32)
		d.BytesInto(p.TLS[:])
		count := d.ArrayMax(4)
		for range count {
			p.Addresses = append(p.Addresses, d.Text(256))
		}
		i.Peers = append(i.Peers, p)
	}
	if err := d.Done(); err != nil {
		return nil, err
	}
	if len(i.Peers) == 0 || len(i.Peers[0].Addresses) == 0 {
		return nil, errors.New("it names no node to ask")
	}
	return i, nil
}
