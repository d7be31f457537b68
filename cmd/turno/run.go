package main

import (
	"context"
	"io"
	"strings"

	"github.com/alecthomas/kong"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/telemetry"
)

// program is what every subcommand gets of the world: none reaches for the process's environment, signals or output by
// itself, so that a test runs the whole of it.
type program struct {
	ctx    context.Context // ends on SIGINT and SIGTERM
	getenv func(string) string
	stdout io.Writer // results
	stderr io.Writer // logs and progress
	log    *zap.Logger
	meters *telemetry.Meters
}

// cli is the command line. Every flag can also be given as an environment variable: --nats-listen is TURNO_NATS_LISTEN.
type cli struct {
	LogFormat string `enum:"auto,json,console" default:"auto" help:"How logs are written: auto is console on a terminal, JSON elsewhere."`
	LogLevel  string `enum:"debug,info,warn,error" default:"info" help:"The least level that is written."`

	Serve       serveCmd       `cmd:"" help:"Run the engine: the log, the HTTP API, the projectors and the effects in one process, or the parts that are named."`
	Engine      engineCmd      `cmd:"" help:"Run the HTTP API alone, on a log that is hosted elsewhere."`
	Projector   projectorCmd   `cmd:"" help:"Run one projector alone, on a log that is hosted elsewhere."`
	Worker      workerCmd      `cmd:"" help:"Run the effects alone, on a log that is hosted elsewhere; one worker of a workspace leads, the others stand by."`
	Projections projectionsCmd `cmd:"" help:"List views and their versions, rebuild them, go back, park and release."`
	Routing     routingCmd     `cmd:"" help:"Look into automatic assignments, and ask what would have been."`
	Workflows   workflowsCmd   `cmd:"" help:"Try workflows on what has happened."`
	Replay      replayCmd      `cmd:"" help:"Write the events of the log, in order."`
	Timeline    timelineCmd    `cmd:"" help:"Tell what happened to one ticket."`
	Import      importCmd      `cmd:"" help:"Bring in a history from elsewhere, one command a line."`
	Settings    settingsCmd    `cmd:"" help:"A desk's configuration as a file: export it, apply it."`
	Backup      backupCmd      `cmd:"" help:"Copy log and vault into files, of a running deployment or of a folder, and verify such files."`
	Restore     restoreCmd     `cmd:"" help:"Put a backup back into a folder without a log, or onto an empty cluster."`
	Move        moveCmd        `cmd:"" help:"Move log and vault of a folder onto an empty cluster."`
	Key         keyCmd         `cmd:"" help:"Make a key to encrypt the log's files with."`
	Demo        demoCmd        `cmd:"" help:"Put a service desk to work through the API: a built-in script, or real dialogues."`
	Bench       benchCmd       `cmd:"" help:"Measure against the bare engine, in the same run."`
	Health      healthCmd      `cmd:"" help:"Ask a running process whether it is well: the health check of a container."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

const description = `Turno is an event-sourced conversation engine for customer service.

Every flag can be set by an environment variable too: --nats-listen is TURNO_NATS_LISTEN.`

// run is the program. It returns when the subcommand is done or ctx ended, and writes to stdout and stderr alone.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	var c cli
	parsed, err := parse(&c, args, getenv, stdout, stderr)
	if err != nil || parsed == nil {
		return err
	}
	log, err := newLogger(stderr, c.LogFormat, c.LogLevel)
	if err != nil {
		return err
	}
	defer log.Sync() //nolint:errcheck // a terminal can't be synced
	return parsed.Run(&program{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr, log: log, meters: telemetry.New(version())})
}

// parse reads a command line into c. It returns nil and no error when it has answered --help.
func parse(c *cli, args []string, getenv func(string) string, stdout, stderr io.Writer) (*kong.Context, error) {
	helped := false
	parser, err := kong.New(c,
		kong.Name("turno"),
		kong.Description(description),
		kong.UsageOnError(),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }),
		kong.Resolvers(environment(getenv)),
	)
	if err != nil {
		return nil, err
	}
	parsed, err := parser.Parse(args)
	if helped {
		return nil, nil
	}
	return parsed, err
}

// environment answers a flag that the command line left out from the environment.
func environment(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		name := "TURNO_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
		if v := getenv(name); v != "" {
			return v, nil
		}
		return nil, nil
	})
}
