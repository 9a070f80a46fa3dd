package admin

import (
	"context"
	"net/url"
)

// NodePart is what part a node takes in the network.
type NodePart struct {
	Node     string `json:"node"`
	Kind     string `json:"kind"`      // voter, non-voter or mirror
	DialsOut bool   `json:"dials_out"` // it has no address
	State    string `json:"state"`     // this node, connected, or not connected with this node
	Supports uint64 `json:"supports"`  // the feature level that it has said its build supports; 0 = nothing said
}

// RaftPeer is a node of the Raft configuration.
type RaftPeer struct {
	Node   string `json:"node"`
	Votes  bool   `json:"votes"`  // in Raft
	Roster string `json:"roster"` // what the roster says it is: voter, non-voter, mirror, or removed
	Leads  bool   `json:"leads"`
}

// Transfer asks the leader to hand over.
type Transfer struct {
	To     string `json:"to"` // a voter's id; "" = whichever has stored most
	DryRun bool   `json:"dry_run"`
}

// Settings are q and the policy in force.
type Settings struct {
	Q             uint64 `json:"q"`
	MinCell       uint64 `json:"min_cell"`
	QuotaFloor    uint64 `json:"quota_floor"`
	ReaderOverlap uint64 `json:"reader_overlap"`

	SpreadHours    uint64 `json:"spread_hours"`    // of act.Limits, like those below
	DeclareMinutes uint64 `json:"declare_minutes"` // likewise
	SaltsDays      uint64 `json:"salts_days"`      // likewise
	LeastQuota     uint64 `json:"least_quota"`     // likewise

	Payload []byte `json:"payload"` // of an act.Settings that says the same
}

// Settings returns q and the policy in force.
func (c *Client) Settings(ctx context.Context) (s Settings, err error) {
	return s, c.call(ctx, "GET", "/v1/settings", nil, &s)
}

// Leaving asks to take this institution out of the network.
type Leaving struct {
	Node   string `json:"node"` // one of its nodes; "" = all, and the institution
	DryRun bool   `json:"dry_run"`
}

// Left says what has left the network, or would.
type Left struct {
	Institution uint32   `json:"institution"`
	Name        string   `json:"name"`
	Nodes       []string `json:"nodes"`
}

// Enrolment asks to give this institution one more node.
type Enrolment struct {
	Payload []byte `json:"payload"` // of an act.Enrolment
	DryRun  bool   `json:"dry_run"`
}

// Enrolled says which node an institution has got, or would get.
type Enrolled struct {
	Node        string `json:"node"`
	Institution uint32 `json:"institution"`
}

// RaftPeers returns the Raft configuration as this node knows it.
func (c *Client) RaftPeers(ctx context.Context) (p []RaftPeer, err error) {
	return p, c.call(ctx, "GET", "/v1/raft/peers", nil, &p)
}

// TransferLeadership has the leader hand over, and returns its status then.
func (c *Client) TransferLeadership(ctx context.Context, t Transfer) (s Status, err error) {
	return s, c.call(ctx, "POST", "/v1/raft/transfer", t, &s)
}

// Leave takes this institution, or one of its nodes, out of the network. With
// Leaving.DryRun it only says what would leave, and whether it may.
func (c *Client) Leave(ctx context.Context, l Leaving) (out Left, err error) {
	return out, c.call(ctx, "POST", "/v1/leave", l, &out)
}

// Enrol gives this institution one more node, or only says whether it may.
func (c *Client) Enrol(ctx context.Context, e Enrolment) (out Enrolled, err error) {
	return out, c.call(ctx, "POST", "/v1/nodes", e, &out)
}

// NewInvitation asks for an invitation.
type NewInvitation struct {
	Days      int      `json:"days"`      // how long it can be used
	Note      string   `json:"note"`      // for whom, for this node's operators
	Addresses []string `json:"addresses"` // at which the newcomer reaches this node; none: those of the roster
	DryRun    bool     `json:"dry_run"`
}

// Invited is an invitation that was made. Nobody keeps the token.
type Invited struct {
	ID        string `json:"id"`
	Node      string `json:"node"` // that honours it
	Network   string `json:"network"`
	NetworkID string `json:"network_id"`
	Expires   string `json:"expires"` // RFC 3339
	Token     string `json:"token"`
}

// Invitation is one that this node has made.
type Invitation struct {
	ID      string `json:"id"`
	State   string `json:"state"`   // open, expired, asked, proposed or rejected
	Expires string `json:"expires"` // RFC 3339
	Note    string `json:"note"`
	Name    string `json:"name"` // of the newcomer that has used it, as all below
	Node    string `json:"node"`
	KeyID   string `json:"key_id"` // of its envelope key, hex
	Card    []byte `json:"card,omitempty"`
}

// InvitationDecision says what becomes of a request.
type InvitationDecision struct {
	State string `json:"state"` // proposed or rejected
}

// JoinRequest is what a newcomer asks the node that invited it.
type JoinRequest struct {
	Secret []byte `json:"secret"` // of its token
	Card   []byte `json:"card"`   // armoured
}

// JoinAnswer is what it gets.
type JoinAnswer struct {
	Genesis []byte `json:"genesis"` // armoured; its network is the token's
}

// Invite makes an invitation, or only says whether this node could.
func (c *Client) Invite(ctx context.Context, n NewInvitation) (i Invited, err error) {
	return i, c.call(ctx, "POST", "/v1/invitations", n, &i)
}

// Invitations returns the invitations that this node has made, the newest last.
func (c *Client) Invitations(ctx context.Context) (list []Invitation, err error) {
	return list, c.call(ctx, "GET", "/v1/invitations", nil, &list)
}

// DecideInvitation notes that a newcomer's admission was proposed, or rejected.
func (c *Client) DecideInvitation(ctx context.Context, id, state string) (i Invitation, err error) {
	return i, c.call(ctx, "POST", "/v1/invitations/"+url.PathEscape(id), InvitationDecision{State: state}, &i)
}
