package state

import (
	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/crypto/keyshare"
	"github.com/raresync/raresync/registry/act"
)

const maxCanaryBytes = 64

// appendCBOR appends the ceremony as an array of none or one.
func (c *Ceremony) appendCBOR(b []byte) []byte {
	if c == nil {
		return cbor.AppendArray(b, 0)
	}
	b = cbor.AppendArray(b, 1)
	b = cbor.AppendArray(b, 12)
	b = cbor.AppendUint(b, c.Number)
	b = cbor.AppendUint(b, uint64(c.Epoch))
	b = cbor.AppendUint(b, uint64(c.Threshold))
	b = cbor.AppendArray(b, len(c.Holders))
	for _, n := range c.Holders {
		b = cbor.AppendUint(b, uint64(n))
	}
	b = cbor.AppendUint(b, c.Deadline)
	b = cbor.AppendArray(b, len(c.Joins))
	for i := range c.Joins {
		b = cbor.AppendArray(b, 2)
		b = cbor.AppendArray(b, len(c.Joins[i].Keys))
		for k := range c.Joins[i].Keys {
			b = cbor.AppendBytes(b, c.Joins[i].Keys[k][:])
		}
		b = cbor.AppendBytes(b, c.Joins[i].Commit[:])
	}
	b = cbor.AppendArray(b, len(c.Deals))
	for i := range c.Deals {
		b = cbor.AppendBytes(b, c.Deals[i].AppendCBOR(nil))
	}
	b = cbor.AppendArray(b, len(c.Confirmed))
	for _, yes := range c.Confirmed {
		b = cbor.AppendBool(b, yes)
	}
	b = cbor.AppendUint(b, c.Size)
	b = cbor.AppendUint(b, uint64(c.Ended))
	b = cbor.AppendUint(b, uint64(c.Blamed))
	return cbor.AppendUint(b, c.EndedAt)
}

func readCeremony(d *cbor.Decoder) *Ceremony {
	if d.ArrayMax(1) == 0 {
		return nil
	}
	d.Array(12)
	c := &Ceremony{Number: d.Uint(), Epoch: d.Uint32(), Threshold: d.Uint16()}
	c.Holders = readList(d, keyshare.MaxHolders, (*cbor.Decoder).Uint32)
	c.Deadline = d.Uint()
	c.Joins = readList(d, keyshare.MaxHolders, func(d *cbor.Decoder) (j Joined) {
		d.Array(2)
		j.Keys = readList(d, keyshare.MaxHolders, func(d *cbor.Decoder) (k [keyshare.CeremonyPublicBytes]byte) {
			d.BytesInto(k[:])
			return k
		})
		d.BytesInto(j.Commit[:])
		return j
	})
	c.Deals = readList(d, keyshare.MaxHolders, readDeal)
	c.Confirmed = readList(d, keyshare.MaxHolders, (*cbor.Decoder).Bool)
	c.Size = d.Uint()
	c.Ended = Ending(d.UintMax(uint64(GivenUp)))
	c.Blamed = d.Uint32()
	c.EndedAt = d.Uint()
	if n := len(c.Holders); d.Err() == nil && c.Ended == Open && (len(c.Joins) != n || len(c.Confirmed) != n) {
		d.Fail("ceremony of %d holders with %d joined and %d confirmed", n, len(c.Joins), len(c.Confirmed))
	}
	return c
}

func readDeal(d *cbor.Decoder) keyshare.Deal {
	raw := d.Bytes(act.MaxBytes)
	if d.Err() != nil {
		return keyshare.Deal{}
	}
	deal, err := keyshare.DecodeDeal(raw)
	if err != nil {
		d.Fail("%v", err)
	}
	return deal
}

func readCanary(d *cbor.Decoder) act.Canary {
	raw := d.Bytes(maxCanaryBytes)
	if d.Err() != nil {
		return act.Canary{}
	}
	k, err := act.DecodeCanary(raw)
	if err != nil {
		d.Fail("%v", err)
		return act.Canary{}
	}
	return *k
}
