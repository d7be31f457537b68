package http

import (
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
	"github.com/turno-desk/turno/projections/stats"

	"github.com/turno-desk/turno/api/command"
)

// Route is what the tests need to know of a route.
type Route struct {
	Method, Path string
	Params       []string
}

// Routes lists the table, and the routes that are outside it.
func Routes() []Route {
	s := &Server{Parts: Parts{Commands: &command.Settings{}, Contacts: &command.Contacts{}, Directory: &directory.Queries{},
		Queue: &queue.Queries{}, History: &history.Queries{}, Stats: &stats.Queries{}}}
	list := []Route{{"GET", "/healthz", nil}, {"GET", "/readyz", nil}, {"GET", "/metrics", nil}}
	for _, r := range s.routes() {
		list = append(list, Route{r.method, r.path, r.params})
	}
	return list
}
