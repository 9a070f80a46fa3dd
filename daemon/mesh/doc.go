// Package mesh keeps the nodes of a network in touch: one mutually
// authenticated connection per pair of nodes and class of traffic, whoever of
// the two dialled, and over it as many streams as either side opens.
//
// A hospital that may only dial out is therefore a full member: the streams
// others open to it travel over the connection it made.
//
//	m, err := mesh.New(mesh.Config{Self: "h17", Key: key, Lookup: roster.NodeOfKey, Listen: ":8470"})
//	if err != nil { ... }
//	defer m.Close()
//	m.SetPeers([]mesh.Target{{Node: "h1", Addresses: []string{"h1.example:8470"}}})
//
//	conn, err := m.Dial(ctx, "h1", mesh.ClassAPI) // waits for h1 until ctx ends
//	srv := &http.Server{Handler: api, ConnContext: mesh.ConnContext}
//	err = srv.Serve(m.Listener(mesh.ClassAPI))   // handlers: mesh.PeerFromContext
//
// # Sessions
//
// A [Class] separates Raft from everything else, so that a large download
// never stands in front of a heartbeat. A session is one TCP connection, TLS
// 1.3 with X25519MLKEM768, the class named by ALPN, and yamux on top. Before
// yamux starts, the dialler sends a greeting of 24 bytes (a number drawn at
// random when its process started, 16 bytes, and a count of its own greetings,
// 8 bytes big-endian) and the other side answers with one byte, 0 for welcome,
// 1 for "we have a session already" and 2 for "you are running twice", and its
// own greeting.
//
// When two nodes dial each other at once, both keep the session dialled by the
// node whose id sorts first. The greetings tell this race from a peer that
// lost its session and comes back: then the new session replaces the old one
// at once. A session that lost the race takes no new streams and is closed
// when its last stream ends, at the latest after half a minute.
//
// # Twins
//
// The greetings also tell a restart from a copy of a node's data directory that
// somebody has started beside it. After a restart a new process greets, and
// the old one never again. If the old one does, over a connection begun after
// the new one was heard, both live: every session with the node ends, and both
// processes are refused from then on, with the answer 2. Which of them is the
// right one nobody can know from here. A third process, begun when both were
// stopped, is let in.
//
// # Guests
//
// Somebody who is not in the roster and has an invitation may ask to be let in,
// with [DialGuest]: one connection of a protocol of its own, without a session,
// at most 8 at once and for 20 seconds, over which Config.Guest answers.
//
// # Promises
//
//  1. A stream's [Peer] holds the private key that the roster names for it.
//  2. Nothing older or weaker than TLS 1.3 with X25519MLKEM768 is spoken.
//  3. At most one session per pair and class is in use, the same on both sides.
//  4. A peer that falls silent is noticed within Config.IdleTimeout, without
//     the help of its operating system. The side that dialled asks for a sign of
//     life every Config.KeepAlive, the other only now and then.
//  5. An unauthenticated connection is held no longer than
//     Config.HandshakeTimeout, and never more than Config.MaxConns of them. At
//     a cap the oldest of them gives way to a new one, and no session does.
//  6. Of a node that runs twice no instance keeps a session, once both have
//     reached this node.
//  7. After [Mesh.Close] no goroutine of the package is left.
//
// # Trust
//
// The roster behind Config.Lookup is believed; certificates are not. Each side
// presents a self-signed certificate that carries nothing but its key, and its
// names and dates are not looked at. Peers in the roster may still misbehave:
// the streams, the waiting streams and the keep-alives of each are bounded.
// Which of them may speak Raft is for the caller to say, by [Stream.Peer].
package mesh
