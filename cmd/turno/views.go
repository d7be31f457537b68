package main

import (
	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/pgstore"
	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/projections"
)

// viewFlags say where the views are.
type viewFlags struct {
	Views string `placeholder:"URL" help:"A PostgreSQL database that keeps the views, as postgres://USER@HOST/DATABASE, instead of files in the data folder. The password: in the URL, PGPASSWORD or ~/.pgpass."`
}

// views are the views, whatever keeps them.
type views interface {
	projections.Store
	Dialect() projections.Dialect
	Close() error
}

// openViews opens the views of the data folder dir, or those in PostgreSQL, for whose server it waits.
func (f viewFlags) openViews(p *program, dir string) (views, error) {
	if f.Views == "" {
		s, err := sqlstore.Open(dir, sqlstore.Options{})
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := pgstore.Open(f.Views, pgstore.Options{})
	if err != nil {
		return nil, err
	}
	p.log.Info("the views are in PostgreSQL", zap.Stringer("database", s))
	err = insist(p.ctx, p.log, "reaching the views", func() error {
		_, _, err := s.Active(p.ctx, queueView)
		return err
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}
