package http

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/metric"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/projections/stats"
)

// scope is whose numbers a viewer may see: operators their own, supervisors those of their departments (D21).
func scope(v access.Viewer) stats.Scope {
	switch {
	case !access.MayDo(v, access.ReadStats):
		return stats.Scope{Operator: v.Operator}
	case v.Role == operator.RoleSupervisor:
		return stats.Scope{Departments: v.Departments}
	}
	return stats.Scope{All: true}
}

// catalogue lists every metric with its definition.
func (s *Server) catalogue(c *call) error {
	if err := c.single(); err != nil {
		return err
	}
	return c.JSON(http.StatusOK, struct {
		Items []metric.Definition `json:"items"`
	}{metric.Catalogue()})
}

// report is the handler of a report, grouped by what its address says unless `group_by` says otherwise.
func (s *Server) report(group stats.GroupBy) func(*call) error {
	return func(c *call) error {
		r, err := c.reportRequest(group)
		if err != nil {
			return err
		}
		answer, err := s.Stats.Report(c.ctx(), s.workspace, scope(c.viewer), r)
		if err != nil {
			return err
		}
		return c.ok(answer.Position, answer)
	}
}

func (c *call) reportRequest(group stats.GroupBy) (r stats.Request, err error) {
	if r.Position, err = c.moment(); err != nil {
		return r, err
	}
	if r.From, r.To, err = c.period(); err != nil {
		return r, err
	}
	if r.Version, err = c.version(); err != nil {
		return r, err
	}
	if r.Filter, err = c.credit(); err != nil {
		return r, err
	}
	r.Metrics, r.TZ = c.list("metric"), c.QueryParam("tz")
	r.Bucket, r.GroupBy = stats.Bucket(c.QueryParam("bucket")), stats.GroupBy(c.QueryParam("group_by"))
	r.Pauses, r.Cohort, r.Actors = stats.Pauses(c.QueryParam("pauses")), stats.Cohort(c.QueryParam("cohort")), stats.Actors(c.QueryParam("actors"))
	if r.GroupBy == "" {
		r.GroupBy = group
	}
	if len(r.Metrics) == 0 {
		r.Metrics = metricNames(r)
	}
	return r, nil
}

// metricNames is every metric that the report can hold, of the version that is asked for: those of presence are an operator's as a whole.
func metricNames(r stats.Request) []string {
	whole := (r.GroupBy == stats.GroupOperator || r.GroupBy == stats.GroupNone) && r.Channel == "" && r.Detail == ""
	var names []string
	for _, d := range metric.Catalogue() {
		if !slices.Contains(names, d.Name) && (whole || !d.OfPresence()) && (r.Version == 0 || d.Version == r.Version) {
			names = append(names, d.Name)
		}
	}
	return names
}

// moment is the position that a number is asked at: `position` or, the same, `as_of`. 0 is as far as the view has come.
func (c *call) moment() (domain.Position, error) {
	at, err := c.ready(viewStats)
	if err != nil || c.QueryParam("position") == "" {
		return at, err
	}
	if at != 0 {
		return 0, invalid("position", "Give position or as_of, not both.")
	}
	p, err := parsePosition("position", c.QueryParam("position"))
	if err != nil {
		return 0, err
	}
	return p, c.s.reached(c.ctx(), viewStats, p)
}

// period is [from, to); without them the last 24 hours up to now.
func (c *call) period() (from, to time.Time, err error) {
	if from, err = c.instant("from"); err != nil {
		return from, to, err
	}
	if to, err = c.instant("to"); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		to = c.s.now().UTC().Truncate(time.Millisecond)
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if !from.Before(to) {
		return from, to, invalid("from", "from is before to.")
	}
	return from, to, nil
}

func (c *call) version() (int, error) {
	s := c.QueryParam("version")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, invalid("version", "A version is a positive integer.")
	}
	return n, nil
}

// credit reads what narrows a number.
func (c *call) credit() (stats.Filter, error) {
	f := stats.Filter{Detail: c.QueryParam("detail")}
	return f, c.ids(map[string]*string{"operator": &f.Operator, "department": &f.Department, "channel": &f.Channel})
}

// samples lists what a number was counted from.
func (s *Server) samples(c *call) error {
	r, err := c.samplesRequest()
	if err != nil {
		return err
	}
	answer, err := s.Stats.Samples(c.ctx(), s.workspace, scope(c.viewer), r)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

func (c *call) samplesRequest() (r stats.SamplesRequest, err error) {
	if r.Position, err = c.moment(); err != nil {
		return r, err
	}
	if r.From, r.To, err = c.period(); err != nil {
		return r, err
	}
	if r.Version, err = c.version(); err != nil {
		return r, err
	}
	if r.Filter, err = c.credit(); err != nil {
		return r, err
	}
	if r.Limit, err = c.limit(); err != nil {
		return r, err
	}
	r.Metric, r.Cursor = c.QueryParam("metric"), c.QueryParam("cursor")
	r.Cohort, r.Actors = stats.Cohort(c.QueryParam("cohort")), stats.Actors(c.QueryParam("actors"))
	if r.Metric == "" {
		return r, missing("metric")
	}
	return r, nil
}

// live tells how things stand now, or stood at a position.
func (s *Server) live(c *call) error {
	at, err := c.moment()
	if err != nil {
		return err
	}
	r := stats.LiveRequest{Position: at}
	if r.Department, err = c.idParam("department"); err != nil {
		return err
	}
	if at == 0 {
		r.Now = s.now().UTC().Truncate(time.Millisecond)
	}
	answer, err := s.Stats.Live(c.ctx(), s.workspace, scope(c.viewer), r)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// presence tells when an operator was there.
func (s *Server) presence(c *call) error {
	at, err := c.moment()
	if err != nil {
		return err
	}
	r := stats.PresenceRequest{Position: at, TZ: c.QueryParam("tz")}
	if r.Operator, err = c.id("id"); err != nil {
		return err
	}
	if r.From, r.To, err = c.period(); err != nil {
		return err
	}
	answer, err := s.Stats.Presence(c.ctx(), s.workspace, scope(c.viewer), r)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}
