package viewtest

import (
	"context"
	"strings"
	"testing"

	"github.com/turno-desk/turno/projections"
)

// Rules holds a projection to its own rules: a view of a random service keeps them, and each of the statements breaks the
// one that it stands beside.
func Rules(t *testing.T, p projections.Projection, breaks map[string]string) {
	t.Helper()
	ctx := context.Background()
	store, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	log := NewLog("rules")
	d := NewDesk(log, 99)
	d.Erases = true
	d.Random(400, 20)
	if err := projections.NewRunner(log, store, p, nil, projections.Options{}).RunToHead(ctx); err != nil {
		t.Fatal(err)
	}
	rules := p.(projections.Checker)
	if err := rules.Check(ctx, store.Reader(p.Name())); err != nil {
		t.Errorf("a view as it should be breaks a rule: %v", err)
	}
	db, err := store.Writer(ctx, p.Name(), 1, "")
	if err != nil {
		t.Fatal(err)
	}
	for rule, statement := range breaks {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if err := rules.Check(ctx, tx); err == nil || !strings.Contains(err.Error(), rule) {
			t.Errorf("after %s it says %v", statement, err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}
