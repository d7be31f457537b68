package setting

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
)

// Image is the configuration of one workspace at Position. It is immutable: Apply gives a new one.
type Image struct {
	Workspace   string
	Position    domain.Position // of the newest settings commit in it
	Operators   map[string]operator.Definition
	Presence    map[string]presence.Status
	Left        map[string]time.Time // when operators disconnected; of those who are connected, the last time
	Departments map[string]department.Definition
	Channels    map[string]Channel
	Tokens      map[string]Token
	Definitions map[Name]Definition
	Calendars   map[string]hours.Calendar
}

// Categories are those whose commits make an image.
func Categories() []domain.Category {
	return []domain.Category{domain.CategoryOperator, domain.CategoryPresence, domain.CategoryDepartment, domain.CategorySetting}
}

// Apply is the image after the commits, in their order; i stays as it is. Every event carries the whole of what it is
// about, so the newest commit of each aggregate is enough. Commits of other workspaces and events that are no settings
// change nothing but Position.
func (i *Image) Apply(commits ...domain.Commit) *Image {
	next := *i
	var copied [8]bool
	for k := range commits {
		c := &commits[k]
		if c.Aggregate.Workspace != i.Workspace {
			continue
		}
		next.Position = max(next.Position, c.Position)
		for _, e := range c.Events {
			switch e := e.(type) {
			case operator.Event:
				d := operator.DefinitionOf(e)
				put(&next.Operators, &copied[0], d.ID, d)
			case presence.Event:
				s := presence.StatusOf(e)
				put(&next.Presence, &copied[1], s.Operator, s)
				if _, left := e.(presence.Disconnected); left {
					put(&next.Left, &copied[7], s.Operator, c.Time)
				}
			case department.Event:
				d := department.DefinitionOf(e)
				put(&next.Departments, &copied[2], d.ID, d)
			case hours.Event:
				d := hours.CalendarOf(e)
				put(&next.Calendars, &copied[6], d.ID, d)
			case ChannelCreated:
				put(&next.Channels, &copied[3], e.ID, e.Channel)
			case ChannelChanged:
				put(&next.Channels, &copied[3], e.ID, e.Channel)
			case ChannelRetired:
				put(&next.Channels, &copied[3], e.ID, e.Channel)
			case TokenIssued:
				put(&next.Tokens, &copied[4], e.ID, e.Token)
			case TokenRevoked:
				put(&next.Tokens, &copied[4], e.ID, e.Token)
			case Event:
				if d := DefinitionOf(e); d != nil {
					put(&next.Definitions, &copied[5], Name{d.Kind(), d.Ident()}, d)
				}
			}
		}
	}
	return &next
}

// put sets a key of a map that nobody else holds: it copies the map before the first time.
func put[K comparable, V any](m *map[K]V, copied *bool, key K, v V) {
	if !*copied {
		if *m = maps.Clone(*m); *m == nil {
			*m = map[K]V{}
		}
		*copied = true
	}
	(*m)[key] = v
}

// Operator finds an operator, active or not.
func (i *Image) Operator(id string) (operator.Definition, bool) {
	d, ok := i.Operators[id]
	return d, ok
}

// Department finds a department, retired or not.
func (i *Image) Department(id string) (department.Definition, bool) {
	d, ok := i.Departments[id]
	return d, ok
}

// Channel finds a channel, retired or not.
func (i *Image) Channel(id string) (Channel, bool) {
	c, ok := i.Channels[id]
	return c, ok
}

// Token finds a token, revoked or not.
func (i *Image) Token(id string) (Token, bool) {
	t, ok := i.Tokens[id]
	return t, ok
}

// OperatorByExtension finds the active operator who answers at the extension.
func (i *Image) OperatorByExtension(extension string) (operator.Definition, bool) {
	if extension == "" {
		return operator.Definition{}, false
	}
	for _, d := range i.Operators {
		if d.Active && d.Extension == extension {
			return d, true
		}
	}
	return operator.Definition{}, false
}

// MembersOf are the active operators of a department, by id.
func (i *Image) MembersOf(department string) []operator.Definition {
	var members []operator.Definition
	for _, d := range i.Operators {
		if d.Active && d.Member(department) {
			members = append(members, d)
		}
	}
	slices.SortFunc(members, func(a, b operator.Definition) int { return cmp.Compare(a.ID, b.ID) })
	return members
}

// Reachable reports whether an operator is connected and takes new conversations.
func (i *Image) Reachable(operator string) bool {
	s := i.Presence[operator]
	return s.Connected && s.Available
}

// Grace is how long an operator who has disconnected still counts as connected for a department that would be unstaffed
// without them (D1): a reloaded page is no absence.
const Grace = 60 * time.Second

// Closed reports whether an instant lies outside the department's opening hours. A department without a calendar is open.
func (i *Image) Closed(department string, at time.Time) bool {
	c, ok := i.Calendars[i.Departments[department].Settings.Calendar]
	return ok && !c.Open(at, time.LoadLocation)
}

// Staffed reports whether somebody who answers in the department is connected, or was until a moment ago.
func (i *Image) Staffed(department string, at time.Time) bool {
	for id, op := range i.Operators {
		if !op.Active || op.Role == operator.RoleAuditor || !op.Member(department) {
			continue
		}
		if i.Presence[id].Connected {
			return true
		}
		if left, ok := i.Left[id]; ok && at.Sub(left) < Grace {
			return true
		}
	}
	return false
}

// OutOfHours reports whether what comes into the department at an instant is out of hours (D1).
func (i *Image) OutOfHours(department string, at time.Time) bool {
	return i.Closed(department, at) && (i.Departments[department].Settings.StrictCalendar || !i.Staffed(department, at))
}
