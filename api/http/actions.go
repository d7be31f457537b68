package http

import (
	"encoding/json"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
)

// action is one thing that can be done to a conversation: POST /v1/conversations/{id}/<name>, one by one or in bulk.
type action struct {
	name   string
	right  access.Action
	decode func(data []byte) (thread.Command, error)
}

// actions is the list of them all. What is allowed in which state, and to whom, is for the domain.
func actions() []action {
	return []action{
		{"take", access.Converse, as[takeBody]},
		{"release", access.Converse, as[releaseBody]},
		{"assign", access.Supervise, as[assignBody]},
		{"messages", access.Converse, as[messageBody]},
		{"transfer", access.Converse, as[transferBody]},
		{"pause", access.Converse, as[pauseBody]},
		{"resume", access.Converse, as[resumeBody]},
		{"tags", access.Converse, as[tagsBody]},
		{"notes", access.Converse, as[noteBody]},
		{"classify", access.Converse, as[classifyBody]},
		{"ticket", access.Converse, as[ticketBody]},
		{"close", access.Converse, as[closeBody]},
		{"end-session", access.Converse, as[endSessionBody]},
		{"reopen", access.Converse, as[reopenBody]},
		{"rate", access.Converse, as[rateBody]},
		{"archive", access.Converse, as[archiveBody]},
		{"unarchive", access.Converse, as[unarchiveBody]},
		{"ignore", access.Converse, as[ignoreBody]},
		{"delete", access.Hide, as[deleteBody]},
		{"read", access.Converse, as[readMarkBody]},
		{"offers/accept", access.Converse, as[acceptBody]},
		{"offers/decline", access.Converse, as[declineBody]},
		{"bot/pause", access.Converse, as[pauseBotBody]},
		{"bot/resume", access.Converse, as[resumeBotBody]},
	}
}

// commander is a body that says which command it is.
type commander interface {
	command() (thread.Command, error)
}

// as decodes a body of type B into its command.
func as[B commander](data []byte) (thread.Command, error) {
	var b B
	if err := decode(data, &b); err != nil {
		return nil, err
	}
	return b.command()
}

type (
	takeBody    struct{}
	releaseBody struct {
		Reason domain.Personal `json:"reason"`
	}
	assignBody struct {
		Operator string `json:"operator"`
	}
	messageBody struct {
		thread.Content
		Template string        `json:"template"` // instead of a text
		Sender   thread.Sender `json:"sender"`
	}
	transferBody struct {
		Department string          `json:"department"`
		Operator   string          `json:"operator"`
		Reason     domain.Personal `json:"reason"`
		Force      bool            `json:"force"`
	}
	pauseBody struct {
		Reason domain.Personal `json:"reason"`
		Until  *time.Time      `json:"until"`
	}
	resumeBody struct{}
	tagsBody   struct {
		Add    []string `json:"add"`
		Remove []string `json:"remove"`
	}
	noteBody struct {
		Text     domain.Personal `json:"text"`
		Mentions []string        `json:"mentions"`
	}
	classifyBody struct {
		thread.Classified
	}
	closeBody struct {
		endingBody
		Reason  thread.CloseReason `json:"reason"`
		Comment domain.Personal    `json:"comment"`
	}
	endSessionBody struct {
		endingBody
		Reason domain.Personal `json:"reason"` // in the closer's words
	}
	// endingBody is what every close may bring along.
	endingBody struct {
		Category string             `json:"category"`
		Summary  domain.Personal    `json:"summary"`
		Tags     []string           `json:"tags"`
		Classify *thread.Classified `json:"classify"`
		Ticket   *ticketBody        `json:"ticket"`
		Override domain.Personal    `json:"override"`
		Survey   *bool              `json:"survey"` // false: the contact is not asked, whatever the department does
	}
	// ticketBody says one thing about the ticket of a conversation.
	ticketBody struct {
		Link    *numberBody     `json:"link"`
		New     *newTicketBody  `json:"new"`
		Propose *numberBody     `json:"propose"`
		Confirm bool            `json:"confirm"`
		Reject  bool            `json:"reject"`
		Reason  domain.Personal `json:"reason"` // of a rejection
	}
	numberBody struct {
		Number int64 `json:"number"`
	}
	newTicketBody struct {
		Requester string          `json:"requester"`
		Subject   domain.Personal `json:"subject"`
	}
	reopenBody struct {
		Reason domain.Personal `json:"reason"`
	}
	rateBody struct {
		Score     *int            `json:"score"`
		Satisfied *bool           `json:"satisfied"`
		Comment   domain.Personal `json:"comment"`
	}
	archiveBody   struct{}
	unarchiveBody struct{}
	ignoreBody    struct {
		Reason domain.Personal `json:"reason"`
	}
	deleteBody struct {
		Reason domain.Personal `json:"reason"`
	}
	readMarkBody struct {
		Message string `json:"message"`
	}
	acceptBody    struct{}
	declineBody   struct{}
	pauseBotBody  struct{}
	resumeBotBody struct{}
)

