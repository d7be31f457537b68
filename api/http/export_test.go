package http

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/stats"

	"github.com/turno-desk/turno/api/command"
)

// Route is what the tests need to know of a route.
type Route struct {
	Method, Path string
	Right        string
	Params       []string
}

// Routes lists the table, and the routes that are outside it.
func Routes() []Route {
	s := &Server{Parts: Parts{Commands: &command.Settings{}, Contacts: &command.Contacts{}, Directory: &directory.Queries{},
		Queue: &queue.Queries{}, History: &history.Queries{}, Stats: &stats.Queries{}}}
	list := []Route{{Method: "GET", Path: "/healthz"}, {Method: "GET", Path: "/readyz"}, {Method: "GET", Path: "/metrics"}}
	for _, r := range s.routes() {
		list = append(list, Route{r.method, r.path, string(r.right), r.params})
	}
	return list
}

// Decoders are those of every command's body, by name.
func Decoders() map[string]func([]byte) (any, error) {
	all := map[string]func([]byte) (any, error){
		"receive": into(func(b inboundBody) (any, error) { return b.inbound("web") }),
		"open":    into(func(b outboundBody) (any, error) { return complete(b.Content) }),
		"bulk": into(func(b bulkBody) (any, error) {
			return b.decode(&call{who: command.Principal{Role: operator.RoleAdmin}})
		}),
		"operator":      into(same1[operatorBody]),
		"availability":  into(same1[availabilityBody]),
		"presence":      into(same1[presenceBody]),
		"department":    into(same1[departmentBody]),
		"channel":       into(same1[channelBody]),
		"token":         into(same1[tokenBody]),
		"service token": into(same1[serviceTokenBody]),
		"profile":       into(same1[profileBody]),
		"annotation":    into(same1[annotationBody]),
		"block":         into(same1[blockBody]),
		"workflow":      into(same1[workflowBody]),
		"dry run":       into(same1[dryRunBody]),
		"nothing":       into(same1[struct{}]),
	}
	for _, a := range actions() {
		all[a.name] = func(data []byte) (any, error) { return a.decode(data) }
	}
	return all
}

func into[B any](then func(B) (any, error)) func([]byte) (any, error) {
	return func(data []byte) (any, error) {
		var b B
		if err := decode(data, &b); err != nil {
			return nil, err
		}
		return then(b)
	}
}

func same1[B any](b B) (any, error) { return b, nil }

// StatusOf is the status that an error is answered with.
func StatusOf(err error) int {
	p, _ := problem(err)
	return p.Status
}

// RehearseAtMost sets how many commits a dry run reads.
func (s *Server) RehearseAtMost(commits int) { s.rehearsing.commits = commits }

// Rehearsing keeps dry runs away until it is called again.
func (s *Server) Rehearsing() (done func()) {
	s.rehearsing.Lock()
	return s.rehearsing.Unlock
}

// Calls reports whether a commit of the workspace default calls anybody to look.
func Calls(c *domain.Commit) bool {
	g := glanceAt("default", c)
	return g.inbound || g.listed || g.given != "" || len(g.offered) > 0 || len(g.alerts) > 0
}
