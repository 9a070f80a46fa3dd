package admin

import (
	"encoding/json"
	"strconv"
)

// Status is where the node stands, as `raresync status` prints it.
type Status struct {
	Node       string `json:"node"`
	Hospital   uint32 `json:"hospital"` // institution number
	Name       string `json:"name"`
	Kind       string `json:"kind"` // voter or mirror
	Network    string `json:"network"`
	NetworkID  string `json:"network_id"`
	Demo       bool   `json:"demo"`
	Leader     string `json:"leader"`        // as a voter knows it
	Via        string `json:"via,omitempty"` // of a mirror: the voter it pulls from
	Term       uint64 `json:"term"`
	Ready      bool   `json:"ready"`
	Why        string `json:"why,omitempty"`    // why not ready
	WhyZH      string `json:"why_zh,omitempty"` // the same in Chinese
	Envelopes  uint64 `json:"envelopes"`
	Size       uint64 `json:"size"` // applied tree size
	Root       string `json:"root"` // at Size, hex
	Checkpoint uint64 `json:"checkpoint"`
	Outbox     int    `json:"outbox"`          // envelopes not yet under a receipt
	Alarm      string `json:"alarm,omitempty"` // what keeps the outbox from going on
	Peers      []Peer `json:"peers"`

	Waiting      int    `json:"waiting,omitempty"`       // submitted files that wait for another day's quota
	WaitingSince string `json:"waiting_since,omitempty"` // RFC 3339, when the first of them came

	Followers []Follower  `json:"followers,omitempty"`   // on the leader alone
	Dead      []DeadVoter `json:"dead_voters,omitempty"` // they are among the warnings, too
	Version   string      `json:"version"`

	Policy         string `json:"policy"`          // in force, on one line, quotas of single hospitals aside
	FeatureLevel   uint64 `json:"feature_level"`   // in force
	SupportedLevel uint64 `json:"supported_level"` // the highest that this node's build knows

	Warnings   []string `json:"warnings,omitempty"`    // what an operator should know
	WarningsZH []string `json:"warnings_zh,omitempty"` // the same in Chinese, as far as they are translated
}

// Peer is a session with another node.
type Peer struct {
	Node    string  `json:"node"`
	Class   string  `json:"class"` // raft or api
	Dialled bool    `json:"dialled"`
	RTTms   float64 `json:"rtt_ms"`
}

// Follower is how far a follower has stored the leader's log.
type Follower struct {
	Node    string `json:"node"`
	Stored  uint64 `json:"stored"`  // Raft index
	Behind  uint64 `json:"behind"`  // records it lacks
	Refused bool   `json:"refused"` // its last answer was no
}

// Member is an institution of the roster with its nodes.
type Member struct {
	Number   uint32      `json:"number"`
	Role     string      `json:"role"`
	NameZH   string      `json:"name_zh"`
	NameEN   string      `json:"name_en"`
	Entity   string      `json:"entity"`
	Province string      `json:"province"`
	Lead     bool        `json:"lead"`
	Rights   string      `json:"rights"`
	Nodes    []string    `json:"nodes"`
	Holder   ShareNumber `json:"holder"`
	Sequence uint64      `json:"sequence"`

	Parts   []NodePart `json:"parts"`             // its nodes in the order of Nodes
	Removed uint64     `json:"removed,omitempty"` // envelope number of the act that removed it; 0: none did
}

// ShareNumber is the number of a share of the pseudonymisation key, from 1; 0 =
// none is held.
type ShareNumber uint16

// String returns the number, or "" for none, which a table shows as a dash.
func (n ShareNumber) String() string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(int(n))
}

// Document is an identity document as the hospital's file gives it.
type Document struct {
	Type   string `json:"type"`
	Issuer string `json:"issuer,omitempty"`
	Value  string `json:"value"`
}

