package pgtest_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func TestEveryTestHasADatabaseOfItsOwn(t *testing.T) {
	one, two := pgtest.Database(t), pgtest.Database(t)
	if one == two {
		t.Fatal("two databases are one")
	}
	exec(t, connect(t, one), "CREATE TABLE a (x int)")
	exec(t, connect(t, two), "CREATE TABLE a (x int)")
}

func TestWhatWasCommittedOutlivesAKill(t *testing.T) {
	s := pgtest.Start(t)
	url := s.Database(t)
	conn := connect(t, url)
	exec(t, conn, "CREATE TABLE a (x int)")
	exec(t, conn, "INSERT INTO a VALUES (1)")
	s.Kill()
	if _, err := pgx.Connect(context.Background(), url); err == nil {
		t.Fatal("a killed server answers")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := connect(t, url).QueryRow(context.Background(), "SELECT count(*) FROM a").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d rows of 1 (%v)", n, err)
	}
}

func TestTheServerAndItsFolderGo(t *testing.T) {
	var log string
	t.Run("server", func(t *testing.T) { log = pgtest.Start(t).Log() })
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(log); os.IsNotExist(err) {
			return
		}
		if time.Now().After(until) {
			t.Fatal("the folder is still there")
		}
	}
}
