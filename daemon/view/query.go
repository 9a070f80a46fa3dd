package view

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Row reads the columns of one row of an answer.
type Row func(into ...any) error

// Each calls f with every row of a query's answer.
func (q Query) Each(query string, f func(Row) error, args ...any) (err error) {
	rows, err := q.tx.QueryContext(q.ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// One reads a query's only row; without one nothing is changed.
func (q Query) One(query string, args []any, into ...any) error {
	err := q.tx.QueryRowContext(q.ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read view: %w", err)
	}
	return nil
}

// Today is the day, counted from 1970-01-01, of the last log time: nothing in a
// report depends on another clock.
func (q Query) Today() int64 { return dayOf(q.Head.LogTime) }

// ThisMonth is the month of the last log time.
func (q Query) ThisMonth() Month { return Month(monthOf(q.Head.LogTime)) }

// Quantile returns the value below which a share of sorted values lies, by the
// nearest rank; ok is false of none.
func Quantile(sorted []int64, share float64) (v int64, ok bool) {
	if len(sorted) == 0 {
		return 0, false
	}
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1], true
}

// Median returns the value in the middle, of two their mean.
func Median(values []float64) (v float64, ok bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half], true
	}
	return (sorted[half-1] + sorted[half]) / 2, true
}
