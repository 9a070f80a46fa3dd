package view

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ErrProvince reports a province that is not the two digits of GB/T 2260.
var ErrProvince = errors.New("a province is two digits of GB/T 2260")

var (
	provinceCode = regexp.MustCompile(`^[0-9]{2}$`)
	aView        = regexp.MustCompile(`CREATE VIEW IF NOT EXISTS ([a-z]+) `)
)

// narrow gives a connection entries and hospitals of one province alone: temporary
// views that stand before the tables of the same names, and before the views over
// these. What an entry says is read through them or joined to them by its index.
func narrow(ctx context.Context, conn *sql.Conn, province string) error {
	if !provinceCode.MatchString(province) {
		return ErrProvince
	}
	statements := `CREATE TEMP VIEW hospitals AS SELECT * FROM main.hospitals WHERE province = '` + province + `';
		CREATE TEMP VIEW entries AS SELECT * FROM main.entries WHERE hospital IN (SELECT number FROM main.hospitals WHERE province = '` + province + `');` +
		aView.ReplaceAllString(views, `CREATE TEMP VIEW $1 `)
	if _, err := conn.ExecContext(ctx, statements); err != nil {
		return errors.Join(fmt.Errorf("read view: one province: %w", err), widen(conn))
	}
	return nil
}

// widen takes these views away. A connection on which that fails is not used again:
// it would answer somebody else as if the nation were one province.
func widen(conn *sql.Conn) error {
	names := []string{"hospitals", "entries"}
	for _, m := range aView.FindAllStringSubmatch(views, -1) {
		names = append(names, m[1])
	}
	slices.Reverse(names)
	_, err := conn.ExecContext(context.Background(), `DROP VIEW IF EXISTS temp.`+strings.Join(names, `; DROP VIEW IF EXISTS temp.`))
	if err != nil {
		return errors.Join(fmt.Errorf("read view: the nation again: %w", err), conn.Raw(func(any) error { return driver.ErrBadConn }))
	}
	return nil
}
