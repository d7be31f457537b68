package deliveries_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/deliveries"
)

func (r *rig) commits() (all []domain.Commit) {
	r.t.Helper()
	err := r.log.Read(context.Background(), 0, projections.ReadOptions{ToHead: true}, func(chunk []domain.Commit) error {
		all = append(all, chunk...)
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// messagesOf are the threads that somebody wrote in.
func (r *rig) messagesOf() (all []string) {
	for _, c := range r.commits() {
		for _, e := range c.Events {
			if _, is := e.(thread.Opened); is {
				all = append(all, c.Aggregate.ID)
			}
		}
	}
	return all
}

// append adds events to a conversation, as the engine would.
func (r *rig) append(conversation string, events ...domain.Event) {
	r.t.Helper()
	id, _, _ := thread.SplitConversationID(conversation)
	a := domain.Aggregate{Workspace: "default", Category: domain.CategoryThread, ID: id}
	commits, version, err := r.log.Load(r.t.Context(), a, 0, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	c := commits[len(commits)-1]
	c.ID, c.Events, c.Before = fmt.Sprint("c", version), events, c.After
	if _, _, err := r.log.Append(r.t.Context(), c, version); err != nil {
		r.t.Fatal(err)
	}
}

// rows is everything that the tables hold.
func (r *rig) rows() string {
	r.t.Helper()
	var b strings.Builder
	for _, table := range []string{"cursor", "redelivery", "delivery"} {
		rows, err := r.views.Reader(deliveries.Name).QueryContext(r.t.Context(), `SELECT * FROM `+table)
		if err != nil {
			r.t.Fatal(err)
		}
		names, err := rows.Columns()
		if err != nil {
			r.t.Fatal(err)
		}
		for rows.Next() {
			cells := make([]any, len(names))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				r.t.Fatal(err)
			}
			for _, c := range cells {
				fmt.Fprintf(&b, "%v ", *c.(*any))
			}
			b.WriteString("\n")
		}
		rows.Close()
	}
	return b.String()
}

func (r *rig) exec(query string) {
	r.t.Helper()
	version, _, err := r.views.Active(r.t.Context(), deliveries.Name)
	if err != nil {
		r.t.Fatal(err)
	}
	db, err := r.views.Writer(r.t.Context(), deliveries.Name, version, "")
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		r.t.Fatal(err)
	}
}

// forgetful is a log that has lost the commit at a position, after it was read.
type forgetful struct {
	deliveries.Log
	at atomic.Uint64
}

func (f *forgetful) At(ctx context.Context, p domain.Position) (domain.Commit, error) {
	if uint64(p) == f.at.Load() {
		return domain.Commit{}, projections.ErrNoCommit
	}
	return f.Log.At(ctx, p)
}

var _ deliveries.Log = (*memory.Store)(nil)
