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

	"github.com/raresync/raresync/registry/entry"
)

// ErrProvince reports a province that is not the two digits of GB/T 2260.
var ErrProvince = errors.New("a province is two digits of GB/T 2260")

var (
	provinceCode = regexp.MustCompile(`^[0-9]{2}$`)
	aView        = regexp.MustCompile(`CREATE VIEW IF NOT EXISTS ([a-z]+) `)
)

// Part is what of the entries is read. The zero Part is all.
type Part struct {
	Province string      // of the hospitals that sent them, two digits of GB/T 2260; "": of all
	Without  entry.Scope // no entry of which one of these uses is stopped
}

// narrow gives a connection a part of the entries alone, and the hospitals of that
// part's province: temporary views that stand before the tables of the same names, and
// before the views over these. What an entry says is read through them or joined to
// them by its index.
func narrow(ctx context.Context, conn *sql.Conn, part Part) error {
	hospitals, entries := `1`, fmt.Sprintf(`stopped & %d = 0`, part.Without)
	if part.Province != "" {
		if !provinceCode.MatchString(part.Province) {
			return ErrProvince
		}
		hospitals = `province = '` + part.Province + `'`
		entries += ` AND hospital IN (SELECT number FROM main.hospitals WHERE ` + hospitals + `)`
	}
	statements := `CREATE TEMP VIEW hospitals AS SELECT * FROM main.hospitals WHERE ` + hospitals + `;
		CREATE TEMP VIEW entries AS SELECT * FROM main.entries WHERE ` + entries + `;` +
		aView.ReplaceAllString(views, `CREATE TEMP VIEW $1 `)
	if _, err := conn.ExecContext(ctx, statements); err != nil {
		return errors.Join(fmt.Errorf("read view: a part: %w", err), widen(conn))
	}
	return nil
}

// widen takes these views away. A connection on which that fails is not used again:
// it would answer somebody else as if a part were all.
func widen(conn *sql.Conn) error {
	names := []string{"hospitals", "entries"}
	for _, m := range aView.FindAllStringSubmatch(views, -1) {
		names = append(names, m[1])
	}
	slices.Reverse(names)
	_, err := conn.ExecContext(context.Background(), `DROP VIEW IF EXISTS temp.`+strings.Join(names, `; DROP VIEW IF EXISTS temp.`))
	if err != nil {
		return errors.Join(fmt.Errorf("read view: all again: %w", err), conn.Raw(func(any) error { return driver.ErrBadConn }))
	}
	return nil
}
