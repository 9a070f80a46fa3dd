package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/ceremony"
	"github.com/raresync/raresync/daemon/evaluation"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/link"
	"github.com/raresync/raresync/daemon/quota"
	"github.com/raresync/raresync/daemon/reader"
	"github.com/raresync/raresync/daemon/report"
	"github.com/raresync/raresync/daemon/spool"
	"github.com/raresync/raresync/daemon/view"
	"github.com/raresync/raresync/daemon/withdraw"
)

// serveAdmin opens the admin socket and returns what closes it. Requests end
// with the context.
func (s *service) serveAdmin(ctx context.Context, answers http.Handler) (stop func(), err error) {
	l, err := listenPrivate(s.cfg.Listen.AdminSocket)
	if err != nil {
		return nil, fmt.Errorf("admin socket: %w", err)
	}
	server := &http.Server{
		Handler: answers, ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	ended := make(chan struct{})
	s.workers.Go(func() {
		defer close(ended)
		_ = server.Serve(l) // ends with Shutdown, and removes the socket
	})
	s.heart.ready()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // a command that does not read its answer ends here
		}
		<-ended // else a socket that is opened in its place could be removed
	}, nil
}

// listenPrivate listens at a socket that only this account may open, in place
// of one that a daemon which was killed left behind.
func listenPrivate(path string) (net.Listener, error) {
	if old, err := os.Lstat(path); err == nil {
		if old.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("%s is there and no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	mask := syscall.Umask(0o077) // nobody else may open it before it has its mode
	l, err := net.Listen("unix", path)
	syscall.Umask(mask)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (s *service) adminMux() http.Handler {
	mux := http.NewServeMux()
	s.answerMonitors(mux)
	mux.Handle("GET /v1/debug/goroutines", answer(s.goroutines))
	mux.Handle("GET /v1/debug/log", answer(s.recentLog))
	mux.Handle("GET /v1/status", answer(s.status))
	mux.Handle("GET /v1/members", answer(s.members))
	mux.Handle("GET /v1/network", answer(s.network))
	mux.Handle("POST /v1/submissions", http.HandlerFunc(s.submit))
	mux.Handle("GET /v1/inbox", answer(s.listInbox))
	mux.Handle("GET /v1/entries", s.audited(http.HandlerFunc(s.entries)))
	mux.Handle("GET /v1/entries/{index}", s.audited(answer(s.entry)))
	mux.Handle("GET /v1/entries/{index}/erasure", answer(s.erasureOf))
	mux.Handle("GET /v1/erasures", answer(s.listErasures))
	mux.Handle("GET /v1/erasures/{envelope}", answer(s.erasure))
	mux.Handle("GET /v1/entries/{index}/phenopacket", s.audited(answer(s.phenopacket)))
	mux.Handle("POST /v1/entries/{index}/correction", answer(s.correct))
	mux.Handle("GET /v1/log/head", answer(s.head))
	mux.Handle("GET /v1/log/leaves", http.HandlerFunc(s.leaves))
	mux.Handle("GET /v1/log/proof/{index}", answer(s.proof))
	mux.Handle("GET /v1/log/policy", answer(s.policy))
	mux.Handle("GET /v1/log/withdrawn", answer(s.withdrawn))
	mux.Handle("POST /v1/aliases", answer(s.alias))
	mux.Handle("GET /v1/cards", answer(s.cards))
	mux.Handle("POST /v1/cards", answer(s.putCard))
	mux.Handle("GET /v1/queries", s.audited(answer(s.queries)))
	mux.Handle("POST /v1/queries", s.audited(answer(s.openQuery)))
	mux.Handle("GET /v1/letters", s.audited(answer(s.letters)))
	mux.Handle("POST /v1/letters", s.audited(answer(s.sendLetters)))
	mux.Handle("GET /v1/letters/{index}", s.audited(http.HandlerFunc(s.showLetter)))
	mux.Handle("GET /v1/checks", s.audited(answer(s.checks)))
	mux.Handle("POST /v1/checks/{index}", answer(s.compare))
	mux.Handle("POST /v1/queries/{index}/reply", answer(s.answerQuery))
	mux.Handle("POST /v1/queries/{index}/closing", answer(s.closeQuery))
	mux.Handle("GET /v1/persons", s.audited(answer(s.persons)))
	mux.Handle("GET /v1/reports", answer(s.listReports))
	mux.Handle("GET /v1/reports/{name}", s.audited(http.HandlerFunc(s.showReport)))
	mux.Handle("POST /v1/exports", http.HandlerFunc(s.exportDataset))
	mux.Handle("GET /v1/reads", answer(s.listReads))
	mux.Handle("GET /v1/reads/records", answer(s.readRecords))
	mux.Handle("POST /v1/reads/records", answer(s.openReadRecords))
	mux.Handle("POST /v1/pseudonyms/check", answer(s.checkPseudonym))
	mux.Handle("GET /v1/case-numbers/{number}", answer(s.findCaseNumber))
	mux.Handle("POST /v1/links", answer(s.askLinks))
	mux.Handle("GET /v1/registrations", http.HandlerFunc(s.registrations))
	mux.Handle("POST /v1/withdrawals", answer(s.withdraw))
	mux.Handle("GET /v1/withdrawals", answer(s.withdrawals))
	mux.Handle("POST /v1/subjects/report", answer(s.reportSubject))
	mux.Handle("GET /v1/backups", answer(s.declaredBackups))
	mux.Handle("POST /v1/backups", answer(s.declareSalts))
	mux.Handle("GET /v1/usages", answer(s.listUsages))
	mux.Handle("GET /v1/usages/{week}/{hospital}", answer(s.showRequests))
	mux.Handle("POST /v1/usages/check", answer(s.checkRequests))
	mux.Handle("GET /v1/key", answer(s.keyState))
	mux.Handle("GET /v1/keys", answer(s.listKeys))
	mux.Handle("GET /v1/keys/{id}", answer(s.showKey))
	mux.Handle("POST /v1/keys/next", answer(s.generateKeys))
	mux.Handle("POST /v1/keys/rotation", answer(s.rotateKeys))
	mux.Handle("POST /v1/keys/revocation", answer(s.revokeKey))
	mux.Handle("POST /v1/keys/grants", http.HandlerFunc(s.grantKeys))
	mux.Handle("POST /v1/ceremony", answer(s.startCeremony))
	mux.Handle("POST /v1/ceremony/contribution", answer(s.contribute))
	mux.Handle("GET /v1/proposals", answer(s.proposals))
	mux.Handle("POST /v1/proposals", answer(s.propose))
	mux.Handle("GET /v1/proposals/{id}", answer(s.proposal))
	mux.Handle("POST /v1/proposals/{id}/approval", answer(s.approve))
	mux.Handle("GET /v1/raft/peers", answer(s.raftPeers))
	mux.Handle("POST /v1/raft/transfer", answer(s.transfer))
	mux.Handle("GET /v1/invitations", answer(s.listInvitations))
	mux.Handle("POST /v1/invitations", answer(s.invite))
	mux.Handle("POST /v1/invitations/{id}", answer(s.decideInvitation))
	mux.Handle("GET /v1/settings", answer(s.settings))
	mux.Handle("GET /v1/catalogues", answer(s.editions))
	mux.Handle("GET /v1/catalogues/table", answer(s.editionTable))
	mux.Handle("POST /v1/leave", answer(s.leave))
	mux.Handle("POST /v1/nodes", answer(s.enrol))
	return mux
}

// answer writes what f returns as JSON, or its error as a problem.
func answer[T any](f func(*http.Request) (T, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v, err := f(r)
		if err != nil {
			fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the command has gone if it fails
	})
}

// problem is an error with its answer.
type problem struct {
	status int
	code   string
	hint   string
}

var problems = []struct {
	err error
	problem
}{
	{errUnsaid, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "raresync status shows whether the network has a leader; the same question may be asked again"}},
	{reader.ErrNotFound, problem{http.StatusNotFound, admin.CodeNotFound, ""}},
	{reader.ErrErased, problem{http.StatusGone, admin.CodeErased, "raresync erasure show tells who has declared it"}},
	{reader.ErrNotAllowed, problem{http.StatusForbidden, admin.CodeNotAllowed, "an entry is sealed to its hospital and to the readers the roster names: raresync member list"}},
	{reader.ErrStopped, problem{http.StatusForbidden, admin.CodeNotAllowed, "leave the entry out; entry list shows what is stopped"}},
	{reader.ErrNotCase, problem{http.StatusUnprocessableEntity, admin.CodeInvalid, "entry list shows which entries are cases"}},
	{consensus.ErrNotYet, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "ask again in a moment; raresync status shows how far the node is"}},
	{machine.ErrGap, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "ask again when raresync status says ready"}},
	{consensus.ErrNoLeader, problem{http.StatusServiceUnavailable, admin.CodeNoLeader, "ask again in a moment"}},
	{consensus.ErrNoRoom, problem{http.StatusInsufficientStorage, admin.CodeNoRoom, "have room made on this node's disk, then submit the same files again; no restart is needed"}},
	{spool.ErrFull, problem{http.StatusServiceUnavailable, admin.CodeUnavailable, "files over quota wait already and go on by themselves; submit these again when raresync status shows fewer"}},
	{intake.ErrTooMany, problem{http.StatusUnprocessableEntity, admin.CodeInvalid, ""}},
	{quota.ErrOver, problem{http.StatusServiceUnavailable, admin.CodeUnavailable, hintOverQuota}},
	{evaluation.ErrHolders, problem{http.StatusServiceUnavailable, admin.CodeUnavailable, "too few share holders can be reached; raresync status shows the sessions"}},
	{evaluation.ErrNoKey, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "its holders make it: raresync ceremony status"}},
	{ceremony.ErrNotHolder, problem{http.StatusForbidden, admin.CodeNotAllowed, "raresync ceremony status names the holders"}},
	{ceremony.ErrNotNow, problem{http.StatusConflict, admin.CodeRefused, "raresync ceremony status says where it stands"}},
	{home.ErrKeyring, problem{http.StatusConflict, admin.CodeRefused, "raresync key list shows the present and the next keys"}},
	{errOtherKey, problem{http.StatusConflict, admin.CodeKeys, keyReplacement}},
	{errOutcast, problem{http.StatusConflict, admin.CodeKeys, keyReplacement}},
	{errRevoked, problem{http.StatusConflict, admin.CodeKeys, keyReplacement}},
	{reader.ErrRecipient, problem{http.StatusUnprocessableEntity, admin.CodeInvalid, "raresync member list shows who reads"}},
	{quota.ErrNotKept, problem{http.StatusNotFound, admin.CodeNotFound, "share holders keep the week that runs, which ends first, and the two before"}},
	{ledger.ErrOutOfRange, problem{http.StatusNotFound, admin.CodeNotFound, ""}},
	{errNotWithdrawn, problem{http.StatusNotFound, admin.CodeNotFound, "raresync erasure list shows the withdrawals"}},
	{report.ErrUnknown, problem{http.StatusNotFound, admin.CodeNotFound, "raresync report list shows those there are"}},
	{report.ErrOptions, problem{http.StatusBadRequest, admin.CodeInvalid, ""}},
	{view.ErrBehind, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "ask again in a moment: the view is built anew at each start"}},
	{view.ErrNoMonth, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "what is printed is of complete months: ask in the next one; --exact, at a terminal, shows today's counts"}},
	{errNoEdition, problem{http.StatusNotFound, admin.CodeNotFound, "raresync catalog editions lists those in force"}},
	{errNotCarried, problem{http.StatusNotFound, admin.CodeNotFound, "raresync catalog editions lists those in force"}},
	{errNoProposal, problem{http.StatusNotFound, admin.CodeNotFound, "raresync act list --all shows those that are known"}},
	{errNotLead, problem{http.StatusForbidden, admin.CodeNotAllowed, "raresync member list shows who leads"}},
	{errNoListener, problem{http.StatusConflict, admin.CodeRefused, "invite on a node that listens, as every voter with an address does"}},
	{errNoRequest, problem{http.StatusNotFound, admin.CodeNotFound, "raresync member list shows the invitations of this node"}},
	{errUsed, problem{http.StatusGone, admin.CodeRefused, "ask the hospital that invited for another: raresync member invite"}},
	{errQuorum, problem{http.StatusConflict, admin.CodeRefused, "bring the other voters back first, or promote a mirror in place of one that is lost: raresync status"}},
	{errRefused, problem{http.StatusUnprocessableEntity, admin.CodeInvalid, ""}},
	{consensus.ErrNotLeading, problem{http.StatusConflict, admin.CodeRefused, "ask on the node that leads: raresync raft peers names it"}},
	{consensus.ErrNoVoter, problem{http.StatusUnprocessableEntity, admin.CodeInvalid, "raresync raft peers lists the voters"}},
	{context.DeadlineExceeded, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "the entries are safe in the outbox; raresync status shows them"}},
	{context.Canceled, problem{http.StatusServiceUnavailable, admin.CodeUnavailable, ""}},
	{errNotIn, problem{http.StatusServiceUnavailable, admin.CodeNotYet, "raresync status says what it waits for"}},
	{errNoHospital, problem{http.StatusForbidden, admin.CodeNotAllowed, "ask on the node of the hospital"}},
	{errNoSuchCase, problem{http.StatusNotFound, admin.CodeNotFound, "case numbers are each hospital's own: check on whose paper it stands"}},
	{errNoLink, problem{http.StatusNotFound, admin.CodeNotFound, "the link file is filled as files are submitted: submit the patient's file again, which adds nothing else"}},
	{link.ErrSealed, problem{http.StatusServiceUnavailable, admin.CodeKeys, "bring the key back, or move the file links out of the data directory and restart"}},
	{withdraw.ErrNothing, problem{http.StatusNotFound, admin.CodeNoEntries, "check the document; raresync pseudonym check says what this hospital has under it"}},
	{withdraw.ErrErasing, problem{http.StatusConflict, admin.CodeErasing, "raresync withdraw cancel takes the erasure back; use stays stopped then until withdraw resume"}},
	{withdraw.ErrPosted, problem{http.StatusConflict, admin.CodePosted, "raresync withdraw list shows how far it is"}},
	{withdraw.ErrErased, problem{http.StatusConflict, admin.CodeErased, "if the patient consents to be registered anew: withdraw resume --again, then submit the files"}},
	{withdraw.ErrNotErasing, problem{http.StatusConflict, admin.CodeNotErasing, "raresync withdraw list shows what waits"}},
	{withdraw.ErrIdentities, problem{http.StatusUnprocessableEntity, admin.CodeInvalid, ""}},
	{withdraw.ErrTooMany, problem{http.StatusUnprocessableEntity, admin.CodeInvalid, ""}},
	{errNoReader, problem{http.StatusForbidden, admin.CodeNotAllowed, "ask on the node of a reader: raresync member list"}},
	{errNoQuestion, problem{http.StatusNotFound, admin.CodeNotFound, "raresync export answer --help lists the questions"}},
	{errPersons, problem{http.StatusForbidden, admin.CodeNotAllowed, "answer with counts: raresync export answer"}},
	{errNoGenetics, problem{http.StatusForbidden, admin.CodeNotAllowed, "leave --genetics out; raresync member list shows rights"}},
	{errLowLevel, problem{http.StatusConflict, admin.CodeRefused, "have it raised to 3: raresync act propose feature 3"}},
	{errNotOwn, problem{http.StatusForbidden, admin.CodeNotAllowed, "ask the hospital that sent it to correct it"}},
	{errNoAsker, problem{http.StatusForbidden, admin.CodeNotAllowed, "ask on the node of a national reader: raresync member list"}},
	{errNoWriter, problem{http.StatusForbidden, admin.CodeNotAllowed, "ask on the node of a national reader: raresync member list"}},
	{errNoLetter, problem{http.StatusNotFound, admin.CodeNotFound, "raresync letter list shows the letters, each with its index"}},
	{errNotDrawn, problem{http.StatusNotFound, admin.CodeNotFound, "raresync check list shows what each letter draws"}},
	{errNoQuery, problem{http.StatusNotFound, admin.CodeNotFound, "raresync query list shows the queries, each with its index"}},
	{errNoTrail, problem{http.StatusServiceUnavailable, admin.CodeUnavailable, "keep the file as evidence, move it away, and restart the node: it begins a new one"}},
	{errInvalid, problem{http.StatusBadRequest, admin.CodeInvalid, ""}},
	{errTooLarge, problem{http.StatusRequestEntityTooLarge, admin.CodeTooLarge, "submit fewer files at a time"}},
}

