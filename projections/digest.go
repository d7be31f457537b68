package projections

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"
	"slices"
	"strings"
	"time"
)

// Table is what a digest wants to know of a table. Without a key its rows are ordered by all its columns.
type Table struct {
	Name    string
	Columns []string
	Key     []string
}

// Digest is what Store.Digest is: a fingerprint of the tables that a store lists, in the order of their names, their columns'
// names and their keys. The store leaves out full-text indexes.
func Digest(ctx context.Context, q Querier, tables func(context.Context, Querier) ([]Table, error)) (string, error) {
	all, err := tables(ctx, q)
	if err != nil {
		return "", fmt.Errorf("digest: list tables: %w", err)
	}
	slices.SortFunc(all, func(a, b Table) int { return cmp.Compare(a.Name, b.Name) })
	h := sha256.New()
	for _, t := range all {
		if t.Name == "runner_status" {
			continue
		}
		if err := digestTable(ctx, q, h, t); err != nil {
			return "", fmt.Errorf("digest of table %s: %w", t.Name, err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func digestTable(ctx context.Context, q Querier, h hash.Hash, t Table) error {
	columns := slices.DeleteFunc(slices.Sorted(slices.Values(t.Columns)), func(c string) bool { return strings.HasPrefix(c, "wall_") })
	order := quotedNames(t.Key, "")
	if len(t.Key) == 0 {
		order = quotedNames(columns, " NULLS FIRST")
	}
	rows, err := q.QueryContext(ctx, "SELECT "+quotedNames(columns, "")+" FROM "+quotedNames([]string{t.Name}, "")+" ORDER BY "+order)
	if err != nil {
		return err
	}
	defer rows.Close()
	fmt.Fprintf(h, "table %q %q\n", t.Name, columns)
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
		digestNumber(h, 'i', uint64(v))
	case float64:
		digestNumber(h, 'f', math.Float64bits(v))
	case string:
		v = PlainText(v)
		digestNumber(h, 's', uint64(len(v)))
		h.Write([]byte(v))
	case bool:
		if v {
			h.Write([]byte{'t'})
		} else {
			h.Write([]byte{'e'})
		}
	case time.Time:
		digestNumber(h, 'z', uint64(v.UnixNano()))
	case []byte:
		digestNumber(h, 'b', uint64(len(v)))
		h.Write(v)
	default:
		return fmt.Errorf("a value of type %T", v)
	}
	return nil
}

func digestNumber(h hash.Hash, kind byte, n uint64) {
	var b [9]byte
	b[0] = kind
	binary.BigEndian.PutUint64(b[1:], n)
	h.Write(b[:])
}

// quotedNames lists names as SQL, each with what follows it.
func quotedNames(names []string, each string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = `"` + strings.ReplaceAll(n, `"`, `""`) + `"` + each
	}
	return strings.Join(q, ", ")
}
