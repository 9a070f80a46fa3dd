package view

import (
	"context"
	"errors"
	"testing"
)

// A view that ends while its hospitals are read had its daemon panic: an id that was
// not read has no bytes.
func TestARowThatCannotBeReadIsAnError(t *testing.T) {
	const queries = 12
	for bad := range queries {
		n := 0
		err := (&holding{}).load(func(_ string, f func(Row) error) error {
			if n++; n-1 != bad {
				return nil
			}
			return f(func(...any) error { return context.Canceled })
		}, 1)
		if !errors.Is(err, context.Canceled) || n != bad+1 {
			t.Errorf("query %d of %d: %v", n, bad+1, err)
		}
	}
	n := 0
	if err := (&holding{}).load(func(string, func(Row) error) error { n++; return nil }, 1); err != nil || n != queries {
		t.Errorf("%d queries are made: %v", n, err)
	}
}
