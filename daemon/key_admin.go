package daemon

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"

	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/crypto/sign"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/registry/act"
)

const (
	maxKeyRequestBytes = 4096
	minShownDigits     = 8 // of a key id that is shortened

	statePresent, stateNext, stateFormer = "present", "next", "former"

	purposeSealing = "sealing"
	purposeUnsaid  = "request, response or tls" // of a former key: the roster keeps its id alone
)

// listed is a key with what it takes to show it.
type listed struct {
	admin.HeldKey
	signing *sign.PublicKey
	sealing *seal.ReaderPublic
}

// keysIn lists every key of the roster, and of this institution the next ones.
func (s *service) keysIn(view *state.State) (out []listed) {
	k := s.ring.Keys()
	for i := range view.Members {
		m := &view.Members[i]
		number := uint32(i + 1)
		own := number == s.self.Institution
		for _, span := range m.Signing {
			out = append(out, listed{HeldKey: spanning(number, "envelope", span.Key.ID(), span.From, span.To), signing: span.Key})
		}
		for _, key := range []*sign.PublicKey{m.Request, m.Response} {
			out = append(out, listed{HeldKey: held(number, key.Purpose().String(), key.ID()), signing: key})
		}
		for _, span := range m.Sealing {
			out = append(out, listed{HeldKey: spanning(number, purposeSealing, span.Key.ID(), span.From, span.To), sealing: &span.Key})
		}
		for _, id := range m.Former {
			gone := held(number, purposeUnsaid, id)
			gone.State = stateFormer
			out = append(out, listed{HeldKey: gone})
		}
		if own {
			out = append(out, nextKeys(number, s.self.ID, &k.Next)...)
		}
	}
	for i := range view.Nodes {
		n := &view.Nodes[i]
		for _, key := range []*sign.PublicKey{n.TLS, n.Log, n.Cosign} {
			one := listed{HeldKey: held(n.Institution, key.Purpose().String(), key.ID()), signing: key}
			one.Node = n.ID
			out = append(out, one)
		}
	}
	for i := range out {
		s.mark(view, k, &out[i].HeldKey)
	}
	return out
}

func held(number uint32, purpose string, id [32]byte) admin.HeldKey {
	return admin.HeldKey{Institution: number, Purpose: purpose, ID: hex.EncodeToString(id[:]), State: statePresent}
}

// spanning is a key that is valid for a span of envelopes.
func spanning(number uint32, purpose string, id [32]byte, from, to uint64) admin.HeldKey {
	k := held(number, purpose, id)
	k.Spans, k.From, k.To = true, from, to
	if to != 0 {
		k.State = stateFormer
	}
	return k
}

func nextKeys(number uint32, node string, n *home.Next) (out []listed) {
	for _, key := range []*sign.PrivateKey{n.Envelope, n.Request, n.Response, n.TLS} {
		if key == nil {
			continue
		}
		one := listed{HeldKey: held(number, key.Purpose().String(), key.Public().ID()), signing: key.Public()}
		if one.State = stateNext; key.Purpose() == sign.PurposeTLS {
			one.Node = node
		}
		out = append(out, one)
	}
	if n.Sealing != nil {
		public := n.Sealing.Public()
		one := listed{HeldKey: held(number, purposeSealing, public.ID()), sealing: &public}
		one.State = stateNext
		out = append(out, one)
	}
	return out
}

// mark adds whether a key was revoked, and of this institution's keys where the
// private half is.
func (s *service) mark(view *state.State, k *home.Keys, one *admin.HeldKey) {
	id, err := hex.DecodeString(one.ID)
	if err != nil || len(id) != 32 {
		return
	}
	if r, found := view.Revocation([32]byte(id)); found {
		one.Revoked = fmt.Sprintf("since %d", r.Since)
	}
	if one.Institution != s.self.Institution || one.Node != "" && one.Node != s.self.ID {
		return
	}
	gone, was := k.WasHere([32]byte(id))
	switch {
	case k.Holds([32]byte(id)):
		one.Where = admin.WhereFile
	case !was:
		one.Where = admin.WhereNever
	case one.Purpose == purposeSealing:
		one.Where = admin.WhereOffline
	default:
		one.Where = admin.WhereDestroyed
	}
	if one.Purpose != purposeUnsaid {
		return
	}
	switch tls := k.FormerTLS; {
	case was:
		one.Purpose = gone.Purpose.String()
	case tls != nil && tls.Public().ID() == sign.KeyID(id):
		one.Purpose = tls.Purpose().String()
	}
}

func (s *service) listKeys(*http.Request) ([]admin.HeldKey, error) { return s.heldKeys(), nil }

func (s *service) heldKeys() []admin.HeldKey {
	list := s.keysIn(s.node.View())
	out := make([]admin.HeldKey, len(list))
	for i := range list {
		out[i] = list[i].HeldKey
	}
	return out
}

// showKey shows the public key whose id begins as asked.
func (s *service) showKey(r *http.Request) (admin.ShownKey, error) {
	id := strings.ToLower(r.PathValue("id"))
	if len(id) < minShownDigits {
		return admin.ShownKey{}, fmt.Errorf("%w: give at least %d digits of the key id", errInvalid, minShownDigits)
	}
	var found []listed
	for _, k := range s.keysIn(s.node.View()) {
		if strings.HasPrefix(k.ID, id) && (k.signing != nil || k.sealing != nil) {
			found = append(found, k)
		}
	}
	switch {
	case len(found) == 0:
		return admin.ShownKey{}, fmt.Errorf("key %s: %w among those whose public half is kept", id, reader.ErrNotFound)
	case len(found) > 1:
		return admin.ShownKey{}, fmt.Errorf("%w: %d keys begin with %s", errInvalid, len(found), id)
	}
	return admin.ShownKey{HeldKey: found[0].HeldKey, PEM: pemOf(found[0])}, nil
}

