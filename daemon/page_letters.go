package daemon

import (
	"bytes"
	"context"
	"slices"

	"github.com/raresync/raresync/daemon/admin"
)

// pageLetters are the quality letters to this hospital, for its page.
type pageLetters struct{ *service }

// Letters lists them.
func (s pageLetters) Letters(ctx context.Context) ([]admin.Letter, error) {
	all, err := s.lettersNow(ctx)
	return slices.DeleteFunc(all, func(l admin.Letter) bool { return l.Hospital != s.self.Institution }), err
}

// Letter is one, with the entries that it is about and the queries that are open today.
func (s pageLetters) Letter(ctx context.Context, index uint64, lang string) ([]byte, error) {
	made, err := s.readLetter(ctx, index)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = made.HTML(&b, lang)
	return b.Bytes(), err
}
