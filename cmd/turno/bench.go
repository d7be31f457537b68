package main

import (
	"github.com/turno-desk/turno/cmd/turno/bench"
)

type benchCmd struct {
	Append benchAppend `cmd:"" help:"Commands on the embedded log, against bare guarded publishes."`
}

type benchAppend struct{ bench.Append }

func (b benchAppend) Run(p *program) error { return b.Append.Run(p.ctx, p.stdout) }
