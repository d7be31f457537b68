package http

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/directory"
)

// templated is a message of ours, or a note, that is still a template: its text is written when the conversation is known.
type templated struct {
	thread.Command
	Template string `json:"template"`
}

// writing is what stands for the variables of a text, in one conversation.
type writing struct {
	image        *setting.Image
	state        *thread.State
	conversation *thread.Conversation
	contact      directory.Contact
	operator     string // id of who writes, or of the owner
}

// writingTo gathers it, for who may see the conversation: what one may not see does not exist.
func (s *Server) writingTo(c *call, id string) (writing, error) {
	state, conversation, err := s.Threads.Conversation(c.ctx(), s.workspace, id)
	if err != nil {
		return writing{}, err
	}
	if !access.MaySee(c.viewer, conversation.Sight()) {
		return writing{}, notFound()
	}
	w := writing{state: state, conversation: conversation, operator: c.viewer.Operator}
	if w.operator == "" {
		w.operator = conversation.Owner
	}
	if w.image, err = s.Settings.Snapshot(c.ctx()); err != nil {
		return w, err
	}
	w.contact, _, _, err = s.Directory.Contact(c.ctx(), s.workspace, state.Contact)
	return w, err
}

// value is what a variable stands for; empty when nothing is known of it.
func (w writing) value(name string) string {
	if id, ok := strings.CutPrefix(name, setting.VarContactField); ok {
		return w.contact.Fields[id]
	}
	switch name {
	case setting.VarContactName:
		if w.contact.Name != "" {
			return w.contact.Name
		}
		return string(w.state.Name)
	case setting.VarContactEmail:
		return w.contact.Email
	case setting.VarContactPhone:
		return w.contact.Phone
	case setting.VarContactCompany:
		return w.contact.Company
	case setting.VarOperatorName:
		return string(w.image.Operators[w.operator].Name)
	case setting.VarDepartmentName:
		return w.image.Departments[w.conversation.Department].Name
	case setting.VarChannelName:
		return w.image.Channels[w.state.Channel].Name
	case setting.VarTicketNumber:
		if w.conversation.Linked != 0 {
			return strconv.FormatInt(w.conversation.Linked, 10)
		}
		if w.conversation.Ticket != 0 { // a conversation that is about to begin has none yet
			return strconv.FormatInt(w.conversation.Ticket, 10)
		}
	}
	return ""
}

// write fills a text. A variable that there isn't, or that nothing is known of, is refused by its name.
func (w writing) write(text string) (string, error) {
	filled, open := domain.Fill(text, w.value)
	if len(open) == 0 {
		return filled, nil
	}
	code, detail := "variable_without_value", "Nothing is known of what these variables stand for."
	for _, name := range open {
		if !setting.ValidVariable(name) {
			code, detail = "unknown_variable", "There are no such variables."
		}
	}
	for i := range open {
		open[i] = "variable:" + clip(open[i])
	}
	return "", &Problem{Status: http.StatusUnprocessableEntity, Code: code, Missing: open, Detail: detail}
}

// template is the text of a template in use.
func (w writing) template(id string) (string, error) {
	t, ok := w.image.Template(id)
	switch {
	case !ok:
		return "", &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"template:" + id}, Detail: "There is no such template."}
	case t.Retired:
		return "", &domain.Refusal{Code: domain.CodeRetired, Missing: []string{"template:" + id}, Detail: "The template is no longer in use."}
	}
	return t.Text, nil
}

// written is the command with its template made text; every other command is returned as it is.
func (s *Server) written(c *call, id string, cmd thread.Command) (thread.Command, error) {
	t, ok := cmd.(templated)
	if !ok {
		return cmd, nil
	}
	w, err := s.writingTo(c, id)
	if err != nil {
		return nil, err
	}
	text, err := w.template(t.Template)
	if err != nil {
		return nil, err
	}
	if text, err = w.write(text); err != nil {
		return nil, err
	}
	send := t.Command.(thread.Send)
	send.Content.Text = domain.Personal(text)
	return send, nil
}

