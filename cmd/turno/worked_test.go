package main

import (
	"math"
	"testing"

	"github.com/turno-desk/turno/adapters/pgstore/pgtest"
)

// TestTheWorkedConversationGivesEveryNumberOfItsDefinition imports the conversation that the metrics are defined by and asks
// the API for every number that is written there.
func TestTheWorkedConversationGivesEveryNumberOfItsDefinition(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { workedNumbers(t) })
	t.Run("PostgreSQL", func(t *testing.T) { workedNumbers(t, "--views", pgtest.Database(t)) })
}

func workedNumbers(t *testing.T, views ...string) {
	t.Helper()
	dir := imported(t)
	s := serveOn(t, dir, views...)
	s.get("/v1/stats/operators?from=2026-03-02T00:00:00Z&to=2026-03-03T00:00:00Z&metric=taken&after=" +
		positionOf(t, dir, "turno.conversation.rated.v2"))
	const total, nobody = "total", ""
	for _, c := range []struct {
		by, metric, group string
		number            []any
		want              float64
	}{
		{"departments", "wait", total, []any{"sum_s"}, 600},
		{"departments", "wait", "soporte", []any{"sum_s"}, 240},
		{"departments", "wait", "ventas", []any{"sum_s"}, 360},
		{"operators", "handle", "ana", []any{"sum_s"}, 780},
		{"operators", "handle", "beto", []any{"sum_s"}, 1140},
		{"departments", "handle_conversation", total, []any{"sum_s"}, 1920},
		{"operators", "paused", total, []any{"sum_s"}, 1080},
		{"operators", "resolution", total, []any{"sum_s"}, 3600},
		{"operators", "resolution", total, []any{"without_pauses", "sum_s"}, 2520},
		{"operators", "first_response", total, []any{"mean_s"}, 300},
		{"operators", "first_response_from_take", "ana", []any{"mean_s"}, 60},
		{"operators", "first_response_from_take", "beto", []any{"mean_s"}, 120},
		{"operators", "first_response_from_take", total, []any{"mean_s"}, 90},
		{"operators", "reply_time", total, []any{"n"}, 3},
		{"operators", "reply_time", total, []any{"mean_s"}, 540},
		{"operators", "reply_time", total, []any{"max_s"}, 1200},
		{"operators", "reply_time", "beto", []any{"n"}, 1}, // the message at 09:43 is no reply sample
		{"operators", "reply_time", "beto", []any{"mean_s"}, 120},
		{"operators", "reply_time", total, []any{"without_pauses", "mean_s"}, 180},
		{"operators", "reply_time", total, []any{"without_pauses", "max_s"}, 300},
		{"operators", "customer_waiting", total, []any{"sum_s"}, 1620},
		{"operators", "customer_waiting", total, []any{"without_pauses", "sum_s"}, 540},
		{"operators", "transfers_out", "ana", []any{"n"}, 1},
		{"departments", "transfers_out", "soporte", []any{"n"}, 1},
		{"departments", "transfers_in", "ventas", []any{"n"}, 1},
		{"operators", "transfers_in", nobody, []any{"n"}, 1}, // nobody was named
		{"operators", "taken", "beto", []any{"n"}, 1},
		{"operators", "messages_in", total, []any{"n"}, 4},
		{"operators", "messages_out", total, []any{"n"}, 4},
		{"operators", "messages_out", "ana", []any{"n"}, 2},
		{"operators", "messages_out", "beto", []any{"n"}, 2},
		{"operators", "messages_out&actors=machine", total, []any{"n"}, 1},
		{"operators", "surveys", "beto", []any{"n"}, 1},
		{"operators", "response_rate", "beto", []any{"mean"}, 1},
		{"operators", "closed", "beto", []any{"n"}, 1},
		{"operators", "closed", total, []any{"n"}, 1},
		{"operators", "satisfaction", "beto", []any{"mean"}, 4},
		{"operators", "occupancy", "ana", []any{"mean"}, 0.217},
		{"operators", "occupancy", "beto", []any{"mean"}, 0.317},
	} {
		report := s.get("/v1/stats/" + c.by + "?from=2026-03-02T09:00:00Z&to=2026-03-02T11:00:00Z&metric=" + c.metric)
		cell := object(nil)
		if c.group == total {
			cell, _ = asObject(report.at("metrics", 0, "total"))
		}
		for _, g := range report.list("metrics", 0, "groups") {
			if group, ok := asObject(g); ok && c.group != total && group.text("key") == c.group {
				cell, _ = asObject(group.at("total"))
			}
		}
		got, ok := cell.at(c.number...).(float64)
		if !ok || math.Abs(got-c.want) > 0.0005 {
			t.Errorf("%s by %s, %q, %v: %v, want %v", c.metric, c.by, c.group, c.number, cell.at(c.number...), c.want)
		}
	}
}

func asObject(v any) (object, bool) {
	m, ok := v.(map[string]any)
	return m, ok
}
