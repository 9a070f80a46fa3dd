package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/daemon/mesh"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/envelope"
)

// A node that was away while the network began a new log epoch may be refused by
// all that went on, and must not go on with others that were away. It asks those
// that refuse it, as a guest, which act that was, and believes the act alone.

const (
	successionPeriod  = 2 * time.Second
	successionTimeout = 10 * time.Second
)

// answerLeftBehind shows whoever asks the act that began this log epoch. It is
// public, and it tells by itself who approved it.
func (s *service) answerLeftBehind(w http.ResponseWriter, _ *http.Request) {
	node := s.opened.Load()
	if node == nil { // the mesh is there before the node
		fail(w, consensus.ErrNotYet)
		return
	}
	raw, err := node.Succession()
	if err != nil {
		fail(w, err)
		return
	}
	if raw == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(raw) // the guest has gone if it fails
}

// watchSuccession looks whether the network went on without this node, while others
// refuse it or are in a later log epoch. It ends with the context.
func (s *service) watchSuccession(ctx context.Context) {
	for pause(ctx, successionPeriod) {
		for _, node := range s.whoMayKnow() {
			raw, err := s.askSuccession(ctx, node)
			if err == nil && raw != nil {
				err = s.node.HearSuccession(raw)
			}
			if err != nil && ctx.Err() == nil {
				s.log.Debug("not told whether the network went on", "node", node.ID, "reason", err.Error())
			}
		}
	}
}

// whoMayKnow lists the nodes that refused this one last; all it knows an address of
// while its copy does not lead to where the others are.
func (s *service) whoMayKnow() (list []act.Node) {
	refused := s.mesh.RefusedBy()
	for _, n := range s.node.View().Nodes {
		if n.ID != s.self.ID && len(s.addressesOf(&n)) > 0 && (slices.Contains(refused, n.ID) || s.node.Passed()) {
			list = append(list, n)
		}
	}
	return list
}

// addressesOf returns where a node is reached from here.
func (s *service) addressesOf(n *act.Node) []string {
	if own, ok := s.cfg.Peers[n.ID]; ok {
		return own
	}
	return n.Addresses
}

// askSuccession asks a node, at each of its addresses, for the act that began its
// log epoch; nil if that is the first.
func (s *service) askSuccession(ctx context.Context, node act.Node) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, successionTimeout)
	defer cancel()
	var problems []error
	for _, address := range s.addressesOf(&node) {
		conn, err := mesh.DialGuest(ctx, Proxy(s.cfg), address, s.ring.Keys().TLS.Ed25519(), node.TLS.ID())
		if err != nil {
			problems = append(problems, err)
			continue
		}
		return successionOver(ctx, conn)
	}
	return nil, errors.Join(problems...)
}

func successionOver(ctx context.Context, conn net.Conn) ([]byte, error) {
	defer conn.Close()
	client := &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }, DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://raresync/v1/succession", nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNoContent:
		return nil, nil
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(resp.Body, envelope.MaxBytes))
	}
	return nil, fmt.Errorf("status %s", resp.Status)
}
