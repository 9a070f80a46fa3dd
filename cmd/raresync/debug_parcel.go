package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/raresync/raresync/daemon/recent"
)

// parcel is a bundle in the making.
type parcel struct {
	files   []packed
	missing []string
}

type packed struct {
	name string
	text []byte
}

func (p *parcel) add(name string, text []byte) { p.files = append(p.files, packed{name, text}) }

// addJSON adds a value, or says why it is missing.
func (p *parcel) addJSON(name string, v any, err error) {
	if err != nil {
		p.lack(name, err)
		return
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		p.lack(name, err)
		return
	}
	p.add(name, append(raw, '\n'))
}

func (p *parcel) addText(name, text string, err error) {
	if err != nil {
		p.lack(name, err)
		return
	}
	p.add(name, []byte(text))
}

func (p *parcel) lack(name string, err error) {
	p.missing = append(p.missing, recent.Clean(name+": "+strings.ReplaceAll(err.Error(), "\n", "; ")))
}

// archive returns the bundle as .tar.gz.
func (p *parcel) archive(now time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	t := tar.NewWriter(z)
	for _, f := range p.files {
		h := &tar.Header{Name: "raresync-bundle/" + f.name, Mode: 0o600, Size: int64(len(f.text)), ModTime: now, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := t.Write(f.text); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(t.Close(), z.Close()); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
