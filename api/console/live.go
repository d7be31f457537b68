package console

import (
	"net/http"

	"github.com/turno-desk/turno/domain/access"
)

// stream is the API's push stream, for the session's viewer: the same route behind the same rules, with the session's
// token in the place of the header that a browser can't send.
func (c *Console) stream(v *visit) error {
	r := v.Request().Clone(v.ctx())
	r.URL.Path, r.URL.RawPath, r.RequestURI = "/v1/stream", "", ""
	r.Header = http.Header{"Accept": {"text/event-stream"}, "Authorization": {"Bearer " + v.session.Token}}
	if last := v.Request().Header.Get("Last-Event-ID"); last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	c.api.ServeHTTP(v.Response(), r)
	return nil
}

// present says that the operator's console is there. A page says so every 20 s; who is no operator says nothing by it.
func (c *Console) present(v *visit) error {
	if v.acts(access.BePresent) {
		if _, err := c.People.Heartbeat(v.ctx(), v.request(), v.who.Operator); err != nil {
			return err
		}
	}
	return v.NoContent(http.StatusNoContent)
}
