package consensus

import (
	"fmt"

	"github.com/raresync/raresync/crypto/cbor"
	"github.com/raresync/raresync/registry/envelope"
)

// A Raft command is an array of the leader's time in milliseconds and the
// envelope's bytes. An empty command is a marker: it carries the commit index
// to followers when no envelope follows.

func encodeCommand(leaderTime uint64, raw []byte) []byte {
	b := make([]byte, 0, len(raw)+16)
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendUint(b, leaderTime)
	return cbor.AppendBytes(b, raw)
}

func decodeCommand(cmd []byte) (leaderTime uint64, raw []byte, err error) {
	d := cbor.NewDecoder(cmd)
	d.Array(2)
	leaderTime = d.Uint()
	raw = d.Bytes(envelope.MaxBytes + 1)
	if err := d.Done(); err != nil {
		return 0, nil, fmt.Errorf("raft command: %w", err)
	}
	return leaderTime, raw, nil
}
