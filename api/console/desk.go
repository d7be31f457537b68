package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
)

// place is where somebody is: which list is shown, and which conversation is open beside it.
type place struct {
	list   string // a state
	open   string // id of a conversation; empty: none
	cursor string // of the list's part; empty: its beginning
	whole  bool   // all of a long conversation
	told   string // what just became of the conversation that was open: gone, transferred
}

// lists are the states that have one here, in the order of the rail.
func lists() []string {
	return []string{thread.StateWaiting, thread.StateAttending, thread.StatePaused, thread.StateOutOfHours, thread.StateBot}
}

// place reads where the request is, from its address, or from the form that was on the page.
func (v *visit) place() place {
	p := place{list: v.FormValue("list"), open: v.Param("id"), cursor: v.FormValue("cursor"), whole: v.FormValue("whole") != "", told: v.FormValue("told")}
	if !slices.Contains(lists(), p.list) {
		p.list = thread.StateWaiting
	}
	return p
}

// link is the place's address.
func (p place) link() string {
	path, q := root, url.Values{}
	if p.open != "" {
		path += "/c/" + url.PathEscape(p.open)
	}
	q.Set("list", p.list)
	for name, value := range map[string]string{"cursor": p.cursor, "told": p.told} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if p.whole {
		q.Set("whole", "1")
	}
	return path + "?" + q.Encode()
}

func (p place) at(list string) place   { return place{list: list, open: p.open} }
func (p place) opened(id string) place { return place{list: p.list, open: id, cursor: p.cursor} }
func (p place) shut() place            { return place{list: p.list, cursor: p.cursor} }
func (p place) turned(c string) place  { return place{list: p.list, open: p.open, cursor: c} }
func (p place) inWhole() place         { p.whole = true; return p }

// screen is the page for who works, or looks, at the desk: the frame and its three parts. A part that was not asked for is
// nil.
type screen struct {
	frame
	Place    place
	Position domain.Position // that it shows: pushes after it matter
	Now      time.Time       // by which the page counts, whatever the clock of its reader
	Waiting  int
	Rail     *rail
	List     *list
	Pane     *pane // nil also when no conversation is open
	PaneToo  bool
	Refusal  string // beside no conversation: it is out of sight by now
}

// desk shows the page, or those parts of it that a script asks for.
func (c *Console) desk(v *visit) error {
	if after := v.Request().Header.Get("Turno-Position"); after != "" {
		p, err := strconv.ParseUint(after, 10, 64)
		if err != nil {
			return &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"Turno-Position"}}
		}
		v.reached(viewQueue, domain.Position(p))
		v.reached(viewHistory, domain.Position(p))
	}
	return c.show(v, v.place(), http.StatusOK, nil)
}

// show writes the page of a place, with the refusal of what was just tried.
func (c *Console) show(v *visit, at place, status int, refusal *domain.Refusal) error {
	img, err := c.Settings.Snapshot(v.ctx())
	if err != nil {
		return err
	}
	if v.who.Operator == "" && v.who.Role == operator.RoleAdmin && !furnished(img) && at.open == "" && len(v.parts()) == 0 {
		return v.Redirect(http.StatusSeeOther, root+"/first-steps")
	}
	s := screen{frame: v.frame(), Place: at, Now: c.now()}
	s.Who = v.person(img)
	if err := v.fill(&s, img, refusal); err != nil {
		return err
	}
	if len(v.parts()) > 0 {
		return v.render(status, deskParts(s))
	}
	return v.render(status, deskPage(s))
}

// fill puts the parts together that are wanted.
func (v *visit) fill(s *screen, img *setting.Image, refusal *domain.Refusal) error {
	if refusal != nil {
		s.Refusal = v.sentence(refusal, img)
	}
	counts, err := v.c.Queue.Queues(v.ctx(), v.c.workspace, v.viewer, 0)
	if err != nil {
		return err
	}
	s.Position = counts.Position
	s.Rail = railOf(counts, s.Place, img)
	s.Waiting = s.Rail.count(thread.StateWaiting) + s.Rail.count(thread.StateOutOfHours)
	if v.wants("list") {
		if s.List, err = v.list(s.Place, img); err != nil {
			return err
		}
	}
	if !v.wants("pane") {
		return nil
	}
	s.PaneToo = true
	if s.Place.open == "" {
		return nil
	}
	v.reached(viewHistory, s.Position)
	s.Pane, err = v.pane(s.Place, img)
	switch {
	case errors.Is(err, history.ErrNotFound) && refusal != nil, errors.Is(err, history.ErrNotFound) && len(v.parts()) > 0:
		// The race was lost, or a push said that it is gone: what is shown is that, and the list.
		s.Pane, s.Place.open = nil, ""
		if refusal == nil {
			s.Place.told = "gone"
		}
	case err != nil:
		return err
	default:
		s.Pane.Refusal = s.Refusal
		if refusal != nil {
			s.Pane.Draft, s.Pane.AsNote = v.FormValue("text"), v.FormValue("as") == "note"
			if key := v.FormValue("key"); key != "" {
				s.Pane.Key = key
			}
		}
	}
	return nil
}

// person is who is signed in, as the page shows it.
func (v *visit) person(img *setting.Image) *person {
	p := &person{Name: v.T("role.admin"), Role: string(v.who.Role), Looks: true}
	if v.who.Operator != "" {
		p.Name, p.Looks = operatorName(img, v.who.Operator), !v.acts("converse")
		p.Operator = v.who.Operator
	} else {
		p.Hint = v.address()
	}
	return p
}

// furnished reports whether there is anything to work with: somewhere to wait, a way in, and somebody who answers.
func furnished(img *setting.Image) bool {
	s := stepsOf(img)
	return s.Department && s.Channel && s.Operator
}