// File is one file to submit.
type File struct {
	Name       string              `json:"name"`
	Data       []byte              `json:"data"`
	Identities map[string]Document `json:"identities,omitempty"` // by subject id; else the subject id is a local record number
	Source     string              `json:"source,omitempty"`     // what it was made from: csv, xlsx or fhir; empty = it is a phenopacket
	// Refused are the codes of rules that refused it where it was read, as a row of a
	// table: there is no data then, and it is only counted.
	Refused []string `json:"refused,omitempty"`
}

// Submission is a batch of files that are read, pseudonymised and sealed
// together.
type Submission struct {
	Files   []File `json:"files"`
	Profile string `json:"profile,omitempty"` // report, cohort or published; empty = by content
	Wait    bool   `json:"wait"`              // answer only when every entry is under a receipt
	Preview bool   `json:"preview,omitempty"` // take nothing: say what would become of the files
}

// SubmissionResult tells what became of each file, in the order given.
type SubmissionResult struct {
	Files []FileResult `json:"files"`
}

// FileResult is what became of one file.
type FileResult struct {
	Name     string     `json:"name"`
	Outcome  string     `json:"outcome"` // accepted, known (nothing new in it), refused, or waiting (for another day's quota)
	Findings []Finding  `json:"findings,omitempty"`
	Entries  []EntryRef `json:"entries,omitempty"`
	Foreseen *Foreseen  `json:"foreseen,omitempty"` // of a preview
}

// Foreseen counts the patients of a file by what would become of them.
type Foreseen struct {
	Added   int `json:"added"`   // this hospital has sent nothing of them, as far as it remembers
	Changed int `json:"changed"` // sent before with other content
	Linked  int `json:"linked"`  // the patient is known here, and this is new
	Known   int `json:"known"`   // all of it was sent before
}

// Finding is what one rule says about one value of a file.
type Finding struct {
	Code     string `json:"code"`
	Severity string `json:"severity"` // E refused, W flagged, Q query, I information
	Where    string `json:"where,omitempty"`
	Detail   string `json:"detail,omitempty"`
}

// EntryRef is an entry's way into the log.
type EntryRef struct {
	Type     string `json:"type"`
	ID       string `json:"id"`
	Sequence uint64 `json:"sequence,omitempty"` // of its envelope
	Place    uint32 `json:"place"`
	Index    uint64 `json:"index,omitempty"`   // in the log, once accepted
	InLog    bool   `json:"in_log,omitempty"`  // of a known entry: the log has had it since before
	Receipt  bool   `json:"receipt,omitempty"` // a valid checkpoint covers it
}

// Inbox tells what is in the folder that a hospital drops files into.
type Inbox struct {
	Dir     string      `json:"dir"`               // "" if none is configured
	Problem string      `json:"problem,omitempty"` // why files of it wait
	Files   []InboxFile `json:"files"`             // those that were taken, in the order in which they came, then the new ones
}

// InboxFile is one file of the inbox.
type InboxFile struct {
	Name    string `json:"name"`              // as it was dropped
	State   string `json:"state"`             // new, work, done or quarantine
	Taken   string `json:"taken,omitempty"`   // RFC 3339
	Outcome string `json:"outcome,omitempty"` // accepted, known, partly accepted, waiting or refused
	Rows    int    `json:"rows,omitempty"`    // of a table
	Refused int    `json:"refused,omitempty"` // rows or, of a table that cannot be read, 1
	Entries int    `json:"entries,omitempty"`
	Report  string `json:"report,omitempty"` // file within the inbox, for people
}

