package http

import (
	"context"
	"net/http"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
)

// set is the rest of every command that is about no conversation: its request, the command itself and the answer.
func (s *Server) set(c *call, name string, body any, do func(context.Context, command.Request) (command.SettingResult, error)) error {
	r, err := c.request(body)
	if err != nil {
		return err
	}
	begun := s.now()
	result, err := do(c.ctx(), r)
	s.handled(name, len(result.Commit.Events), result.Replayed, err, s.now().Sub(begun))
	if err != nil {
		return err
	}
	return s.settled(c, http.StatusOK, result)
}

type operatorBody struct {
	Name        domain.Personal `json:"name"`
	Email       domain.Personal `json:"email"`
	Role        operator.Role   `json:"role"`
	Departments []string        `json:"departments"`
	Capacity    int             `json:"capacity"`
	Extension   string          `json:"extension"`
}

// put is the command of the body; who is not said to be more is an operator.
func (b operatorBody) put(id string) operator.Put {
	if b.Role == "" {
		b.Role = operator.RoleOperator
	}
	return operator.Put{ID: id, Name: b.Name, Email: b.Email, Role: b.Role, Departments: b.Departments, Capacity: b.Capacity, Extension: b.Extension}
}

// putOperator makes an operator, or replaces the definition.
func (s *Server) putOperator(c *call) error {
	var b operatorBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.newID("id")
	if err != nil {
		return err
	}
	put := b.put(id)
	return s.set(c, "put_operator", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		return s.Commands.PutOperator(ctx, r, put)
	})
}

// byID is the handler of a command that has an id and no body.
func (s *Server) byID(name string, do func(context.Context, command.Request, string) (command.SettingResult, error)) func(*call) error {
	return func(c *call) error {
		var b struct{}
		if err := c.bind(&b); err != nil {
			return err
		}
		id, err := c.id("id")
		if err != nil {
			return err
		}
		return s.set(c, name, b, func(ctx context.Context, r command.Request) (command.SettingResult, error) { return do(ctx, r, id) })
	}
}

type availabilityBody struct {
	Available *bool           `json:"available"`
	Reason    domain.Personal `json:"reason"`
}

// setAvailability says whether an operator takes new conversations.
func (s *Server) setAvailability(c *call) error {
	var b availabilityBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	if b.Available == nil {
		return missing("available")
	}
	return s.set(c, "set_availability", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		return s.Commands.SetAvailability(ctx, r, id, *b.Available, b.Reason)
	})
}

type presenceBody struct {
	Connected *bool `json:"connected"`
}

// setPresence is a console's heartbeat, or its leaving. It is one's own, or an administrator's.
func (s *Server) setPresence(c *call) error {
	var b presenceBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.id("id")
	if err != nil {
		return err
	}
	if id != c.viewer.Operator && !access.MayDo(c.viewer, access.EditSettings) {
		return forbidden("A heartbeat is one's own.")
	}
	return s.set(c, "presence", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		if b.Connected != nil && !*b.Connected {
			return s.Commands.Disconnect(ctx, r, id)
		}
		return s.Commands.Heartbeat(ctx, r, id)
	})
}

type departmentBody struct {
	Name     string              `json:"name"`
	Capacity int                 `json:"capacity"`
	Close    department.Guards   `json:"close"`
	Settings department.Settings `json:"settings"`
}

func (b departmentBody) put(id string) department.Put {
	return department.Put{ID: id, Name: b.Name, Capacity: b.Capacity, Close: b.Close, Settings: b.Settings}
}

// putDepartment makes a department, or replaces its definition.
func (s *Server) putDepartment(c *call) error {
	var b departmentBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.newID("id")
	if err != nil {
		return err
	}
	put := b.put(id)
	return s.set(c, "put_department", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		return s.Commands.PutDepartment(ctx, r, put)
	})
}

type calendarBody struct {
	Name     string          `json:"name"`
	Zone     string          `json:"zone"`
	Week     hours.Week      `json:"week"`
	Holidays []hours.Holiday `json:"holidays"`
	From     *time.Time      `json:"from"`
}

func (b calendarBody) put(id string) hours.Put {
	put := hours.Put{ID: id, Name: b.Name, Zone: b.Zone, Week: b.Week, Holidays: b.Holidays}
	if b.From != nil {
		put.From = *b.From
	}
	return put
}

// putCalendar gives a calendar new hours from now on, or from an instant to come.
func (s *Server) putCalendar(c *call) error {
	var b calendarBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.newID("id")
	if err != nil {
		return err
	}
	put := b.put(id)
	return s.set(c, "put_calendar", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		return s.Commands.PutCalendar(ctx, r, put)
	})
}

type channelBody struct {
	Type       string `json:"type"`
	Name       string `json:"name"`
	Department string `json:"department"`
	Extension  string `json:"extension"`

	Menu        string `json:"menu"`
	BotStaysOff bool   `json:"bot_stays_off"`
}

func (b channelBody) put(id string) setting.PutChannel {
	return setting.PutChannel{ID: id, Type: b.Type, Name: b.Name, Department: b.Department, Extension: b.Extension, Menu: b.Menu, BotStaysOff: b.BotStaysOff}
}

// putChannel makes a channel, or replaces its definition.
func (s *Server) putChannel(c *call) error {
	var b channelBody
	if err := c.bind(&b); err != nil {
		return err
	}
	id, err := c.newID("id")
	if err != nil {
		return err
	}
	put := b.put(id)
	return s.set(c, "put_channel", b, func(ctx context.Context, r command.Request) (command.SettingResult, error) {
		return s.Commands.PutChannel(ctx, r, put)
	})
}
