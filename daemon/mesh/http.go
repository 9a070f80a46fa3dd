package mesh

import (
	"context"
	"net"
)

type peerKey struct{}

// ConnContext is for http.Server.ConnContext; it makes [PeerFromContext] work
// in the server's handlers.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if s, ok := c.(interface{ Peer() Peer }); ok {
		return context.WithValue(ctx, peerKey{}, s.Peer())
	}
	return ctx
}

// PeerFromContext returns the node whose request a handler serves. It reports
// false if the request did not come over a [Stream].
func PeerFromContext(ctx context.Context) (Peer, bool) {
	p, ok := ctx.Value(peerKey{}).(Peer)
	return p, ok
}
