// Package telemetry counts and times what the program does, for Prometheus. Every metric is declared once, in the catalogue:
// collectors are made from it, docs/metrics.md is printed from it, and the dashboard and the alert rules are checked
// against it. What is measured knows nothing of Prometheus: it gets a small interface or a callback.
package telemetry

// Kind is how a metric behaves.
type Kind string

// The kinds.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	Histogram Kind = "histogram"
)

// Label tells metrics of one name apart. Its values are bounded: never an id of a person or a conversation, an address or
// a name.
type Label struct {
	Name    string
	Meaning string
}

// Metric is one name that /metrics may show.
type Metric struct {
	Name    string
	Kind    Kind
	Unit    string
	Meaning string // one sentence, without a full stop at the end
	Labels  []Label
	Buckets []float64 // of a Histogram
	From    Part      // which processes show it
}

// Part is the kind of process that shows a metric.
type Part string

// The parts.
const (
	FromAll        Part = "every process"
	FromEngine     Part = "engine"
	FromDeciding   Part = "engine, worker"
	FromWorker     Part = "worker"
	FromProjector  Part = "projector"
	FromHost       Part = "host of the log"
	FromNeighbours Part = "every process on the log's machine"
)

// durations suit what takes from half a millisecond to seconds.
var durations = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}

var (
	route      = Label{"route", "the route's pattern, as `/v1/conversations/:id/take`; `none` for what is not served"}
	projection = Label{"projection", "`queue`, `history`, `stats`, `directory`, `threadstate`, `floor`"}
	stream     = Label{"stream", "`TURNO` (the log), `TURNO_VAULT` (keys and secrets)"}
)