func (takeBody) command() (thread.Command, error)      { return thread.Take{}, nil }
func (b releaseBody) command() (thread.Command, error) { return thread.Release{Reason: b.Reason}, nil }
func (b messageBody) command() (thread.Command, error) {
	if b.Template != "" {
		if b.Text != "" {
			return nil, invalid("template", "Give a text or a template, not both.")
		}
		if b.Kind == "" {
			b.Kind = kindOf(b.Content)
		}
		return templated{thread.Send{Content: b.Content, Sender: b.Sender}, b.Template}, nil
	}
	content, err := complete(b.Content)
	return thread.Send{Content: content, Sender: b.Sender}, err
}
func (b assignBody) command() (thread.Command, error) {
	if b.Operator == "" {
		return nil, missing("operator")
	}
	return thread.Assign{Operator: b.Operator}, nil
}
func (b transferBody) command() (thread.Command, error) {
	if b.Department == "" && b.Operator == "" {
		return nil, missing("department")
	}
	return thread.Transfer{Department: b.Department, Operator: b.Operator, Reason: b.Reason, Force: b.Force}, nil
}
func (b pauseBody) command() (thread.Command, error) {
	return thread.Pause{Reason: b.Reason, Until: instant(b.Until)}, nil
}
func (resumeBody) command() (thread.Command, error) { return thread.Resume{}, nil }
func (b tagsBody) command() (thread.Command, error) {
	if len(b.Add)+len(b.Remove) == 0 {
		return nil, missing("add")
	}
	return thread.Tag{Add: b.Add, Remove: b.Remove}, nil
}
func (b noteBody) command() (thread.Command, error) {
	if b.Text == "" {
		return nil, missing("text")
	}
	return thread.Note{Text: b.Text, Mentions: b.Mentions}, nil
}
func (b classifyBody) command() (thread.Command, error) {
	return thread.Classify{Classified: b.Classified}, nil
}
func (b closeBody) command() (thread.Command, error) {
	c, err := b.ending()
	c.Reason, c.Comment = b.Reason, b.Comment
	return c, err
}
func (b endSessionBody) command() (thread.Command, error) {
	c, err := b.ending()
	c.Comment = b.Reason
	return thread.EndSession{Close: c}, err
}
func (b endingBody) ending() (thread.Close, error) {
	c := thread.Close{Category: b.Category, Summary: b.Summary, Tags: b.Tags,
		Classify: b.Classify, Override: b.Override, NoSurvey: b.Survey != nil && !*b.Survey}
	var err error
	if b.Ticket != nil {
		c.Ticket, err = b.Ticket.command()
	}
	return c, err
}
func (b ticketBody) command() (thread.Command, error) {
	said := 0
	for _, is := range []bool{b.Link != nil, b.New != nil, b.Propose != nil, b.Confirm, b.Reject} {
		if is {
			said++
		}
	}
	switch {
	case said != 1:
		return nil, invalid("ticket", "Say one of link, new, propose, confirm and reject.")
	case b.Link != nil && b.Link.Number < 1, b.Propose != nil && b.Propose.Number < 1:
		return nil, missing("number")
	case b.Link != nil:
		return thread.Link{Number: b.Link.Number}, nil
	case b.New != nil:
		return thread.OpenTicket{Requester: b.New.Requester, Subject: b.New.Subject}, nil
	case b.Propose != nil:
		return thread.Propose{Number: b.Propose.Number}, nil
	case b.Confirm:
		return thread.Confirm{}, nil
	}
	return thread.Reject{Reason: b.Reason}, nil
}
func (b reopenBody) command() (thread.Command, error) { return thread.Reopen{Reason: b.Reason}, nil }
func (b rateBody) command() (thread.Command, error) {
	c := thread.Rate{Satisfied: b.Satisfied, Comment: b.Comment}
	switch {
	case b.Score == nil && b.Satisfied == nil:
		return nil, missing("score")
	case b.Score != nil && b.Satisfied != nil:
		return nil, invalid("satisfied", "Give a score or satisfied, not both.")
	case b.Score != nil && (*b.Score < 1 || *b.Score > 5):
		return nil, invalid("score", "A score is 1 to 5.")
	case b.Score != nil:
		c.Score = *b.Score
	}
	return c, nil
}
func (archiveBody) command() (thread.Command, error)   { return thread.Archive{}, nil }
func (unarchiveBody) command() (thread.Command, error) { return thread.Unarchive{}, nil }
func (b ignoreBody) command() (thread.Command, error)  { return thread.Ignore{Reason: b.Reason}, nil }
func (b deleteBody) command() (thread.Command, error)  { return thread.Hide{Reason: b.Reason}, nil }
func (b readMarkBody) command() (thread.Command, error) {
	return thread.MarkRead{Message: b.Message}, nil
}
func (acceptBody) command() (thread.Command, error)  { return thread.Accept{}, nil }
func (declineBody) command() (thread.Command, error) { return thread.Decline{}, nil }

func (pauseBotBody) command() (thread.Command, error)  { return thread.PauseBot{}, nil }
func (resumeBotBody) command() (thread.Command, error) { return thread.ResumeBot{}, nil }

// complete gives a content its kind when it names none: what it carries says it.
func complete(c thread.Content) (thread.Content, error) {
	if c.Kind == "" {
		c.Kind = kindOf(c)
	}
	switch c.Kind {
	case thread.KindText, thread.KindImage, thread.KindAudio, thread.KindVideo, thread.KindDocument, thread.KindSticker,
		thread.KindLocation, thread.KindContact, thread.KindOther:
	default:
		return c, invalid("kind", "There is no such kind of message.")
	}
	if c.Text == "" && len(c.Attachments) == 0 && c.Location == nil && c.ContactCard == nil {
		return c, missing("text")
	}
	for _, a := range c.Attachments {
		if a.URL == "" || a.Size < 0 {
			return c, invalid("attachments", "An attachment has a url and a size in bytes.")
		}
	}
	return c, nil
}

func kindOf(c thread.Content) thread.Kind {
	switch {
	case c.Location != nil:
		return thread.KindLocation
	case c.ContactCard != nil:
		return thread.KindContact
	case len(c.Attachments) > 0:
		return kindOfMedia(c.Attachments[0].Type)
	}
	return thread.KindText
}

// instant is t in UTC and milliseconds, as all times of the log are.
func instant(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC().Truncate(time.Millisecond)
	return &u
}

// canonical marshals what was decoded, so that the same command hashes the same however its JSON was written.
func canonical(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}