func pemOf(k listed) string {
	var out bytes.Buffer
	if k.sealing != nil {
		_ = pem.Encode(&out, &pem.Block{Type: "RARESYNC SEALING KEY", Bytes: k.sealing.Bytes()}) // a buffer takes everything
		return out.String()
	}
	for _, half := range [][]byte{k.signing.SPKIEd25519(), k.signing.SPKIMLDSA()} {
		if len(half) > 0 {
			_ = pem.Encode(&out, &pem.Block{Type: "PUBLIC KEY", Bytes: half})
		}
	}
	return out.String()
}

// readRequest reads the JSON of a request about keys.
func readRequest(r *http.Request, into any) error {
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxKeyRequestBytes)).Decode(into); err != nil {
		return fmt.Errorf("%w: not readable", errInvalid)
	}
	return nil
}

func (s *service) generateKeys(r *http.Request) ([]admin.HeldKey, error) {
	var in admin.KeyChoice
	if err := readRequest(r, &in); err != nil {
		return nil, err
	}
	if in == (admin.KeyChoice{}) {
		return nil, fmt.Errorf("%w: no key is chosen", errInvalid)
	}
	if err := s.ring.Generate(home.Choice(in)); err != nil {
		return nil, fmt.Errorf("generate keys: %w", err)
	}
	return s.heldKeys(), nil
}

func (s *service) rotateKeys(r *http.Request) ([]admin.HeldKey, error) {
	var in admin.KeyChoice
	if err := readRequest(r, &in); err != nil {
		return nil, err
	}
	choice := home.Choice(in)
	if choice == (home.Choice{}) {
		choice = home.All
	}
	if err := s.rotate(r.Context(), choice); err != nil {
		return nil, err
	}
	return s.heldKeys(), nil
}

// revokeKey revokes a key of this institution, which needs nobody's approval.
func (s *service) revokeKey(r *http.Request) ([]admin.HeldKey, error) {
	var in admin.KeyRevocation
	if err := readRequest(r, &in); err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(in.Key)
	if err != nil || len(id) != 32 {
		return nil, fmt.Errorf("%w: a key id has 64 digits", errInvalid)
	}
	for _, k := range s.heldKeys() {
		if k.ID == in.Key && k.Node == s.self.ID && k.Purpose == "tls" && k.State == "present" {
			return nil, fmt.Errorf("revoke key: %w: it is this node's present TLS key, without which the other nodes refuse this one: "+
				"raresync key rotate --tls first", home.ErrKeyring)
		}
	}
	err = s.postAct(r.Context(), act.Act{Version: act.Version, Type: act.TypeRevoke, Payload: act.Revocation{
		Institution: s.self.Institution, Key: [32]byte(id), Since: in.Since,
	}.Marshal()})
	if err != nil {
		return nil, unposted("revoke key", err)
	}
	_, err = s.node.Wait(r.Context(), func(v *state.State) bool { return v.Revoked([32]byte(id)) })
	if err != nil {
		return nil, err
	}
	return s.heldKeys(), nil
}

// grantKeys grants, and streams how far it is.
func (s *service) grantKeys(w http.ResponseWriter, r *http.Request) {
	var in admin.KeyGrant
	err := readRequest(r, &in)
	from, to := uint64(0), uint64(0)
	if err == nil {
		err = s.maySign()
	}
	if err == nil {
		err = s.reader.CheckRecipient(in.Institution)
	}
	if err == nil {
		from, to, err = s.envelopesOf(in)
	}
	if err != nil {
		fail(w, fmt.Errorf("grant: %w", err))
		return
	}
	out := newStreamer(w)
	last := admin.KeyGranting{Of: to - from, First: from, Last: to - 1}
	if in.DryRun {
		out.send(last)
		return
	}
	err = s.reader.Grant(r.Context(), in.Institution, from, to,
		func(a act.Act) error { return s.postAct(r.Context(), a) },
		func(p reader.Granting) {
			last.Looked, last.Of = p.Envelope-from, p.Of-from
			last.Granted, last.HadBefore, last.Unopened = p.Envelopes, p.Had, p.Closed
			out.send(last)
			out.flush()
		})
	if err != nil {
		out.fail(fmt.Errorf("grant: %w", err))
		return
	}
	last.Done = true
	out.send(last)
}

// envelopesOf returns the envelopes [from, to) that hold a range of entries.
func (s *service) envelopesOf(in admin.KeyGrant) (from, to uint64, err error) {
	size := s.node.View().Tree.Size()
	if in.To == 0 {
		in.To = size - 1
	}
	if in.From > in.To || in.To >= size {
		return 0, 0, fmt.Errorf("%w: entries %d to %d of %d", errInvalid, in.From, in.To, size)
	}
	if from, err = s.node.Machine().EnvelopeAt(in.From); err != nil {
		return 0, 0, err
	}
	to, err = s.node.Machine().EnvelopeAt(in.To)
	return from, to + 1, err
}
