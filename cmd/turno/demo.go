package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/turno-desk/turno/cmd/turno/demo"
	"github.com/turno-desk/turno/cmd/turno/year"
)

type demoCmd struct {
	URL           string        `name:"url" default:"http://127.0.0.1:8080" help:"The API of a running engine (${default})."`
	Token         string        `env:"TURNO_ADMIN_TOKEN" help:"An administrator's token; TURNO_ADMIN_TOKEN by default."`
	Rate          float64       `default:"0" help:"Commands a second; 0 is as fast as the API answers (20 without --dialogues)."`
	Parallel      int           `default:"0" help:"Customers at once (64 with --dialogues, else 8)."`
	Conversations int64         `default:"0" help:"Stop after so many conversations; 0 goes on until stopped. Not with --dialogues. Of --generate: how many, 500000 when 0."`
	For           time.Duration `help:"Stop so long after the desk is set up."`
	Dialogues     string        `placeholder:"FILE" help:"Replay a file of STAR dialogues, .jsonl or .jsonl.gz, instead of the built-in script."`

	Generate    bool      `help:"Write a made-up history to standard output, as lines of turno import, instead of speaking to an engine."`
	Operators   int       `default:"200" help:"Of --generate: operators."`
	Days        int       `default:"365" help:"Of --generate: days."`
	Departments int       `default:"8" help:"Of --generate: departments, up to 8."`
	Seed        uint64    `default:"1" help:"Of --generate: the same seed gives the same bytes."`
	From        time.Time `format:"2006-01-02" default:"2025-01-01" help:"Of --generate: the first day."`
}

// generate writes a made-up history, and what is in it to standard error.
func (cmd demoCmd) generate(p *program) error {
	written, err := year.Generate(p.stdout, year.Options{
		Operators: cmd.Operators, Conversations: int(cmd.Conversations), Days: cmd.Days, Departments: cmd.Departments, Seed: cmd.Seed, From: cmd.From,
	})
	if err != nil {
		return fmt.Errorf("generate a history: %w", err)
	}
	fmt.Fprintln(p.stderr, written)
	return nil
}

func (cmd demoCmd) Run(p *program) error {
	if cmd.Generate {
		return cmd.generate(p)
	}
	if cmd.Token == "" {
		return errors.New("a token is needed: --token, or TURNO_ADMIN_TOKEN as given to `turno serve` or printed by its first start")
	}
	ctx := p.ctx
	o := demo.Options{Rate: cmd.Rate, Parallel: cmd.Parallel, For: cmd.For, Progress: func(s string) { fmt.Fprintln(p.stderr, s) }}
	if o.Parallel == 0 {
		o.Parallel = 8
		if cmd.Dialogues != "" {
			o.Parallel = 64
		}
	}
	var (
		report demo.Report
		err    error
		began  = time.Now()
		client = demo.NewClient(cmd.URL, cmd.Token, o.Parallel)
	)
	if cmd.Dialogues != "" {
		err = demo.Dialogues(ctx, client, cmd.Dialogues, o, &report)
	} else {
		if o.Rate == 0 {
			o.Rate = 20
		}
		err = demo.Script(ctx, client, cmd.Conversations, o, &report)
	}
	took := time.Since(began)
	if err != nil && report.Dialogues.Load() == 0 { // it never began
		return stopped(ctx, err)
	}
	fmt.Fprintf(p.stdout, "%s\n%d calls in %s, %.0f a second; %d said again\n",
		&report, client.Calls.Load(), took.Round(time.Millisecond), float64(client.Calls.Load())/took.Seconds(), client.Retries.Load())
	if errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return nil
	}
	return err
}