// sent finds the message that an earlier call with the same key has sent, when its template can't be written any more: the
// same key makes the same success, for ever. A message that says nothing is found again, or refused; it is never sent.
func (s *Server) sent(c *call, r command.Request, id string) (command.Result, bool) {
	if r.Key == "" {
		return command.Result{}, false
	}
	result, err := s.Conversations.Do(c.ctx(), r, id, thread.Send{})
	return result, err == nil && result.Replayed
}

// firstWords is the content of a message that begins a conversation, with its template made text.
func (s *Server) firstWords(c *call, b outboundBody) (thread.Content, error) {
	if b.Text != "" {
		return b.Content, invalid("template", "Give a text or a template, not both.")
	}
	w := writing{
		state: &thread.State{Channel: b.Channel, Name: domain.Personal(b.Name)}, conversation: &thread.Conversation{Department: b.Department},
		operator: c.viewer.Operator,
	}
	var err error
	if w.image, err = s.Settings.Snapshot(c.ctx()); err != nil {
		return b.Content, err
	}
	if b.Department == "" {
		w.conversation.Department = w.image.Channels[b.Channel].Department
	}
	if domain.ValidID(b.Contact) {
		if w.contact, _, _, err = s.Directory.Contact(c.ctx(), s.workspace, b.Contact); err != nil {
			return b.Content, err
		}
	}
	text, err := w.template(b.Template)
	if err == nil {
		text, err = w.write(text)
	}
	b.Content.Text = domain.Personal(text)
	return b.Content, err
}

type previewBody struct {
	Conversation string `json:"conversation"`
	Text         string `json:"text"` // instead of a template: only where no template is named
}

// Preview is a text with its variables filled; Open names those that nothing is known of, which stand in it as they were.
type Preview struct {
	Text     string          `json:"text"`
	Open     []string        `json:"open"`
	Unknown  []string        `json:"unknown"` // variables that there are none of
	Position domain.Position `json:"position"`
}

// previewTemplate shows a template as it would be written in a conversation. It sends nothing (F067).
func (s *Server) previewTemplate(c *call) error {
	id, err := c.id("id")
	if err != nil {
		return err
	}
	return s.preview(c, func(w writing, b previewBody) (string, error) {
		if b.Text != "" {
			return "", invalid("text", "The template has a text.")
		}
		return w.template(id)
	})
}

// previewText shows any text so.
func (s *Server) previewText(c *call) error {
	return s.preview(c, func(_ writing, b previewBody) (string, error) {
		if b.Text == "" || len(b.Text) > setting.MaxTemplate {
			return "", invalid("text", "A text has 1 to 4096 bytes.")
		}
		return b.Text, nil
	})
}

func (s *Server) preview(c *call, text func(writing, previewBody) (string, error)) error {
	var b previewBody
	if err := c.bind(&b); err != nil {
		return err
	}
	if _, _, ok := thread.SplitConversationID(b.Conversation); !ok {
		return missing("conversation")
	}
	if _, err := c.ready(viewDirectory); err != nil {
		return err
	}
	w, err := s.writingTo(c, b.Conversation)
	if err != nil {
		return err
	}
	raw, err := text(w, b)
	if err != nil {
		return err
	}
	p := Preview{Open: []string{}, Unknown: []string{}, Position: w.conversation.Revision}
	filled, open := domain.Fill(raw, w.value)
	p.Text = filled
	for _, name := range open {
		if setting.ValidVariable(name) {
			p.Open = append(p.Open, name)
		} else {
			p.Unknown = append(p.Unknown, clip(name))
		}
	}
	return c.ok(p.Position, p)
}

// Threads reads one conversation as the log has it now. *command.Engine is one.
type Threads interface {
	Conversation(ctx context.Context, workspace, conversation string) (*thread.State, *thread.Conversation, error)
}
