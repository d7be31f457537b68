package main

import (
	"os"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/cmd/turno/bench"
	"github.com/turno-desk/turno/projections"
)

// benchCmd measures against the bare engine in the same run.
type benchCmd struct {
	Append  benchAppend  `cmd:"" help:"Commands on the embedded log, against bare guarded publishes."`
	HTTP    benchHTTP    `cmd:"" name:"http" help:"Commands over HTTP to a process of its own."`
	Project benchProject `cmd:"" help:"Every projection catching up on SQLite, against bare inserts of its rows."`
	Rebuild benchRebuild `cmd:"" help:"Every view built anew beside the active one while a desk is asked, against bare inserts of its rows."`
	Load    benchLoad    `cmd:"" help:"Loading conversations out of a large log, and starting on it."`
	Threads benchThreads `cmd:"" help:"What a million threads cost: memory, disk, starting, loading."`
	Node    benchNode    `cmd:"" hidden:"" help:"One server of the cluster of bench threads."`
	Routing benchRouting `cmd:"" help:"Automatic distribution: from waiting to assigned."`
	Race    benchRace    `cmd:"" help:"Many simultaneous takes of one conversation through two engines."`
}

type (
	benchAppend  struct{ bench.Append }
	benchHTTP    struct{ bench.HTTP }
	benchProject struct{ bench.Project }
	benchRebuild struct{ bench.Rebuild }
	benchLoad    struct{ bench.Load }
	benchRace    struct{ bench.Race }
	benchThreads struct{ bench.Threads }
	benchNode    struct{ bench.Node }
	benchRouting struct{ bench.Routing }
)

func (b benchAppend) Run(p *program) error { return b.Append.Run(p.ctx, p.stdout) }

func (b benchRace) Run(p *program) error { return b.Race.Run(p.ctx, p.stdout) }

func (b benchHTTP) Run(p *program) (err error) {
	if b.Program, err = os.Executable(); err != nil {
		return err
	}
	return b.HTTP.Run(p.ctx, p.stdout)
}

func (b benchNode) Run(p *program) error { return b.Node.Run(p.ctx) }

func (b benchThreads) Run(p *program) (err error) {
	if b.Program, err = os.Executable(); err != nil {
		return err
	}
	return b.Threads.Run(p.ctx, p.stdout)
}

func (b benchLoad) Run(p *program) (err error) {
	if b.Program, err = os.Executable(); err != nil {
		return err
	}
	return b.Load.Run(p.ctx, p.stdout)
}

func (b benchProject) Run(p *program) error {
	b.Projections = everyProjection
	return b.Project.Run(p.ctx, p.stdout)
}

func (b benchRebuild) Run(p *program) (err error) {
	if b.Program, err = os.Executable(); err != nil {
		return err
	}
	b.Projections = everyProjection
	return b.Rebuild.Run(p.ctx, p.stdout)
}

func (b benchRouting) Run(p *program) error {
	b.Projections = everyProjection
	return b.Routing.Run(p.ctx, p.stdout)
}

// everyProjection makes one of each.
func everyProjection(store *jetstream.Store, d projections.Dialect) []projections.Projection {
	var all []projections.Projection
	for _, name := range projectionNames {
		made, err := newProjection(name, &reading{store: store}, d)
		if err != nil {
			continue // a name of the list always has one
		}
		all = append(all, made)
	}
	return all
}
