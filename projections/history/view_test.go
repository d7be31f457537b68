package history_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/viewtest"
)

const workspace = "default"

// view is the history of a log, in a file of its own.
type view struct {
	t     testing.TB
	dir   string
	log   projections.Source
	store viewtest.Store
	*history.Queries
}

func newView(t testing.TB, log projections.Source) *view {
	t.Helper()
	dir := t.TempDir()
	store, err := viewtest.OpenPatient(dir, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return &view{t: t, dir: dir, log: log, store: store, Queries: history.NewQueries(store.Reader(history.Name), store.Dialect())}
}

// build brings the view to the head of the log, in batches of so many commits.
func (v *view) build(batch int) *view {
	v.t.Helper()
	r := projections.NewRunner(v.log, v.store, history.New(v.store.Dialect()), nil, projections.Options{Batch: batch, CatchUp: batch})
	if err := r.RunToHead(context.Background()); err != nil {
		v.t.Fatal(err)
	}
	return v
}

func (v *view) db() *sql.DB { return v.store.Reader(history.Name) }

func (v *view) digest() string {
	v.t.Helper()
	d, err := viewtest.Digest(v.store, v.db())
	if err != nil {
		v.t.Fatal(err)
	}
	return d
}

var (
	auditor = access.Viewer{Operator: "otto", Role: operator.RoleAuditor}
	admin   = access.Viewer{Role: operator.RoleAdmin}
)

// viewers are those of the desk, a service and two who are nobody.
func viewers(d *viewtest.Desk) map[string]access.Viewer {
	all := map[string]access.Viewer{
		"admin":   admin,
		"service": {Role: operator.RoleService, Scopes: []string{string(access.ScopeConversations) + ":read"}},
		"foreign": {Role: operator.RoleService, Scopes: []string{"stats:read"}},
		"nobody":  {},
	}
	for id, o := range d.Image.Operators {
		all[id] = access.Viewer{Operator: id, Role: o.Role, Departments: o.Departments}
	}
	return all
}

func as(d *viewtest.Desk, operatorID string) access.Viewer { return viewers(d)[operatorID] }

func threadID(n int) string { return fmt.Sprintf("t%025d", n) }

// do is a command that must be accepted.
func do(t *testing.T, d *viewtest.Desk, after time.Duration, actor, threadID string, cmd thread.Command) domain.Commit {
	t.Helper()
	d.Now = d.Now.Add(after)
	c, ok := d.Do(actor, threadID, 0, cmd)
	if !ok {
		t.Fatalf("%s could not %T in thread %s", actor, cmd, threadID)
	}
	return c
}
