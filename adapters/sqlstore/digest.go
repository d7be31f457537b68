package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"strings"
	"time"

	"github.com/turno-desk/turno/projections"
)

// Digest is Store.Digest of a whole view, as it is at one moment.
func Digest(ctx context.Context, db *sql.DB) (string, error) {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	return digest(ctx, tx)
}

// Digest is a fingerprint of all that a version holds: see projections.Store.
func (s *Store) Digest(ctx context.Context, q projections.Querier) (string, error) {
	return digest(ctx, q)
}

func digest(ctx context.Context, q projections.Querier) (string, error) {
	tables, err := names(ctx, q, `SELECT name FROM pragma_table_list
		WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> 'runner_status' ORDER BY name`)
	if err != nil {
		return "", fmt.Errorf("digest: list tables: %w", err)
	}
	h := sha256.New()
	for _, table := range tables {
		if err := digestTable(ctx, q, h, table); err != nil {
			return "", fmt.Errorf("digest of table %s: %w", table, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func digestTable(ctx context.Context, q projections.Querier, h hash.Hash, table string) error {
	columns, err := names(ctx, q, `SELECT name FROM pragma_table_info(?) WHERE name NOT LIKE 'wall\_%' ESCAPE '\' ORDER BY name`, table)
	if err != nil {
		return err
	}
	key, err := names(ctx, q, `SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk`, table)
	if err != nil {
		return err
	}
	if len(key) == 0 {
		key = columns
	}
	rows, err := q.QueryContext(ctx, "SELECT "+quoted(columns)+" FROM "+quoted([]string{table})+" ORDER BY "+quoted(key))
	if err != nil {
		return err
	}
	defer rows.Close()
	fmt.Fprintf(h, "table %q %q\n", table, columns)
	values := make([]any, len(columns))
	into := make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		h.Write([]byte{'r'})
		for _, v := range values {
			if err := digestValue(h, v); err != nil {
				return err
			}
		}
	}
	return rows.Err()
}

func digestValue(h hash.Hash, v any) error {
	switch v := v.(type) {
	case nil:
		h.Write([]byte{'n'})
	case int64:
		number(h, 'i', uint64(v))
	case float64:
		number(h, 'f', math.Float64bits(v))
	case string:
		number(h, 's', uint64(len(v)))
		h.Write([]byte(v))
	case bool:
		if v {
			h.Write([]byte{'t'})
		} else {
			h.Write([]byte{'e'})
		}
	case time.Time:
		number(h, 'z', uint64(v.UnixNano()))
	case []byte:
		number(h, 'b', uint64(len(v)))
		h.Write(v)
	default:
		return fmt.Errorf("a value of type %T", v)
	}
	return nil
}

func number(h hash.Hash, kind byte, n uint64) {
	var b [9]byte
	b[0] = kind
	binary.BigEndian.PutUint64(b[1:], n)
	h.Write(b[:])
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
