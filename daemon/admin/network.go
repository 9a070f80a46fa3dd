package admin

import "context"

// NetworkStatus is one table of all nodes, as far as they are heard.
type NetworkStatus struct {
	Size         uint64        `json:"size"`          // largest tree that a node has
	FeatureLevel uint64        `json:"feature_level"` // in force
	Nodes        []NetworkNode `json:"nodes"`         // in the order of the roster
	Dead         []DeadVoter   `json:"dead_voters,omitempty"`
}

// NetworkNode is a node of the roster. What a node says of itself nobody verifies.
type NetworkNode struct {
	Node        string `json:"node"`
	Kind        string `json:"kind"` // by the roster: voter, non-voter or mirror
	Institution uint32 `json:"institution"`
	Name        string `json:"name"`
	NameZH      string `json:"name_zh"`
	Reached     bool   `json:"reached"`         // from here, or from a voter
	Since       string `json:"since,omitempty"` // of one that is not: when it was heard last, RFC 3339
	Never       bool   `json:"never,omitempty"` // not since whoever says so started, which is Since
	Supports    uint64 `json:"supports"`        // feature level; 0 = it has not said

	// What it says, if it was asked and answered.
	Told       bool    `json:"told"`
	Version    string  `json:"version,omitempty"`
	Leader     string  `json:"leader,omitempty"`
	Via        string  `json:"via,omitempty"`
	Term       uint64  `json:"term,omitempty"`
	Size       *uint64 `json:"size,omitempty"`
	Behind     *uint64 `json:"behind,omitempty"` // entries that it lacks of the largest tree
	Checkpoint *uint64 `json:"checkpoint,omitempty"`
	Ready      *bool   `json:"ready,omitempty"`
	Cosigned   uint64  `json:"cosigned,omitempty"` // of a voter: the tree size that it cosigned last
	Cosigns    *bool   `json:"cosigns,omitempty"`  // of a voter: whether it has cosigned the newest checkpoint known here, or a later one
	Why        string  `json:"why,omitempty"`
	WhyZH      string  `json:"why_zh,omitempty"`
}

// DeadVoter is a voter that was not reached for long.
type DeadVoter struct {
	Node    string `json:"node"`
	Since   string `json:"since"`             // RFC 3339
	Command string `json:"command,omitempty"` // which replaces it; "" if no mirror could take its place, or one is about to
	Says    string `json:"says"`
	SaysZH  string `json:"says_zh"`
}

// Network asks all nodes where they stand, by way of the voters those that this one
// does not reach.
func (c *Client) Network(ctx context.Context) (n NetworkStatus, err error) {
	return n, c.call(ctx, "GET", "/v1/network", nil, &n)
}
