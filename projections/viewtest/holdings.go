package viewtest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/turno-desk/turno/projections"
)

// Holdings is all that a view holds, for looking for what should not be there: every byte of the files of the folder's views
// on SQLite; every row of every table, those of full-text indexes among them, on PostgreSQL.
func Holdings(s Store, dir, projection string) ([]byte, error) {
	if s.Dialect() == projections.PostgreSQL {
		return rowsAsText(s.Reader(projection))
	}
	var all []byte
	err := filepath.WalkDir(filepath.Join(dir, "views"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, "-shm") {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) { // a log that was written back
			return nil
		}
		all = append(all, data...)
		return err
	})
	return all, err
}

func rowsAsText(db *sql.DB) ([]byte, error) {
	tx, err := db.BeginTx(context.Background(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // reading only
	var all bytes.Buffer
	each := func(query string, fn func(string) error) error {
		rows, err := tx.Query(query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			if err := fn(s); err != nil {
				return err
			}
		}
		return rows.Err()
	}
	err = each(`SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'`, func(table string) error {
		return each(`SELECT CAST(t AS TEXT) FROM "`+table+`" t`, func(row string) error {
			all.WriteString(row + "\n")
			return nil
		})
	})
	return all.Bytes(), err
}
