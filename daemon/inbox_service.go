package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/inbox"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/registry/act"
	"github.com/raresync/raresync/registry/mapping"
)

const (
	// inboxEvery is how often the inbox is looked through.
	inboxEvery = 3 * time.Second
	// inboxPatience is how long a batch of the inbox may take up to its receipts.
	// One that takes longer is on its way, and is known when it is tried again.
	inboxPatience = 15 * time.Minute
)

// runInbox takes files from the folder that a hospital drops them into, if one is configured,
// until the context ends. A folder that cannot be opened, as on a share that is away, keeps
// the daemon from nothing else: it is tried again.
func (s *service) runInbox(ctx context.Context) {
	m, ok := s.node.View().Member(s.self.Institution)
	if s.cfg.Inbox.Dir == "" || !ok || m.Role != act.RoleHospital {
		return
	}
	for ctx.Err() == nil {
		box, err := s.openInbox()
		if err == nil {
			s.inbox.Store(box)
			err = errors.Join(box.Run(ctx), box.Close())
		}
		if err != nil {
			s.log.Warn("the inbox cannot be opened, and is tried again", "reason", err.Error())
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Minute):
		}
	}
}

func (s *service) openInbox() (*inbox.Box, error) {
	in := s.cfg.Inbox
	profile, err := inboxProfile(in.Mapping)
	if err != nil {
		return nil, err
	}
	return inbox.Open(inbox.Config{
		Dir: in.Dir, Profile: profile, Language: s.cfg.Language, WithIDs: in.WithIDs, Every: inboxEvery, Stable: in.Stable,
		KeepDone: in.KeepDone, KeepQuarantine: in.KeepQuarantine, Send: s.sendDropped, Receipts: proofs{s}, Now: s.clock, Logger: s.log,
	})
}

// inboxProfile returns the shipped profile of a name, or reads one from a file;
// nil for none.
func inboxProfile(name string) (*mapping.Profile, error) {
	if name == "" {
		return nil, nil
	}
	if p, ok := mapping.ShippedProfile(name); ok {
		return p, nil
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("inbox.mapping: %w", err)
	}
	p, err := mapping.Parse(name, string(raw))
	if err != nil {
		return nil, fmt.Errorf("inbox.mapping %s: %w", name, err)
	}
	return p, nil
}

// sendDropped takes files of the inbox as submit takes them. Its errors name no
// file.
func (s *service) sendDropped(ctx context.Context, files []admin.File) ([]admin.FileResult, error) {
	ctx, cancel := context.WithTimeout(ctx, inboxPatience)
	defer cancel()
	got, err := s.take(ctx, admin.Submission{Files: files, Wait: true})
	if errors.Is(err, intake.ErrTooMany) {
		err = fmt.Errorf("%w: split it, or have an allowance approved", intake.ErrTooMany)
	}
	return got.Files, err
}

// listInbox tells what is in the inbox.
func (s *service) listInbox(*http.Request) (admin.Inbox, error) {
	out := admin.Inbox{Dir: s.cfg.Inbox.Dir, Files: []admin.InboxFile{}}
	box := s.inbox.Load()
	if box == nil {
		return out, nil
	}
	files, problem, err := box.List()
	if err != nil {
		return out, err
	}
	out.Problem = problem
	for _, f := range files {
		out.Files = append(out.Files, admin.InboxFile{
			Name: f.Name, State: f.State, Taken: f.Taken, Outcome: f.Outcome, Entries: f.Entries, Report: f.Text,
			Rows: f.Rows.Read, Refused: f.Rows.Refused,
		})
	}
	return out, nil
}

// inboxWarnings tell what keeps files of the inbox from being taken.
func (s *service) inboxWarnings() (list []warning) {
	box := s.inbox.Load()
	switch {
	case s.cfg.Inbox.Dir == "":
	case box == nil:
		list = append(list, warn("the inbox is not open: is the folder of inbox.dir there, and this daemon's to write?",
			"收件箱未能打开：请确认 inbox.dir 所指文件夹存在，且本服务可写"))
	default:
		if problem := box.Problem(); problem != "" {
			list = append(list, warn("files of the inbox wait, and are tried again: %s", "收件箱中的文件正在等待，将自动重试：%s", problem))
		}
	}
	return list
}
