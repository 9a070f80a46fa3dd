package intake

import (
	"maps"
	"slices"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/identity"
)

// lotFormat is the version of what is sealed into the spool.
const lotFormat = 2

const (
	maxLotFiles = 1 << 20
	maxLotBytes = 1 << 30
)

// marshalLot encodes files as they were submitted, identities and all: it is
// sealed at once. The encoding is CBOR, [format, profile, [[name, data,
// [[subject, type, issuer, value]...], source]...]], with byte strings for every
// text. Format 1 had no source.
func marshalLot(files []File, profile entry.Profile) []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, lotFormat)
	b = cbor.AppendUint(b, uint64(profile))
	b = cbor.AppendArray(b, len(files))
	for _, f := range files {
		b = cbor.AppendArray(b, 4)
		b = cbor.AppendBytes(b, []byte(f.Name))
		b = cbor.AppendBytes(b, f.Data)
		b = cbor.AppendArray(b, len(f.Identities))
		for _, subject := range slices.Sorted(maps.Keys(f.Identities)) {
			d := f.Identities[subject]
			b = cbor.AppendArray(b, 4)
			for _, text := range []string{subject, string(d.Type), d.Issuer, d.Value} {
				b = cbor.AppendBytes(b, []byte(text))
			}
		}
		b = cbor.AppendUint(b, uint64(f.Source))
	}
	return b
}

// unmarshalLot reads what marshalLot wrote.
func unmarshalLot(raw []byte) (files []File, profile entry.Profile, err error) {
	d := cbor.NewDecoder(raw)
	text := func() string { return string(d.Bytes(maxLotBytes)) }
	d.Array(3)
	format := d.Uint()
	if d.Err() == nil && (format < 1 || format > lotFormat) {
		d.Fail("format %d, this release reads 1 to %d", format, lotFormat)
	}
	members := 3
	if format > 1 {
		members = 4
	}
	profile = entry.Profile(d.Uint8())
	for n := d.ArrayMax(maxLotFiles); n > 0 && d.Err() == nil; n-- {
		d.Array(members)
		f := File{Name: text(), Data: d.Bytes(maxLotBytes)}
		for m := d.ArrayMax(maxLotFiles); m > 0 && d.Err() == nil; m-- {
			if f.Identities == nil {
				f.Identities = map[string]identity.Document{}
			}
			d.Array(4)
			subject := text()
			f.Identities[subject] = identity.Document{Type: identity.Type(text()), Issuer: text(), Value: text()}
		}
		if format > 1 {
			f.Source = entry.Source(d.Uint8())
		}
		files = append(files, f)
	}
	return files, profile, d.Done()
}
