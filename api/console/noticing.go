package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
)

// offer is an offer that stands.
type offer struct {
	Mine  bool      // the visitor is asked
	By    string    // whose transfer it is; empty: the department's own rule, or not looked up (in a row)
	To    string    // who else is asked, by name
	Until time.Time // then the next are asked
}

func (v *visit) offered(q *queue.Row, img *setting.Image) *offer {
	if q.Offered == nil || len(q.Offered.Operators) == 0 {
		return nil
	}
	o := &offer{Mine: q.Offered.To(v.who.Operator), Until: q.Offered.Until.Time}
	if !o.Mine {
		o.To = operatorNames(img, q.Offered.Operators)
	}
	return o
}

// offeredBy is whose transfer the newest offer is; empty when a rule made it.
func (v *visit) offeredBy(events []history.Entry, img *setting.Image) (string, error) {
	for i := len(events) - 1; i >= 0; i-- {
		if events[i].Type != "offered" {
			continue
		}
		o, err := read[thread.Offered](&events[i])
		if err != nil || o.Cause != thread.OfferedByTransfer {
			return "", err
		}
		return v.actor(events[i].Actor, img), nil
	}
	return "", nil
}

// asked are the conversations that are offered to the visitor, in whatever list. Where no department of theirs makes offers
// there are none.
func (v *visit) asked(at place, img *setting.Image) ([]row, error) {
	if !v.acts(access.Converse) || !v.mayBeAsked(img) {
		return nil, nil
	}
	page, err := v.c.Queue.List(v.ctx(), v.c.workspace, v.viewer, queue.Filter{
		States: []string{thread.StateWaiting, thread.StateOutOfHours}, OfferedTo: v.who.Operator, Limit: mostAsked,
	})
	if err != nil {
		return nil, err
	}
	var rows []row
	for i := range page.Items {
		q := &page.Items[i]
		r := v.row(q, at, img)
		if img.Departments[q.Department].Settings.TransferAccept {
			past, err := v.c.History.Timeline(v.ctx(), v.c.workspace, v.viewer, q.ID, 0)
			if err == nil {
				r.Offer.By, err = v.offeredBy(past.Entries, img)
			}
			if err != nil && !errors.Is(err, history.ErrNotFound) { // the other view may not have come as far
				return nil, err
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// mostAsked is how many offers are shown at once, those first that have waited longest.
const mostAsked = 10

func (v *visit) mayBeAsked(img *setting.Image) bool {
	offers := func(s department.Settings) bool { return s.OfferTo > 0 || s.TransferAccept }
	for _, d := range v.viewer.Departments {
		if offers(img.Departments[d].Settings) {
			return true
		}
	}
	return false
}

// alert is one that stands and that the visitor is meant by.
type alert struct {
	Cause string
	At    time.Time
}

func (v *visit) alerts(q *queue.Row) []alert {
	var meant []alert
	for _, a := range q.Alerts {
		mine := a.Operator != "" && a.Operator == v.who.Operator
		ours := a.Role != "" && a.Role == string(v.who.Role) && v.viewer.Member(q.Department)
		if mine || ours {
			meant = append(meant, alert{a.Cause, a.At.Time})
		}
	}
	return meant
}

// notice is what somebody should see at once, wherever they are on the page.
type notice struct {
	Kind string
	row
}

// noticeKinds are those of the push stream, the most pressing first.
func noticeKinds() []string { return []string{"offered", "alerted", "assigned", "message"} }

// mostNotices is how many conversations one answer tells of.
const mostNotices = 20

// notices shows the conversations that pushes told the page to notice, as they are by now: /console/notices?message=ID,ID.
// Each is shown once, for the most pressing of the kinds it is named under that still stands; one of which none does, or that
// the visitor may not see, is passed by.
func (c *Console) notices(v *visit) error {
	img, err := c.Settings.Snapshot(v.ctx())
	if err != nil {
		return err
	}
	named := map[string][]string{} // kinds by conversation
	var ids []string
	for _, kind := range noticeKinds() {
		for _, id := range strings.Split(v.QueryParam(kind), ",") {
			if named[id] == nil && (id == "" || len(ids) == mostNotices) {
				continue
			}
			if named[id] == nil {
				ids = append(ids, id)
			}
			named[id] = append(named[id], kind)
		}
	}
	rows, _, err := c.Queue.RowsAt(v.ctx(), c.workspace, v.viewer, ids, 0)
	if err != nil {
		return err
	}
	var all []notice
	for _, id := range ids {
		q, ok := rows[id]
		if !ok {
			continue
		}
		r := v.row(&q, place{list: q.State}, img)
		stands := func(kind string) bool { return v.stands(kind, &q, r) }
		if i := slices.IndexFunc(named[id], stands); i >= 0 {
			all = append(all, notice{named[id][i], r})
		}
	}
	return v.render(http.StatusOK, noticesPart(v.frame(), all))
}

// stands is false when what was to be noticed is over by now. A message is while the conversation waits for everybody or for
// the visitor, or is theirs and nobody has answered it; what Turno sends by itself answers nothing.
func (v *visit) stands(kind string, q *queue.Row, r row) bool {
	switch kind {
	case "offered":
		return r.Offer != nil && r.Offer.Mine
	case "alerted":
		return len(r.Alerts) > 0
	case "message":
		switch q.State {
		case thread.StateWaiting, thread.StateOutOfHours:
			return r.Offer == nil || r.Offer.Mine
		case thread.StateAttending, thread.StatePaused:
			return q.Operator == v.who.Operator && q.WaitingSince != nil
		}
		return false
	}
	return true
}
