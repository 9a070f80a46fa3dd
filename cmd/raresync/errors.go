package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/consensus/machine"
	"github.com/raresync/raresync/consensus/state"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/staticcopy"
	"github.com/raresync/raresync/registry/rule"
)

// The exit codes. Service managers must not restart on 74 to 78:
// starting again does not help.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitPartly    = 3  // some files were refused
	exitRetry     = 4  // not reachable, no leader or timed out: try later
	exitUnproven  = 5  // a signature, proof or root does not verify
	exitForbidden = 6  // not allowed
	exitInvalid   = 7  // input invalid, nothing accepted
	exitNotFound  = 8  // no such thing
	exitStorage   = 74 // storage failed or quarantined: rebuild the node
	exitInUse     = 75 // another process works in the data directory, or in a copy of it
	exitTooOld    = 76 // the network uses what this build does not know: install a newer one
	exitKeys      = 77 // keys cannot be used
	exitConfig    = 78 // configuration invalid
)

// usageError reports a command line that makes no sense.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

// errNoCommand reports a command line that ends before it names a command. The
// help that lists them is the answer.
var errNoCommand = usagef("a command is needed")

func usagef(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// coded gives an error an exit code of its own.
type coded struct {
	code int
	error
}

func (e coded) Unwrap() error { return e.error }

// hintMark stands between an error and its advice, as in admin.Problem.
const hintMark = "\nhint: "

// hinted adds a line of advice to an error.
type hinted struct {
	error
	hint string
}

func (e hinted) Error() string { return e.error.Error() + hintMark + e.hint }
func (e hinted) Unwrap() error { return e.error }

// sentinels gives exit codes to the errors of the packages below. The first
// that fits counts.
var sentinels = []struct {
	err  error
	code int
}{
	{audit.ErrUnverified, exitUnproven},
	{errNeedsRepair, exitFailed}, // by the next start, as ErrRestart
	{errNoRoom, exitFailed},
	{audit.ErrSaltless, exitRetry},
	{admin.ErrUnreachable, exitRetry},
	{context.DeadlineExceeded, exitRetry},
	{errCeremonyGoesOn, exitRetry},
	{consensus.ErrQuarantined, exitStorage},
	{consensus.ErrRestart, exitFailed}, // the next start mends what is damaged
	{consensus.ErrHalfBegun, exitStorage},
	{logstore.ErrStorage, exitStorage},
	{logstore.ErrDamaged, exitStorage},
	{ledger.ErrStorage, exitStorage},
	{ledger.ErrDamaged, exitStorage},
	{machine.ErrDiverged, exitStorage},
	{home.ErrHalfRestored, exitStorage},
	{state.ErrTooOld, exitTooOld},
	{home.ErrOptions, exitInvalid},
	{staticcopy.ErrOther, exitInvalid}, {staticcopy.ErrBodies, exitInvalid}, {staticcopy.ErrBusy, exitInUse}, {staticcopy.ErrAbsent, exitNotFound},
	{backup.ErrNoSalts, exitInvalid},
	{home.ErrInUse, exitInUse},
	{consensus.ErrTwin, exitInUse}, // a voter is quarantined, see above
	{home.ErrKeys, exitKeys},
	{home.ErrParts, exitInvalid}, {home.ErrKeyring, exitForbidden}, {home.ErrCredential, exitForbidden}, {term.ErrNoTerminal, exitUsage},
	{home.ErrNoGenesis, exitConfig},
	{home.ErrOtherGenesis, exitConfig},
	{errNoConfig, exitConfig},
}

var problemCodes = map[string]int{
	admin.CodeNotFound: exitNotFound, admin.CodeNotYet: exitRetry, admin.CodeNoLeader: exitRetry,
	admin.CodeUnavailable: exitRetry, admin.CodeNoRoom: exitRetry, admin.CodeRefused: exitForbidden, admin.CodeKeys: exitForbidden, admin.CodeInvalid: exitInvalid, admin.CodeTooLarge: exitInvalid,
	admin.CodeNotAllowed: exitForbidden, admin.CodeNoEntries: exitNotFound,
	admin.CodeErasing: exitForbidden, admin.CodePosted: exitForbidden, admin.CodeErased: exitForbidden, admin.CodeNotErasing: exitForbidden,
}

// codeOf returns the exit code of an error.
func codeOf(err error) int {
	var usage usageError
	var own coded
	var problem *admin.Problem
	var wrong *config.Problems
	var refused *rule.Refusal
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &own):
		return own.code
	case errors.As(err, &wrong):
		return exitConfig
	case errors.As(err, &refused):
		return exitInvalid
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.code
		}
	}
	if errors.As(err, &problem) && problemCodes[problem.Code] != 0 {
		return problemCodes[problem.Code]
	}
	if errors.Is(err, fs.ErrNotExist) {
		return exitNotFound
	}
	return exitFailed
}

// report tells the user what went wrong and returns the exit code.
func report(w io.Writer, err error, l line) int {
	if err == nil {
		return exitDone
	}
	if own := exitWith(0); errors.As(err, &own) { // the command has said all
		return int(own)
	}
	code := codeOf(err)
	if errors.Is(err, errNoCommand) {
		showHelp(w, l.path)
		fmt.Fprintln(w)
	}
	text, hint, _ := strings.Cut(err.Error(), hintMark)
	lead, see := "hint: ", "see: "
	if l.language() == "zh" {
		text, hint = chinese(err, text, hint)
		lead, see = "提示：", "参见："
	} else if hint == "" {
		hint = advice(err).hint
	}
	for i, one := range strings.Split(text, "\n") {
		if i == 0 {
			one = "raresync: " + one
		}
		fmt.Fprintln(w, term.Clean(one))
	}
	if hint != "" {
		fmt.Fprintln(w, lead+term.Clean(hint))
	}
	if code == exitUsage && !errors.Is(err, errNoCommand) {
		fmt.Fprintln(w, see+strings.Join(append(append([]string{"raresync"}, l.path...), "--help"), " "))
	}
	return code
}
