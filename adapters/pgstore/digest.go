package pgstore

import (
	"context"

	"github.com/turno-desk/turno/projections"
)

// Digest is a fingerprint of all that a version holds: see projections.Store.
func (s *Store) Digest(ctx context.Context, q projections.Querier) (string, error) {
	return projections.Digest(ctx, q, Tables)
}

// Tables lists the tables of the view behind q with their columns in order, but those of a full-text index, which are the
// ones that have a tsvector.
func Tables(ctx context.Context, q projections.Querier) ([]projections.Table, error) {
	found, err := list(ctx, q, `SELECT relname FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
		AND NOT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = c.oid AND atttypid = 'tsvector'::regtype)`)
	if err != nil {
		return nil, err
	}
	all := make([]projections.Table, len(found))
	for i, name := range found {
		all[i].Name = name
		if all[i].Columns, err = list(ctx, q, `SELECT attname FROM pg_attribute
			WHERE attrelid = CAST(CAST(? AS TEXT) AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, quoted(name)); err != nil {
			return nil, err
		}
		if all[i].Key, err = list(ctx, q, `SELECT a.attname FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
			JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
			WHERE i.indisprimary AND i.indrelid = CAST(CAST(? AS TEXT) AS regclass) ORDER BY k.place`, quoted(name)); err != nil {
			return nil, err
		}
	}
	return all, nil
}
