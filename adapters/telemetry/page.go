package telemetry

import (
	"fmt"
	"strings"
)

const intro = `# Metrics

Generated from the catalogue in ` + "`adapters/telemetry`" + ` by ` + "`make docs`" + `; a test compares. Every process shows its own at ` + "`/metrics`" + `: of its
` + "`--http`" + ` address where it has one, and of its ` + "`--status`" + ` address. Besides these there are the Go runtime's (` + "`go_…`" + `) and the process's own
(` + "`process_…`" + `). [Monitoring](operations/monitoring.md) says which of them to watch, and has alert rules and a dashboard.

Labels take few values: routes, codes, names of commands and views. None names a person, an address or a conversation.
`

// Page is docs/metrics.md.
func Page() string {
	var b strings.Builder
	b.WriteString(intro)
	for _, part := range []struct {
		from  Part
		title string
	}{
		{FromAll, "In every process"},
		{FromEngine, "In an engine (`turno engine`, `turno serve`)"},
		{FromDeciding, "In an engine and in a worker"},
		{FromWorker, "In a worker (`turno worker`, `turno serve`)"},
		{FromProjector, "In a projector (`turno projector`, `turno serve`)"},
		{FromHost, "In the process that hosts the log (`turno serve`)"},
		{FromNeighbours, "In every process on the log's machine (without `--nats`)"},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n| metric | type | unit | meaning | labels |\n| --- | --- | --- | --- | --- |\n", part.title)
		for _, m := range Catalogue() {
			if m.From != part.from {
				continue
			}
			labels := make([]string, len(m.Labels))
			for i, l := range m.Labels {
				labels[i] = "`" + l.Name + "`: " + l.Meaning
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Kind, m.Unit, m.Meaning, strings.Join(labels, "; "))
		}
	}
	return b.String()
}
