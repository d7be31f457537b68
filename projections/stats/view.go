package stats

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/projections"
)

// view is the rows as they stand at one position, read in one transaction.
type view struct {
	tx       *sql.Tx
	position domain.Position
	latest   bool       // position is as far as the rows go
	limit    metric.Ref // the first event that is not in it
	now      int64
	space    int64 // of the workspace; 0: none of its rows exist
	dims     []dim // by id
}

// look opens the view at a position, the latest when it is 0. done ends it.
func (q *Queries) look(ctx context.Context, workspace string, at domain.Position) (v *view, done func(), err error) {
	tx, err := q.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, nil, fmt.Errorf("stats: read: %w", err)
	}
	done = func() { tx.Rollback() } //nolint:errcheck // reading only
	if v, err = q.open(ctx, tx, workspace, at); err != nil {
		done()
		return nil, nil, fmt.Errorf("stats: %w", err)
	}
	return v, done, nil
}

func (q *Queries) open(ctx context.Context, tx *sql.Tx, workspace string, at domain.Position) (*view, error) {
	come, err := projections.PositionOf(ctx, tx)
	if err != nil {
		return nil, err
	}
	if at == 0 {
		at = come
	}
	if at > come {
		return nil, fmt.Errorf("the view stands at %d: %w", come, projections.ErrAhead)
	}
	v := &view{tx: tx, position: at, latest: at == come, limit: metric.NewRef(at+1, 0)}
	if v.now, err = nowAt(ctx, tx, at); err != nil {
		return nil, err
	}
	err = tx.QueryRowContext(ctx, `SELECT id FROM workspaces WHERE name = ?`, workspace).Scan(&v.space)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the workspaces: %w", err)
	}
	v.dims, err = q.known.refresh(ctx, tx)
	return v, err
}

// series is the first column of the samples of a kind.
func (v *view) series(k metric.Kind) int64 { return v.space*kinds + int64(k) }

// known is the dims as they were last read. Rows are only ever added, unless the view was rebuilt: the chain tells.
type known struct {
	mu    sync.Mutex
	dims  []dim // by id; that of id 0 is empty
	chain int64
}

func (k *known) refresh(ctx context.Context, q projections.Querier) ([]dim, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n := len(k.dims); n > 1 {
		var chain int64
		err := q.QueryRowContext(ctx, `SELECT chain FROM dims WHERE id = ?`, n-1).Scan(&chain)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("read the dims: %w", err)
		}
		if err != nil || chain != k.chain {
			k.dims = nil
		}
	}
	if len(k.dims) == 0 {
		k.dims = []dim{{}}
	}
	fresh := slices.Clip(k.dims)
	err := each(ctx, q, `SELECT operator, department, channel, detail, machine, chain FROM dims WHERE id >= ? ORDER BY id`, []any{len(fresh)}, func(scan scanner) error {
		var d dim
		if err := scan(&d.operator, &d.department, &d.channel, &d.detail, &d.machine, &k.chain); err != nil {
			return err
		}
		fresh = append(fresh, d)
		return nil
	})
	if err != nil {
		k.dims = nil
		return nil, fmt.Errorf("read the dims: %w", err)
	}
	k.dims = fresh
	return fresh, nil
}
