package intake

import (
	"github.com/raresync/raresync/crypto/seal"
	"github.com/raresync/raresync/registry/entry"
	"github.com/raresync/raresync/registry/envelope"
)

// plainOf says under which key an entry is sealed: genetics apart from the
// rest, because other people may read it.
func plainOf(e entry.Entry, encoded []byte) envelope.Plain {
	if e.IsGenetic() {
		return envelope.Plain{Part: seal.Genetic, CBOR: encoded}
	}
	return envelope.Plain{Part: seal.Clinical, CBOR: encoded}
}
