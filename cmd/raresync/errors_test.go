package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/raresync/raresync/cmd/raresync/audit"
	"github.com/raresync/raresync/cmd/raresync/backup"
	"github.com/raresync/raresync/cmd/raresync/term"
	"github.com/raresync/raresync/consensus"
	"github.com/raresync/raresync/consensus/ledger"
	"github.com/raresync/raresync/consensus/logstore"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/config"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/registry/rule"
)

func TestExitCodes(t *testing.T) {
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"nothing went wrong":                        {nil, 0},
		"something else went wrong":                 {errors.New("x"), 1},
		"an interrupted command":                    {context.Canceled, 1},
		"a node that wants to be started again":     {consensus.ErrRestart, 1},
		"wrong usage":                               {usagef("x"), 2},
		"no daemon":                                 {admin.ErrUnreachable, 4},
		"a daemon that is too slow":                 {context.DeadlineExceeded, 4},
		"a ceremony that takes longer":              {errCeremonyGoesOn, 4},
		"no leader":                                 {&admin.Problem{Code: admin.CodeNoLeader}, 4},
		"a node that is catching up":                {&admin.Problem{Code: admin.CodeNotYet}, 4},
		"a daemon that cannot now":                  {&admin.Problem{Code: admin.CodeUnavailable}, 4},
		"a disk with too little room":               {&admin.Problem{Code: admin.CodeNoRoom}, 4},
		"a receipt that does not verify":            {audit.ErrUnverified, 5},
		"a damaged copy is unverified, not storage": {fmt.Errorf("%w: %w", audit.ErrUnverified, ledger.ErrDamaged), 5},
		"a copy that has not got its salts yet":     {audit.ErrSaltless, 4},
		"what the node may not do":                  {&admin.Problem{Code: admin.CodeNotAllowed}, 6},
		"a request that makes no sense":             {&admin.Problem{Code: admin.CodeInvalid}, 7},
		"a request that is too large":               {&admin.Problem{Code: admin.CodeTooLarge}, 7},
		"a refusal":                                 {rule.Refuse("PP002", "", ""), 7},
		"a key for a backup without salts":          {backup.ErrNoSalts, 7},
		"a file that is no backup":                  {backup.ErrNotBackup, 5},
		"options that make no node":                 {home.ErrOptions, 7},
		"no such entry":                             {&admin.Problem{Code: admin.CodeNotFound}, 8},
		"no such file":                              {fs.ErrNotExist, 8},
		"a bug in the daemon":                       {&admin.Problem{Code: admin.CodeInternal}, 1},
		"a quarantined node":                        {consensus.ErrQuarantined, 74},
		"a failed disk":                             {ledger.ErrStorage, 74},
		"a failed disk under a voter's Raft log":    {fmt.Errorf("store raft log: %w", logstore.ErrStorage), 74},
		"a damaged Raft log":                        {logstore.ErrDamaged, 74},
		"a damaged ledger":                          {ledger.ErrDamaged, 74},
		"a ledger that a start repairs":             {fmt.Errorf("%w: %w", errNeedsRepair, ledger.ErrDamaged), 1},
		"no room for a backup":                      {&fs.PathError{Op: "write", Path: "b.tar.part", Err: syscall.ENOSPC}, 1},
		"no room for a restored node":               {unrestored(fmt.Errorf("%w: %w", ledger.ErrStorage, syscall.ENOSPC)), 1},
		"a node's full disk":                        {fmt.Errorf("%w: %w", ledger.ErrStorage, syscall.ENOSPC), 74},
		"a second process":                          {home.ErrInUse, 75},
		"a restore that was cut short":              {home.ErrHalfRestored, 74},
		"a mirror that runs twice":                  {consensus.ErrTwin, 75},
		"a voter that ran twice":                    {fmt.Errorf("%w: %w", consensus.ErrQuarantined, consensus.ErrTwin), 74},
		"keys that cannot be used":                  {fmt.Errorf("%w: %w", home.ErrKeys, fs.ErrNotExist), 77},
		"keys that cannot rotate now":               {fmt.Errorf("%w: x", home.ErrKeyring), 6},
		"a file key that is a credential":           {home.ErrCredential, 6},
		"custody files of two splittings":           {fmt.Errorf("%w: x", home.ErrParts), 7},
		"nobody to type a passphrase":               {term.ErrNoTerminal, 2},
		"a wrong configuration":                     {&config.Problems{}, 78},
		"no configuration":                          {errNoConfig, 78},
		"no network":                                {home.ErrNoGenesis, 78},
		"a node of another network":                 {home.ErrOtherGenesis, 78},
	} {
		t.Run(name, func(t *testing.T) {
			if got := codeOf(tc.err); got != tc.want {
				t.Errorf("exit code %d, want %d", got, tc.want)
			}
			if tc.err != nil {
				if got := codeOf(fmt.Errorf("wrapped: %w", tc.err)); got != tc.want {
					t.Errorf("wrapped: exit code %d, want %d", got, tc.want)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Setenv(configEnv, "nowhere.toml")
	problem := fmt.Errorf("entry 7: %w", &admin.Problem{Code: admin.CodeNotFound, Detail: "no entry 7", Hint: "the log ends at 5"})
	for name, tc := range map[string]struct {
		err  error
		lang string
		want string
	}{
		"a hint of the daemon":    {problem, "", "raresync: entry 7: no entry 7\nhint: the log ends at 5\n"},
		"in Chinese":              {problem, "zh", "raresync: 没有找到：entry 7: no entry 7\n提示：请核对编号\n"},
		"a full disk, to a clerk": {&admin.Problem{Code: admin.CodeNoRoom, Detail: "90 MiB left"}, "zh", "raresync: 本节点磁盘空间不足，暂不接收新文件：90 MiB left\n提示：请通知运维人员腾出磁盘空间，然后重新提交同样的文件；无需重启\n"},
		"no room for a backup": {
			fmt.Errorf("save backup: %w", &fs.PathError{Op: "write", Path: "b.tar.part", Err: syscall.ENOSPC}), "en",
			"raresync: save backup: write b.tar.part: no space left on device\nhint: make room on that disk, or choose another\n",
		},
		"several lines":               {errors.New("two problems:\n  a\n  b"), "", "raresync: two problems:\n  a\n  b\n"},
		"control characters are seen": {errors.New("file \x1b[2J"), "", "raresync: file \\x1b[2J\n"},
		"an error without words":      {errors.New("odd"), "zh", "raresync: odd\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			report(&b, tc.err, line{values: map[string]string{"lang": tc.lang}})
			if b.String() != tc.want {
				t.Errorf("got\n%s\nwant\n%s", b.String(), tc.want)
			}
		})
	}
}