// Entry is an entry this node may open.
type Entry struct {
	Index     uint64          `json:"index"`
	Hospital  uint32          `json:"hospital"`
	LogTime   string          `json:"log_time"` // RFC 3339, milliseconds
	Type      string          `json:"type"`
	Profile   string          `json:"profile"`
	ID        string          `json:"id"`
	Person    string          `json:"person"` // pseudonym, hex
	Strength  string          `json:"strength"`
	EventDate string          `json:"event_date"`
	Disease   string          `json:"disease"` // names and codes in one line
	Listed    string          `json:"listed"`  // catalogue reference such as 1.3, or ""
	Content   json.RawMessage `json:"content,omitempty"`
	Problem   string          `json:"problem,omitempty"`  // a code, if it could not be opened
	Doubtful  bool            `json:"doubtful,omitempty"` // signed with a key that was revoked from before then on
	State     string          `json:"state,omitempty"`    // corrected, stopped, erasing or erased; several with commas

	CorrectedBy uint64          `json:"corrected_by,omitempty"` // index of the correction that counts
	Corrected   json.RawMessage `json:"corrected,omitempty"`    // what it says, with Content
}

// Leaf is the public mark of an entry.
type Leaf struct {
	Index      uint64 `json:"index"`
	Kind       string `json:"kind"`
	Hospital   uint32 `json:"hospital"`
	Sequence   uint64 `json:"sequence"`
	Place      uint32 `json:"place"`
	LogTime    string `json:"log_time"`
	Envelope   string `json:"envelope"`
	Commitment string `json:"commitment"`
}

// Head is the newest checkpoint this node knows and has verified.
type Head struct {
	Origin    string   `json:"origin"`
	Size      uint64   `json:"size"`
	Root      string   `json:"root"`
	Cosigners []string `json:"cosigners"`
	Time      string   `json:"time"` // median of the cosignatures
	Note      string   `json:"note"` // C2SP signed note
}

// Claim is what has been withdrawn in a hospital's name. An entry is to be erased if
// its leaf names that hospital.
type Claim struct {
	Hospital uint32      `json:"hospital"`
	Entries  [][2]uint64 `json:"entries"` // runs: first index and count, ascending
}

// Proof proves one entry.
type Proof struct {
	Index uint64 `json:"index"`
	Leaf  string `json:"leaf"`  // 90 bytes, hex
	Proof string `json:"proof"` // C2SP tlog-proof
}

// SaltsBackup declares to the network a backup of this node that holds salts.
type SaltsBackup struct {
	Size   uint64 `json:"size"`   // tree size of the backup
	Expiry uint64 `json:"expiry"` // ms since 1970, when it will have been destroyed
}

// DeclaredBackup is what a node's institution has declared of the backups with
// salts that hold the node's copy.
type DeclaredBackup struct {
	Node        string `json:"node"`
	Institution uint32 `json:"institution"`
	Entries     uint64 `json:"entries"` // the first so many may be in one
	Expires     string `json:"expires"` // RFC 3339: all of them are destroyed by then
}

// Usage is what a share holder has posted of this institution's use in a week.
type Usage struct {
	Week     uint32 `json:"week"`   // quota day / 7
	Holder   uint32 `json:"holder"` // the institution
	Envelope uint64 `json:"envelope"`
	AtLeast  uint64 `json:"at_least"` // elements
	Below    uint64 `json:"below"`
	TooMuch  bool   `json:"too_much"` // more than this institution has asked of it
}

// MaxShownBytes bounds [ShownRequests] as JSON. A request takes about 10 KB, and a
// busy week has several thousand.
const MaxShownBytes = 256 << 20

// ShownRequests are the signed requests of a hospital that a holder counted in a
// week, each with its way to the root of the usage that the holder posted.
type ShownRequests struct {
	Network  string         `json:"network"`
	Holder   uint32         `json:"holder"`
	Week     uint32         `json:"week"`
	Hospital uint32         `json:"hospital"`
	Requests []ShownRequest `json:"requests"`
}

// ShownRequest is one of [ShownRequests].
type ShownRequest struct {
	Leaf  []byte   `json:"leaf"`
	Index uint64   `json:"index"`
	Size  uint64   `json:"size"`
	Path  [][]byte `json:"path"` // hashes from the leaf up
}

