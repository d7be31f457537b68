package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/turno-desk/turno/projections"
)

// Digest is Store.Digest of a whole view, as it is at one moment.
func Digest(ctx context.Context, db *sql.DB) (string, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	return projections.Digest(ctx, tx, Tables)
}

// Digest is a fingerprint of all that a version holds: see projections.Store.
func (s *Store) Digest(ctx context.Context, q projections.Querier) (string, error) {
	return projections.Digest(ctx, q, Tables)
}

// Tables lists the tables of the view behind q with their columns in order, but those of a full-text index.
func Tables(ctx context.Context, q projections.Querier) ([]projections.Table, error) {
	list, err := names(ctx, q, `SELECT name FROM pragma_table_list
		WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`)
	if err != nil {
		return nil, err
	}
	all := make([]projections.Table, len(list))
	for i, name := range list {
		all[i].Name = name
		if all[i].Columns, err = names(ctx, q, `SELECT name FROM pragma_table_info(?) ORDER BY cid`, name); err != nil {
			return nil, err
		}
		if all[i].Key, err = names(ctx, q, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func names(ctx context.Context, q projections.Querier, query string, args ...any) ([]string, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = `"` + strings.ReplaceAll(n, `"`, `""`) + `"`
	}
	return strings.Join(q, ", ")
}
