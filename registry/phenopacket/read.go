package phenopacket

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/jsontree"
	"github.com/raresync/raresync/registry/rule"
)

// DefaultMaxBytes is the size of a file above which Read refuses it.
const DefaultMaxBytes = 16 << 20

// maxAlternateIDs bounds the identifiers that every text is searched for.
const maxAlternateIDs = 100

// Limits bound what Read takes in. The zero Limits are the defaults.
type Limits struct {
	// MaxBytes is the largest file. Default DefaultMaxBytes.
	MaxBytes int64
}

// A Packet is one member of a file, read and normalised but not yet an entry.
// It holds the patient's identifiers for the caller, who looks up or asks for
// a pseudonym and then drops the Packet; printing it shows none of them.
type Packet struct {
	// SubjectID and AlternateIDs are the patient's identifiers in the source.
	SubjectID    string
	AlternateIDs []string

	name     string // of the file, for findings
	path     string // of the packet in the file: "$", "$.members[2]"
	localID  string // the source's own name of packet and patient
	birth    entry.Date
	tree     *value // lowerCamelCase, de-identified
	findings []rule.Finding
}

// Format writes where the packet comes from and nothing of its content,
// whatever the verb.
func (p Packet) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "packet(%s %s)", p.name, p.path) }

// MarshalJSON writes what Format writes.
func (p Packet) MarshalJSON() ([]byte, error) { return jsontree.AppendText(nil, fmt.Sprint(p)), nil }

// Birth returns the full birth date of the source, an identifier that no
// entry holds. It is unknown if the source has none.
func (p Packet) Birth() entry.Date { return p.birth }

// Sex returns the sex that the source states.
func (p Packet) Sex() entry.Sex {
	var c entry.Case
	subjectLayout(&lens{}, p.tree.Get("subject"), &c)
	return c.Sex
}

// Read reads a phenopacket, Family or Cohort of schema version 2, with keys in
// lowerCamelCase or snake_case, and returns one Packet per member. A byte order
// mark before it is left out. name is the file's name as it may appear in
// findings.
//
// The error is a *rule.Refusal: FM005 for a file above the limit, of which no
// more than the limit is read; FM001 for bytes that are not UTF-8; PP002 for
// what is not JSON, goes beyond 64 levels, 400,000 values or 100 alternate
// ids, repeats a name, or is no phenopacket; PP001 for a member without metaData or subject. An
// error of r itself is returned as it is.
func Read(name string, r io.Reader, limits Limits) ([]Packet, error) {
	if limits.MaxBytes == 0 {
		limits.MaxBytes = DefaultMaxBytes
	}
	raw, err := io.ReadAll(io.LimitReader(r, limits.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read phenopacket: %w", err)
	}
	if int64(len(raw)) > limits.MaxBytes {
		return nil, rule.Refuse("FM005", where(name, "$"), fmt.Sprintf("file larger than %d bytes", limits.MaxBytes))
	}
	members, err := open(name, bytes.TrimPrefix(raw, []byte("\ufeff")))
	if err != nil {
		return nil, err
	}
	var packets []Packet
	var findings []rule.Finding
	for _, m := range members {
		if bad := lacking(m.tree); bad != "" {
			findings = append(findings, rule.Find("PP001", where(name, m.path), bad))
			continue
		}
		if len(m.tree.At("subject", "alternateIds").List()) > maxAlternateIDs {
			findings = append(findings, rule.Find("PP002", where(name, m.path+".subject.alternateIds"), fmt.Sprintf("more than %d", maxAlternateIDs)))
			continue
		}
		packets = append(packets, newPacket(name, m))
	}
	if err := rule.Refusals(findings); err != nil {
		return nil, err
	}
	return packets, nil
}

// where names a file and a JSON path in it.
func where(name, path string) string { return strings.TrimSpace(name + " " + path) }

// lacking says what a member misses to be a phenopacket.
func lacking(v *value) string {
	switch {
	case !v.Get("subject").IsObject():
		return "no subject"
	case v.At("subject", "id").Str() == "":
		return "subject without an id"
	case !v.Get("metaData").IsObject():
		return "no metaData"
	}
	return ""
}

func newPacket(name string, m member) Packet {
	subject := m.tree.Get("subject")
	p := Packet{
		SubjectID: subject.Get("id").Str(),
		name:      name,
		path:      m.path,
		localID:   m.tree.Get("id").Str() + "\x00" + subject.Get("id").Str(),
		tree:      m.tree,
	}
	for _, id := range subject.Get("alternateIds").List() {
		p.AlternateIDs = append(p.AlternateIDs, id.Str())
	}
	p.birth = fullBirth(m.tree)
	p.findings = deidentify(p.tree)
	p.findings = append(p.findings, leaks(p.tree, append(p.AlternateIDs, p.SubjectID))...)
	return p
}

// fullBirth returns the date of birth as precisely as the source has it.
func fullBirth(packet *value) entry.Date {
	s := packet.At("subject", "dateOfBirth").Str()
	if s == "" {
		s = packet.At("raresync", "birth").Str()
	}
	d, _ := entry.ParseDate(s[:min(len(s), len("2006-01-02"))])
	return d
}
