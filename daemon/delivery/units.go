package delivery

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"

	"github.com/raresync/raresync/registry/fhir"
	"github.com/raresync/raresync/registry/phenopacket"
)

// RefusedUnits collects what of a collection was refused.
type RefusedUnits struct {
	collection string // its name
	patients   []fhir.Patient
	files      []RejectFile // phenopackets; Sheet is the name in the archive
}

func (r *RefusedUnits) add(u Unit) {
	if u.patient != nil {
		p := *u.patient
		p.Packet = nil // its resources are what is given back
		r.patients = append(r.patients, p)
		return
	}
	_, member, _ := strings.Cut(u.File.Name, r.collection+" ")
	r.files = append(r.files, RejectFile{member, u.File.Data})
}

// Files gives back what was refused: of FHIR alone a Bundle, else an archive of the
// phenopackets as they are and a Bundle. Unless withIDs, documents, names and
// telephones are masked. A phenopacket that is no JSON is left out.
func (r *RefusedUnits) Files(withIDs bool) ([]RejectFile, error) {
	var bundle []byte
	if len(r.patients) > 0 {
		bundle = fhir.Again(r.patients, withIDs)
	}
	if len(r.files) == 0 {
		if bundle == nil {
			return nil, nil
		}
		return []RejectFile{{Data: bundle}}, nil
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	written := 0
	put := func(name string, data []byte) error {
		if data == nil {
			return nil
		}
		written++
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	}
	err := put("raresync-refused-fhir.json", bundle)
	for _, f := range r.files { // under the names by which documents are given for them
		if !withIDs {
			f.Data = phenopacket.Masked(f.Data)
		}
		err = errors.Join(err, put(f.Sheet, f.Data))
	}
	if err = errors.Join(err, z.Close()); err != nil || written == 0 {
		return nil, err
	}
	return []RejectFile{{Data: out.Bytes()}}, nil
}