// Catalogue is every metric of Turno's own, in the order of the page.
func Catalogue() []Metric {
	return []Metric{
		{Name: "turno_build_info", Kind: Gauge, Meaning: "Always 1", From: FromAll,
			Labels: []Label{{"version", "of the program"}, {"go", "version of Go that it was built with"}}},

		{Name: "turno_http_requests_total", Kind: Counter, Unit: "requests", Meaning: "Requests that were answered", From: FromEngine,
			Labels: []Label{{"method", "`GET`, `POST` …; `other` for what HTTP does not know"}, route, {"status", "of the answer"}}},
		{Name: "turno_http_request_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durations, From: FromEngine,
			Meaning: "Time to answer; feeds and push streams, which last, are left out",
			Labels:  []Label{{"method", "as above"}, route}},
		{Name: "turno_http_problems_total", Kind: Counter, Unit: "answers", Meaning: "Answers that were problems", From: FromEngine,
			Labels: []Label{route, {"code", "of the problem, as `taken_by_another` or `log_full`"}}},
		{Name: "turno_push_streams", Kind: Gauge, Unit: "connections", Meaning: "Push streams that are open", From: FromEngine},

		{Name: "turno_commands_total", Kind: Counter, Unit: "commands", Meaning: "Commands that were handled", From: FromEngine,
			Labels: []Label{{"command", "as `receive`, `take`, `close`, `put_operator`"},
				{"outcome", "`ok`, `unchanged` (nothing to do), `replayed` (done before, by its key) or the code of the refusal"}}},
		{Name: "turno_command_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durations, From: FromEngine,
			Meaning: "Time from a decoded command to its acknowledged append, of those that appended",
			Labels:  []Label{{"command", "as above"}}},

		{Name: "turno_log_appends_total", Kind: Counter, Unit: "attempts", From: FromDeciding,
			Meaning: "Attempts to append a commit; a command that meets a conflict decides again and makes another attempt",
			Labels:  []Label{{"result", "`ok`, `conflict`, `full` (the disk), `uncertain` (no answer came), `unavailable`, `failed`"}}},
		{Name: "turno_log_append_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durations, From: FromDeciding,
			Meaning: "Time of an attempt to append, to its acknowledgement"},
		{Name: "turno_log_load_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durations, From: FromDeciding,
			Meaning: "Time to load an aggregate's commits, or to learn that there are no newer ones"},
		{Name: "turno_log_group_commit_size", Kind: Histogram, Unit: "commits", Buckets: []float64{1, 2, 5, 10, 20, 50, 100, 200, 500}, From: FromHost,
			Meaning: "Commits that were flushed to disk together, where the host groups them (`--sync always`, one replica)"},
		{Name: "turno_log_head_position", Kind: Gauge, Unit: "position", Meaning: "Newest position of the log", From: FromAll},
		{Name: "turno_stream_bytes", Kind: Gauge, Unit: "bytes", Meaning: "Size of a stream in NATS, on one replica", From: FromEngine, Labels: []Label{stream}},
		{Name: "turno_stream_messages", Kind: Gauge, Unit: "messages", Meaning: "Messages of a stream", From: FromEngine, Labels: []Label{stream}},
		{Name: "turno_stream_subjects", Kind: Gauge, Unit: "subjects", From: FromEngine, Labels: []Label{stream},
			Meaning: "Subjects of a stream: aggregates of the log, keys of the vault. The servers keep an index of them in memory"},
		{Name: "turno_disk_free_bytes", Kind: Gauge, Unit: "bytes", Meaning: "Free space on the log's volume", From: FromNeighbours},
		{Name: "turno_disk_reserve_bytes", Kind: Gauge, Unit: "bytes", From: FromNeighbours,
			Meaning: "Free space below which commands are refused with `log_full`"},
		{Name: "turno_nats_connected", Kind: Gauge, Unit: "0 or 1", Meaning: "Whether the process is connected to NATS now", From: FromAll},
		{Name: "turno_nats_reconnects_total", Kind: Counter, Unit: "connections", Meaning: "Times the connection to NATS was lost and made again", From: FromAll},

		{Name: "turno_settings_position", Kind: Gauge, Unit: "position", Meaning: "Position of the settings that commands are decided with", From: FromEngine},
		{Name: "turno_settings_age_seconds", Kind: Gauge, Unit: "seconds", From: FromEngine,
			Meaning: "Time since the settings were last known to be all that the log holds; past 1 s commands are refused with 503"},

		{Name: "turno_vault_operations_total", Kind: Counter, Unit: "operations", Meaning: "Trips to the vault; keys in memory need none", From: FromAll,
			Labels: []Label{{"operation", "`add` (fresh keys, in batches), `read`, `replace`, `erase`"}, {"result", "`ok`, `failed`"}}},
		{Name: "turno_vault_operation_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durations, From: FromAll,
			Meaning: "Time of a trip to the vault", Labels: []Label{{"operation", "as above"}}},

		{Name: "turno_projection_position", Kind: Gauge, Unit: "position", From: FromAll, Labels: []Label{projection},
			Meaning: "Position that the active view has come to, as of its last heartbeat"},
		{Name: "turno_projection_lag_events", Kind: Gauge, Unit: "commits", Meaning: "Commits of the log that the view lacks", From: FromAll, Labels: []Label{projection}},
		{Name: "turno_projection_lag_seconds", Kind: Gauge, Unit: "seconds", From: FromAll, Labels: []Label{projection},
			Meaning: "Age of the oldest commit that the view lacks"},
		{Name: "turno_projection_heartbeat_age_seconds", Kind: Gauge, Unit: "seconds", From: FromAll, Labels: []Label{projection},
			Meaning: "Time since a projector of the view last said how it stands: where it grows, none is alive"},
		{Name: "turno_projection_parked", Kind: Gauge, Unit: "aggregates", From: FromAll, Labels: []Label{projection},
			Meaning: "Aggregates that the view could not digest, and lacks"},
		{Name: "turno_projection_version", Kind: Gauge, Unit: "version", Meaning: "Version of the view that queries read", From: FromAll, Labels: []Label{projection}},
		{Name: "turno_projection_writing", Kind: Gauge, Unit: "0 or 1", From: FromProjector, Labels: []Label{projection},
			Meaning: "Whether this process writes the view; 0 where it stands by for another one"},
		{Name: "turno_projection_commits_total", Kind: Counter, Unit: "commits", Meaning: "Commits that this process wrote into the view", From: FromProjector, Labels: []Label{projection}},
		{Name: "turno_projection_batch_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: durations, From: FromProjector, Labels: []Label{projection},
			Meaning: "Time to write a batch of commits, in one transaction"},

		{Name: "turno_worker_leading", Kind: Gauge, Unit: "0 or 1", From: FromWorker, Meaning: "Whether this process acts; 0 where it stands by for another worker"},
		{Name: "turno_effect_commands_total", Kind: Counter, Unit: "commands", From: FromWorker, Meaning: "Commands that effects gave",
			Labels: []Label{{"effect", "its name"}, {"outcome", "`ok`, `unchanged`, `refused`, `failed` (and tried again)"}}},

		{Name: "turno_webhook_attempts_total", Kind: Counter, Unit: "attempts", From: FromWorker, Meaning: "Attempts to deliver an event to a subscription's receiver",
			Labels: []Label{{"outcome", "`delivered`, `retried` (will be tried again), `failed` (for the last time)"}}},
		{Name: "turno_webhook_attempt_duration_seconds", Kind: Histogram, Unit: "seconds", Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15},
			From: FromWorker, Meaning: "Time of such an attempt"},
		{Name: "turno_webhook_pending", Kind: Gauge, Unit: "deliveries", From: FromWorker,
			Meaning: "Deliveries that are still to be made, to subscriptions that are enabled; 0 where another worker makes them"},
		{Name: "turno_webhook_oldest_pending_seconds", Kind: Gauge, Unit: "seconds", From: FromWorker, Meaning: "For how long the oldest of them has been pending"},
	}
}
