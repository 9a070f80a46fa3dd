package daemon

import (
	"context"

	"github.com/raresync/raresync/daemon/intake"
	"github.com/raresync/raresync/daemon/reader"
)

// registry is what this hospital has registered, as intake asks for it.
type registry struct{ *reader.Reader }

// Registered returns the hospital's cases under a pseudonym, as corrected.
func (r registry) Registered(ctx context.Context, pseudonym [32]byte) (out []intake.Registration, err error) {
	cases, err := r.Reader.Registered(ctx, pseudonym)
	for _, o := range cases {
		out = append(out, intake.Registration{Index: o.Index, Entry: o.Entry})
	}
	return out, err
}