// CheckedRequests is what a node finds of [ShownRequests].
type CheckedRequests struct {
	Holder   uint32 `json:"holder"`
	Week     uint32 `json:"week"`
	Hospital uint32 `json:"hospital"`
	Requests int    `json:"requests"`
	Elements uint64 `json:"elements"` // that the hospital did ask for, up to the first fault
	AtLeast  uint64 `json:"at_least"` // that the holder has posted
	Holds    bool   `json:"holds"`
	Fault    string `json:"fault,omitempty"`
}

// Key is where the pseudonymisation key stands.
type Key struct {
	ID        string      `json:"id,omitempty"`     // empty: there is none yet
	Origin    string      `json:"origin,omitempty"` // dkg, or dealt in a demo network
	Epoch     uint32      `json:"epoch"`
	Threshold uint16      `json:"threshold"` // shares needed
	Holders   []Holder    `json:"holders"`
	Share     ShareNumber `json:"share"`  // that this node holds
	Canary    bool        `json:"canary"` // the holders of this epoch answer as those before
	Ceremony  *Ceremony   `json:"ceremony,omitempty"`
}

// Holder is an institution with its share.
type Holder struct {
	Share       uint16 `json:"share"`
	Institution uint32 `json:"institution"`
	Name        string `json:"name"`
	Connected   bool   `json:"connected"` // this node has a session with a node of it, or is one
}

// Ceremony is the newest key ceremony.
type Ceremony struct {
	Number      uint64           `json:"number"`
	Epoch       uint32           `json:"epoch"` // that it makes
	Threshold   uint16           `json:"threshold"`
	Deadline    string           `json:"deadline"` // RFC 3339
	Open        bool             `json:"open"`
	Ended       string           `json:"ended"` // open, in force, or why it is void
	EndedAt     uint64           `json:"ended_at,omitempty"`
	Blamed      uint32           `json:"blamed,omitempty"` // institution
	Holders     []CeremonyHolder `json:"holders,omitempty"`
	Dealers     []uint16         `json:"dealers,omitempty"` // who have dealt
	DealsNeeded int              `json:"deals_needed,omitempty"`
	Waits       string           `json:"waits,omitempty"`   // for what and whom
	Stage       string           `json:"stage,omitempty"`   // join, contribute, deal, confirm or checkpoint: what it waits for
	Missing     []Holder         `json:"missing,omitempty"` // whom it waits for: new holders, of a contribution old ones
}

// CeremonyHolder is how far a new holder is.
type CeremonyHolder struct {
	Holder
	Joined    bool `json:"joined"`
	Dealt     bool `json:"dealt"` // of a new key: every holder deals
	Confirmed bool `json:"confirmed"`
}

// CeremonyStart asks for the founders' ceremony.
type CeremonyStart struct {
	Seconds uint64 `json:"seconds"` // until it is void
}

// Problem is an error of the daemon, as RFC 9457 problem details.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"` // what to do
}

// Error returns detail and hint.
func (p *Problem) Error() string {
	if p.Hint == "" {
		return p.Detail
	}
	return p.Detail + "\nhint: " + p.Hint
}

// The codes of problems that commands branch on.
const (
	CodeNotFound    = "not-found"
	CodeNotYet      = "not-yet"   // the node is catching up
	CodeNoLeader    = "no-leader" // or no peer reachable in time
	CodeNoRoom      = "no-room"   // on the node's disk
	CodeInvalid     = "invalid"   // the request makes no sense
	CodeNotAllowed  = "not-allowed"
	CodeTooLarge    = "too-large"
	CodeRefused     = "refused" // by the network, for what an act says
	CodeKeys        = "keys"    // the network takes nothing that this node signs
	CodeUnavailable = "unavailable"
	CodeInternal    = "internal"
	CodeNoEntries   = "no-entries"  // of the patient
	CodeErasing     = "erasing"     // an erasure waits
	CodePosted      = "posted"      // it is
	CodeErased      = "erased"      // the entries are
	CodeNotErasing  = "not-erasing" // no erasure waits
)
