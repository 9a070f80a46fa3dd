package admin

import "context"

// HeldKey is a key of an institution or of one of its nodes.
type HeldKey struct {
	Institution uint32 `json:"institution"`
	Node        string `json:"node,omitempty"`
	Purpose     string `json:"purpose"` // envelope, request, response, sealing, TLS, log or cosigning
	ID          string `json:"id"`
	State       string `json:"state"`             // present, next or former
	Spans       bool   `json:"spans"`             // envelope and sealing keys: From and To mean something
	From        uint64 `json:"from"`              // envelope number it is valid from
	To          uint64 `json:"to,omitempty"`      // and before; 0 = no end
	Revoked     string `json:"revoked,omitempty"` // "since 12": what it signed from envelope 12 on is in doubt
	Where       string `json:"where,omitempty"`   // of this node's and its institution's keys, the private half: file, offline, destroyed or never here
}

// Where the private half of a key of this node or its institution is.
const (
	WhereFile      = "file"       // in the key file
	WhereOffline   = "offline"    // a sealing key that key protect --custody took out of it
	WhereDestroyed = "destroyed"  // a signing key that was in it
	WhereNever     = "never here" // this key file never held it
)

// KeyChoice says which keys to make anew.
type KeyChoice struct {
	Envelope bool `json:"envelope"`
	Request  bool `json:"request"`
	Response bool `json:"response"`
	TLS      bool `json:"tls"`
	Sealing  bool `json:"sealing"`
}

// ShownKey is a public key.
type ShownKey struct {
	HeldKey
	PEM string `json:"pem"` // SubjectPublicKeyInfo, Ed25519 then ML-DSA; a sealing key in its own armour
}

// KeyRevocation revokes a key of the node's own institution.
type KeyRevocation struct {
	Key   string `json:"key"`   // id, hex
	Since uint64 `json:"since"` // envelope number
}

// KeyGrant asks for grants to an institution that reads, of the envelopes that
// hold the entries from From to To, both included.
type KeyGrant struct {
	Institution uint32 `json:"institution"`
	From        uint64 `json:"from"`    // index of an entry
	To          uint64 `json:"to"`      // 0 = up to now
	DryRun      bool   `json:"dry_run"` // only say of which envelopes
}

// KeyGranting is how far a grant is; the last one has Done.
type KeyGranting struct {
	Looked    uint64 `json:"looked"` // envelopes looked at
	Of        uint64 `json:"of"`
	First     uint64 `json:"first"`      // envelope number
	Last      uint64 `json:"last"`       // envelope number, included
	Granted   uint64 `json:"granted"`    // envelopes
	HadBefore uint64 `json:"had_before"` // that the recipient could open, or had been granted
	Unopened  uint64 `json:"unopened"`   // that this node cannot open
	Done      bool   `json:"done"`
}

// Keys returns the keys of every institution, that of the node with its next ones.
func (c *Client) Keys(ctx context.Context) (k []HeldKey, err error) {
	return k, c.call(ctx, "GET", "/v1/keys", nil, &k)
}

// ShowKey returns a public key by its id or the beginning of it.
func (c *Client) ShowKey(ctx context.Context, id string) (k ShownKey, err error) {
	return k, c.call(ctx, "GET", "/v1/keys/"+id, nil, &k)
}

// GenerateKeys makes next keys in the node's key file.
func (c *Client) GenerateKeys(ctx context.Context, choice KeyChoice) (k []HeldKey, err error) {
	return k, c.call(ctx, "POST", "/v1/keys/next", choice, &k)
}

// RotateKeys puts the next keys that are chosen in force, or without a choice all
// of them, and waits until they are. Those not chosen go on waiting.
func (c *Client) RotateKeys(ctx context.Context, choice KeyChoice) (k []HeldKey, err error) {
	return k, c.call(ctx, "POST", "/v1/keys/rotation", choice, &k)
}

// RevokeKey revokes a key of the node's own institution and waits until the log
// has it.
func (c *Client) RevokeKey(ctx context.Context, r KeyRevocation) (k []HeldKey, err error) {
	return k, c.call(ctx, "POST", "/v1/keys/revocation", r, &k)
}

// Grant gives a reader the keys of envelopes from before it was one, and calls
// progress as it goes on.
func (c *Client) Grant(ctx context.Context, g KeyGrant, progress func(KeyGranting)) error {
	for p, err := range streamOf[KeyGranting](ctx, c, "POST", "/v1/keys/grants", g) {
		if err != nil {
			return err
		}
		progress(p)
	}
	return nil
}
