package daemon

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/founding"
)

const (
	maxCardBytes     = 64 << 10
	maxInviteDays    = 30
	maxOpenInvites   = 32
	inviteNoteMax    = 120 // bytes
	guestHeaderLimit = 5 * time.Second
)

var (
	errNoListener = errors.New("this node listens on nothing outward, so no newcomer can ask it")
	errNoRequest  = errors.New("no such invitation")
	errUsed       = errors.New("this invitation was used, or has ended")
)

// invite makes an invitation that this node honours.
func (s *service) invite(r *http.Request) (admin.Invited, error) {
	var in admin.NewInvitation
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxProposalRequest)).Decode(&in); err != nil {
		return admin.Invited{}, fmt.Errorf("%w: the request is not readable", errInvalid)
	}
	if in.Days < 1 || in.Days > maxInviteDays || len(in.Note) > inviteNoteMax {
		return admin.Invited{}, fmt.Errorf("%w: 1 to %d days, and a note of at most %d bytes", errInvalid, maxInviteDays, inviteNoteMax)
	}
	token, err := s.newInvitation(in)
	if err != nil {
		return admin.Invited{}, err
	}
	out := admin.Invited{Network: token.Name, NetworkID: hex.EncodeToString(token.Network[:]), Expires: rfc3339(token.Expiry), Node: s.self.ID}
	if in.DryRun {
		return out, nil
	}
	made := home.Invitation{ID: invitationID(token.Secret), Secret: secretHash(token.Secret), Expiry: token.Expiry, State: home.InvitationOpen, Note: in.Note}
	err = s.invitations.Change(func(list []home.Invitation) ([]home.Invitation, error) {
		open := 0
		for _, one := range list {
			if one.State == home.InvitationOpen && one.Expiry > s.nowMillis() {
				open++
			}
		}
		if open >= maxOpenInvites {
			return nil, fmt.Errorf("%w: %d invitations are open", errRefused, open)
		}
		return append(list, made), nil
	})
	out.Token, out.ID = token.Token(), made.ID
	return out, err
}

func (s *service) nowMillis() uint64 { return uint64(s.clock().UnixMilli()) }

// newInvitation names this node, then the voters, with the keys they have now.
func (s *service) newInvitation(in admin.NewInvitation) (*founding.Invitation, error) {
	view := s.node.View()
	self, ok := view.Node(s.self.ID)
	addresses := in.Addresses
	if ok && len(addresses) == 0 {
		addresses = self.Addresses
	}
	if !ok || s.mesh.Addr() == nil || len(addresses) == 0 {
		return nil, errNoListener
	}
	i := &founding.Invitation{Network: view.Network, Name: view.Name, Expiry: s.nowMillis() + uint64(in.Days)*24*60*60*1000}
	if _, err := io.ReadFull(rand.Reader, i.Secret[:]); err != nil {
		return nil, fmt.Errorf("invite: %w", err)
	}
	i.Peers = []founding.InvitationPeer{{Node: self.ID, TLS: self.TLS.ID(), Addresses: addresses}}
	for _, v := range view.Voters() {
		if v.ID != self.ID && len(v.Addresses) > 0 && len(i.Peers) < act.MaxVoters {
			i.Peers = append(i.Peers, founding.InvitationPeer{Node: v.ID, TLS: v.TLS.ID(), Addresses: v.Addresses})
		}
	}
	if _, err := founding.ParseToken(i.Token()); err != nil {
		return nil, fmt.Errorf("%w: %w", errInvalid, err)
	}
	return i, nil
}

func invitationID(secret [16]byte) string {
	h := sha256.Sum256(append([]byte("raresync/v1/invitation-id\x00"), secret[:]...))
	return hex.EncodeToString(h[:8])
}

func secretHash(secret [16]byte) string {
	h := sha256.Sum256(append([]byte("raresync/v1/invitation-secret\x00"), secret[:]...))
	return hex.EncodeToString(h[:])
}

// listInvitations lists what this node has made, and who waits.
func (s *service) listInvitations(*http.Request) ([]admin.Invitation, error) {
	out := []admin.Invitation{}
	for _, one := range s.invitations.List() {
		a := admin.Invitation{ID: one.ID, State: one.State, Expires: rfc3339(one.Expiry), Note: one.Note, Card: one.Card}
		if one.State == home.InvitationOpen && one.Expiry <= s.nowMillis() {
			a.State = "expired"
		}
		if card, err := founding.ParseCard(one.Card); err == nil && len(card.Nodes) > 0 {
			a.Name, a.Node, a.KeyID = strings.TrimSpace(card.Institution.NameZH+" "+card.Institution.NameEN), card.Nodes[0].ID, card.Institution.Envelope.ID().String()
		}
		out = append(out, a)
	}
	return out, nil
}

