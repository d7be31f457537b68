package http

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/history"
)

// finders are the parameters that narrow contacts.
func finders() []string {
	return []string{"q", "address", "external_id", "tag", "assignee", "known", "blocked", "segment", "first_from", "first_to"}
}

// contacts lists and searches contacts.
func (s *Server) contacts(c *call) error {
	r, err := c.page()
	if err != nil {
		return err
	}
	f, err := s.finding(c)
	if err != nil {
		return err
	}
	f.Range = r
	answer, err := s.Directory.Contacts(c.ctx(), s.workspace, f)
	if err != nil {
		return err
	}
	return c.ok(answer.Position, answer)
}

// finding reads which contacts are asked for.
func (s *Server) finding(c *call) (f directory.ContactFilter, err error) {
	for name, p := range map[string]*string{"q": &f.Q, "address": &f.Address, "external_id": &f.ExternalID} {
		if *p, err = c.words(name); err != nil {
			return f, err
		}
	}
	segment := ""
	if err = c.ids(map[string]*string{"tag": &f.Tag, "assignee": &f.Assignee, "segment": &segment}); err != nil {
		return f, err
	}
	if f.Assignee == setting.Myself {
		if f.Assignee = c.viewer.Operator; f.Assignee == "" {
			return f, invalid("assignee", "Only an operator has contacts of their own.")
		}
	}
	if f.Known, err = c.flag("known"); err != nil {
		return f, err
	}
	var own setting.Contacts
	if own.Blocked, err = c.flag("blocked"); err != nil {
		return f, err
	}
	for name, p := range map[string]**time.Time{"first_from": &own.FirstFrom, "first_to": &own.FirstTo} {
		t, err := c.instant(name)
		if err != nil {
			return f, err
		}
		if !t.IsZero() {
			*p = &t
		}
	}
	f.All = append(f.All, own)
	if segment != "" {
		asked, err := s.segment(c, segment)
		if err != nil {
			return f, err
		}
		f.All = append(f.All, asked)
	}
	return f, nil
}

// segment is what a segment in use asks for.
func (s *Server) segment(c *call, id string) (setting.Contacts, error) {
	image, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return setting.Contacts{}, err
	}
	segment, ok := image.Segment(id)
	if !ok || segment.Retired {
		return setting.Contacts{}, outOfUse("segment", id)
	}
	return segment.Filter, nil
}

// operators lists the operators, or those who are meant by a name or an extension.
func (s *Server) operators(c *call) error {
	q, err := c.words("q")
	if err != nil {
		return err
	}
	if q == "" {
		return some(s.Directory.Operators)(c)
	}
	return some(func(ctx context.Context, workspace string, r directory.Range) (directory.Page[directory.Operator], error) {
		return s.Directory.FindOperators(ctx, workspace, q, r)
	})(c)
}

// inbox fills a filter with what the inbox asks for that is named, where nothing else was asked for.
func (s *Server) inbox(c *call, f history.Filter) (history.Filter, error) {
	id, err := c.idParam("inbox")
	if err != nil || id == "" {
		return f, err
	}
	image, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return f, err
	}
	inbox, ok := image.Inbox(id)
	if !ok || inbox.Retired {
		return f, outOfUse("inbox", id)
	}
	asked := inbox.Filter
	if asked.Operator == setting.Myself && f.Operator == "" {
		if asked.Operator = c.viewer.Operator; asked.Operator == "" {
			return f, invalid("inbox", "Only an operator has conversations of their own.")
		}
	}
	for _, part := range []struct {
		to *string
		is string
	}{{&f.Department, asked.Department}, {&f.Operator, asked.Operator}, {&f.Channel, asked.Channel}, {&f.Tag, asked.Tag}, {&f.Category, asked.Category}} {
		if *part.to == "" {
			*part.to = part.is
		}
	}
	if len(f.States) == 0 {
		f.States = asked.States
	}
	if f.Archived == nil {
		f.Archived = asked.Archived
	}
	return f, nil
}

// outOfUse refuses a definition that there isn't, or that was retired.
func outOfUse(what, id string) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Code: string(domain.CodeUnknownSetting), Field: what,
		Detail: fmt.Sprintf("There is no %s %q, or it is no longer in use.", what, id)}
}