// Hints lists all advice that the daemon gives with a problem, for whoever
// translates it.
func Hints() (out []string) {
	for _, known := range problems {
		if known.hint != "" {
			out = append(out, known.hint)
		}
	}
	return out
}

// hintOverQuota is for commands about one document, which no spool takes on.
const hintOverQuota = "this hospital's quota of today is used up: try tomorrow, or raresync act propose allowance"

// keyReplacement is how an institution whose envelope key holds no longer comes
// back.
const keyReplacement = "run the node with the key that holds, or have new ones approved: in a fresh directory " +
	"raresync key rotate --lost, then at a member raresync act propose replacement FILE"

var (
	errInvalid  = errors.New("request makes no sense")
	errTooLarge = errors.New("request is too large")
)

func fail(w http.ResponseWriter, err error) {
	p := admin.Problem{Status: http.StatusInternalServerError, Code: admin.CodeInternal}
	for _, known := range problems {
		if errors.Is(err, known.err) {
			p = admin.Problem{Status: known.status, Code: known.code, Hint: known.hint}
			break
		}
	}
	p.Title, p.Detail = http.StatusText(p.Status), err.Error()
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the command has gone if it fails
}

// number reads an unsigned number from the path, or from the query, where it
// may be absent and is 0 then.
func number(r *http.Request, name string) (uint64, error) {
	text := r.PathValue(name)
	if text == "" {
		if text = r.URL.Query().Get(name); text == "" {
			return 0, nil
		}
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("%w: %s is not a number", errInvalid, name)
	}
	return n, nil
}

// streamer writes values as lines of JSON, each at once.
type streamer struct {
	w       http.ResponseWriter
	enc     *json.Encoder
	started bool
}

func newStreamer(w http.ResponseWriter) *streamer {
	return &streamer{w: w, enc: json.NewEncoder(w)}
}

func (s *streamer) send(v any) bool {
	if !s.started {
		s.w.Header().Set("Content-Type", "application/jsonl")
		s.started = true
	}
	return s.enc.Encode(v) == nil
}

func (s *streamer) flush() {
	if f, ok := s.w.(http.Flusher); ok {
		f.Flush()
	}
}

// fail reports an error if nothing was sent yet; otherwise the stream ends
// where it is, in the middle of a line, so that the reader notices.
func (s *streamer) fail(err error) {
	if !s.started {
		fail(s.w, err)
		return
	}
	panic(http.ErrAbortHandler)
}