// decideInvitation notes what became of a newcomer's request, or takes back an
// invitation that nobody has used.
func (s *service) decideInvitation(r *http.Request) (admin.Invitation, error) {
	var in admin.InvitationDecision
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxProposalRequest)).Decode(&in); err != nil {
		return admin.Invitation{}, fmt.Errorf("%w: the request is not readable", errInvalid)
	}
	if in.State != home.InvitationProposed && in.State != home.InvitationRejected {
		return admin.Invitation{}, fmt.Errorf("%w: an invitation becomes proposed or rejected", errInvalid)
	}
	var out admin.Invitation
	err := s.invitations.Change(func(list []home.Invitation) ([]home.Invitation, error) {
		for i := range list {
			if list[i].ID != r.PathValue("id") {
				continue
			}
			if in.State == home.InvitationProposed && list[i].State != home.InvitationAsked && list[i].State != home.InvitationProposed {
				return nil, fmt.Errorf("%w: nobody waits on it", errUsed)
			}
			list[i].State = in.State
			out = admin.Invitation{ID: list[i].ID, State: in.State, Expires: rfc3339(list[i].Expiry), Note: list[i].Note}
			return list, nil
		}
		return nil, errNoRequest
	})
	return out, err
}

// takeGuest answers the question of a newcomer: may I be let in? Whoever has the
// token may ask once; what it asked is for operators to decide.
func (s *service) takeGuest(conn net.Conn) {
	done := make(chan struct{})
	l := &oneConn{conn: conn, done: done}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/join", s.answerGuest)
	mux.HandleFunc("GET /v1/succession", s.answerLeftBehind)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: guestHeaderLimit, MaxHeaderBytes: 8 << 10, ConnState: func(_ net.Conn, st http.ConnState) {
		if st == http.StateClosed || st == http.StateIdle {
			l.end()
		}
	}}
	server.SetKeepAlivesEnabled(false)
	_ = server.Serve(l) // ends with the one connection
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = server.Shutdown(ctx) // the connection is the caller's to close
}

// oneConn is a listener for one connection.
type oneConn struct {
	conn net.Conn
	done chan struct{}
	once sync.Once
	mu   sync.Mutex
	took bool // guarded by mu
}

func (l *oneConn) end() { l.once.Do(func() { close(l.done) }) }

func (l *oneConn) Accept() (net.Conn, error) {
	l.mu.Lock()
	first := !l.took
	l.took = true
	l.mu.Unlock()
	if first {
		return l.conn, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { l.end(); return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

func (s *service) answerGuest(w http.ResponseWriter, r *http.Request) {
	var in admin.JoinRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCardBytes)).Decode(&in); err != nil {
		fail(w, fmt.Errorf("%w: the request is not readable", errInvalid))
		return
	}
	if s.opened.Load() == nil { // the mesh is there before the node
		fail(w, consensus.ErrNotYet)
		return
	}
	if err := s.noteGuest(in); err != nil {
		s.log.Warn("a newcomer's request was refused", "reason", err.Error())
		fail(w, err)
		return
	}
	genesis, err := home.ReadGenesis(s.cfg)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(admin.JoinAnswer{Genesis: founding.MarshalGenesis(genesis)}) // the guest has gone if it fails
}

// noteGuest keeps a newcomer's card under its invitation. The same card again is
// the same request.
func (s *service) noteGuest(in admin.JoinRequest) error {
	card, err := founding.ParseCard(in.Card)
	if err == nil {
		err = s.checkCard(card)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errInvalid, err)
	}
	if len(in.Secret) != 16 {
		return errNoRequest
	}
	hash := secretHash([16]byte(in.Secret))
	return s.invitations.Change(func(list []home.Invitation) ([]home.Invitation, error) {
		for i := range list {
			one := &list[i]
			if subtle.ConstantTimeCompare([]byte(one.Secret), []byte(hash)) != 1 {
				continue
			}
			again := bytes.Equal(one.Card, in.Card)
			if one.State == home.InvitationRejected || one.State != home.InvitationOpen && !again || !again && one.Expiry <= s.nowMillis() {
				return nil, errUsed
			}
			if one.State == home.InvitationOpen {
				one.State, one.Card = home.InvitationAsked, in.Card
				s.log.Info("a newcomer asks to be let in: raresync member list", "invitation", one.ID, "node", card.Nodes[0].ID)
			}
			return list, nil
		}
		return nil, errNoRequest
	})
}

// checkCard refuses a card that no admission could have.
func (s *service) checkCard(card *founding.Card) error {
	d := act.Admission{Institution: card.Institution, Nodes: append([]act.Node(nil), card.Nodes...)}
	view, now := s.now()
	for i := range d.Nodes {
		d.Nodes[i].Institution = uint32(len(view.Members) + 1)
	}
	if err := d.Validate(); err != nil {
		return err
	}
	if r := view.CheckAct(&act.Act{Version: act.Version, Type: act.TypeAdmission, Payload: d.Marshal()}, now); r != nil {
		return r
	}
	return nil
}
