package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"

	"github.com/raresync/raresync/crypto/pseudonym"
	"github.com/raresync/raresync/daemon/admin"
	"github.com/raresync/raresync/daemon/home"
	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/link"
)

// errNoLink reports that the link file has nothing under what was asked.
var errNoLink = errors.New("the link file of this node has nothing under it")

// maxQuestionBytes bounds a question to the link file.
const maxQuestionBytes = 4 << 10

// openLinks opens the link file. One that does not open is put aside, for it opens
// again if its key comes back, and another is begun.
func (s *service) openLinks(dir string) (err error) {
	path := filepath.Join(dir, home.LinksName)
	s.links, err = link.Open(path, s.ring.Sealing)
	if !errors.Is(err, link.ErrSealed) {
		return err
	}
	as, err := link.SetAside(path)
	if err != nil {
		return err
	}
	s.log.Error("the link file does not open, and another is begun; submit the files again to fill it", "kept_as", as)
	s.links, err = link.Open(path, s.ring.Sealing)
	return err
}

// keepLinks puts whose record numbers pseudonyms are into the link file.
func (s *service) keepLinks(list []intake.Link) error {
	links := map[string][]string{}
	for _, l := range list {
		number := s.caseNumber(l.Pseudonym)
		links[number] = append(links[number], l.Record)
	}
	err := s.links.Add(links)
	if errors.Is(err, link.ErrSealed) { // what is submitted does not wait for it
		s.log.Error("the link file does not open; a restart begins another")
		return nil
	}
	return err
}

// askLinks tells which record numbers stand behind a case number, or the reverse.
// Who asked is recorded first.
func (s *service) askLinks(r *http.Request) (admin.Links, error) {
	var in admin.LinkQuestion
	if json.NewDecoder(io.LimitReader(r.Body, maxQuestionBytes)).Decode(&in) != nil || (in.CaseNumber == "") == (in.Record == "") {
		return admin.Links{}, fmt.Errorf("%w: give a case number or a record number", errInvalid) // not quoted: it may be a patient's
	}
	if err := s.isHospital(); err != nil {
		return admin.Links{}, err
	}
	cases := []string{in.CaseNumber}
	if in.Record != "" {
		var err error
		if cases, err = s.links.Cases(in.Record); err != nil {
			return admin.Links{}, err
		}
	} else {
		number, err := pseudonym.ParseCaseNumber(in.CaseNumber)
		if err != nil {
			return admin.Links{}, fmt.Errorf("%w: %w", errInvalid, err)
		}
		cases[0] = number.String()
	}
	if err := s.record("link file read", cases, 0); err != nil {
		return admin.Links{}, err
	}
	out := admin.Links{Links: []admin.RecordLink{}}
	for _, number := range cases {
		records, err := s.links.Records(number)
		if err != nil {
			return out, err
		}
		for _, record := range records {
			out.Links = append(out.Links, admin.RecordLink{CaseNumber: number, Record: record})
		}
	}
	if len(out.Links) == 0 {
		return out, errNoLink
	}
	return out, nil
}
