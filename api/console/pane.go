package console

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
)

// pane is one conversation: who and where, what can be done, what was said.
type pane struct {
	ID         string
	Place      place
	Contact    contact
	State      string
	Since      time.Time
	Department string
	Channel    channel
	Ticket     int64
	Owner      string // name
	Mine       bool
	Unread     int // messages that the visitor, as its owner, has not seen
	Tags       []string
	Offer      *offer
	Alerts     []alert
	Guards     department.Guards
	Offers     offers
	Where      []choice // to transfer
	Whom       []choice
	Members    []choice // to assign
	Entries    []entry
	Earlier    string // address of the whole, when entries are left out

	Refusal string
	Draft   string // what was typed when it was refused
	AsNote  bool
	Key     string // of the next message
}

// offers are the buttons that have a place: where the state has one for the command, and the visitor may be the one to give
// it. Whether it is allowed is decided when it is pressed.
type offers struct {
	Take, Accept, TakeOver, Assign, Release, Transfer, Pause, Resume, PauseBot, ResumeBot, Tag, Close, EndSession, Reply, Note bool
}

// choice is one line of a select.
type choice struct {
	ID, Name string
	In       string // ids of departments, with spaces between
	Away     bool
}

// shownEntries is how much of a long conversation is shown at first.
const shownEntries = 400

// pane reads the conversation. history.ErrNotFound when there is none, or none that the viewer may see.
func (v *visit) pane(at place, img *setting.Image) (*pane, error) {
	row, _, found, err := v.c.Queue.Conversation(v.ctx(), v.c.workspace, v.viewer, at.open, 0)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, history.ErrNotFound
	}
	past, err := v.c.History.Timeline(v.ctx(), v.c.workspace, v.viewer, at.open, 0)
	if err != nil {
		return nil, err
	}
	p := &pane{
		ID: row.ID, Place: at, Contact: contactOf(row.Contact), State: row.State, Since: row.Since.Time, Ticket: row.Ticket, Tags: row.Tags,
		Department: departmentName(img, row.Department), Channel: channelOf(img, row.Channel),
		Mine: row.Operator != "" && row.Operator == v.who.Operator, Guards: img.Departments[row.Department].Close, Key: newKey(),
	}
	if row.Operator != "" {
		p.Owner = operatorName(img, row.Operator)
	}
	if p.Mine {
		p.Unread = row.Unread
	}
	p.Alerts = v.alerts(&row)
	if p.Offer = v.offered(&row, img); p.Offer != nil {
		if p.Offer.By, err = v.offeredBy(past.Entries, img); err != nil {
			return nil, err
		}
	}
	p.Offers = v.offers(row, botOff(past.Entries), img)
	if p.Offers.ResumeBot && row.State == thread.StateClosed {
		if p.Offers.ResumeBot, err = v.newest(row.ID); err != nil {
			return nil, err
		}
	}
	p.Where, p.Whom, p.Members = choices(img, row)
	entries := past.Entries
	if len(entries) > shownEntries && !at.whole {
		entries, p.Earlier = entries[len(entries)-shownEntries:], at.inWhole().link()
	}
	if p.Entries, err = v.entries(entries, img); err != nil {
		return nil, err
	}
	return p, nil
}

func (v *visit) offers(r queue.Row, botOff bool, img *setting.Image) offers {
	if !v.acts(access.Converse) {
		return offers{}
	}
	allowed := thread.AllowedIn(r.State)
	has := func(command string) bool { return slices.Contains(allowed, command) }
	mine, owned := r.Operator == v.who.Operator, r.Operator != ""
	over := v.acts(access.Supervise) && access.Supervises(v.viewer, r.Department)
	open := r.State != thread.StateClosed
	works := mine || over || open && !owned && v.viewer.Member(r.Department) || !open && r.OwnerAtClose == v.who.Operator
	if r.Offered != nil && !r.Offered.To(v.who.Operator) && !over {
		owned, works = true, false // as good as: only those to whom it is offered may have it
	}
	asked := r.Offered.To(v.who.Operator)
	_, talks := img.MenuOf(r.Channel)
	return offers{
		Take:     has("take") && !owned && !asked,
		Accept:   has("offers/accept") && asked,
		TakeOver: has("assign") && owned && !mine && over,
		Assign:   has("assign") && over,
		Release:  has("release") && owned && works,
		Transfer: has("transfer") && open && works,
		Pause:    has("pause") && mine && r.State == thread.StateAttending,
		Resume:   has("resume") && mine && r.State == thread.StatePaused,
		// The bot gets what waits; of what is closed it begins the next one, where it was told to stay off.
		PauseBot:  has("bot/pause") && r.State == thread.StateBot && works,
		ResumeBot: has("bot/resume") && r.State != thread.StateBot && works && talks && (open || botOff),
		Tag:       has("tags") && works,
		Close:     has("close") && (mine || over),
		// Only a live chat has a session to end.
		EndSession: has("end-session") && (mine || over) && setting.Live(img.Channels[r.Channel].Type),
		Reply:      has("messages") && (mine || !owned && works),
		Note:       has("notes"),
	}
}

// newest reports whether no later conversation of the contact's has begun on the channel, seen by the visitor or not.
func (v *visit) newest(id string) (bool, error) {
	threadID, n, ok := thread.SplitConversationID(id)
	if !ok {
		return false, nil
	}
	_, _, later, err := v.c.Queue.Conversation(v.ctx(), v.c.workspace, access.Viewer{Role: operator.RoleAdmin}, thread.ConversationID(threadID, n+1), 0)
	return !later, err
}

// botOff reports whether the bot was paused in the thread, as far as this conversation tells.
func botOff(events []history.Entry) bool {
	for i := len(events) - 1; i >= 0; i-- {
		switch events[i].Type {
		case "bot_paused":
			return true
		case "bot_resumed":
			return false
		case "opened":
			o, err := read[thread.Opened](&events[i])
			return err == nil && o.BotOff
		}
	}
	return false
}

// choices are where a conversation can go: departments in use, and the people who answer in them, those who are there first.
func choices(img *setting.Image, r queue.Row) (where, whom, members []choice) {
	for _, d := range img.Departments {
		if !d.Retired {
			where = append(where, choice{ID: d.ID, Name: departmentName(img, d.ID)})
		}
	}
	for _, o := range img.Operators {
		if !o.Active || o.Role == operator.RoleAuditor || o.ID == r.Operator || len(o.Departments) == 0 {
			continue
		}
		c := choice{ID: o.ID, Name: operatorName(img, o.ID), In: strings.Join(o.Departments, " "), Away: !img.Reachable(o.ID)}
		whom = append(whom, c)
		if o.Member(r.Department) {
			members = append(members, c)
		}
	}
	for _, list := range [][]choice{where, whom, members} {
		slices.SortFunc(list, func(a, b choice) int {
			switch {
			case a.Away != b.Away && b.Away:
				return -1
			case a.Away != b.Away:
				return 1
			}
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
		})
	}
	return where, whom, members
}

// erased is what stands where a text was before its erasure.
func (v *visit) erased(s domain.Personal) string {
	if s == domain.Erased {
		return v.T("erased")
	}
	return string(s)
}
