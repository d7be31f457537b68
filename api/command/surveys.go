package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

// Surveys asks contacts after a close, and takes answers by token. It is safe for concurrent use.
type Surveys struct {
	engine   *Engine
	contacts *Contacts
}

// NewSurveys asks with the commands of an engine and of contacts of one workspace.
func NewSurveys(e *Engine, c *Contacts) *Surveys { return &Surveys{engine: e, contacts: c} }

// Ask sends the survey that the department of a conversation asks after the close at a position: it reserves on the contact
// who survives in its merge group, appends the invitation, and confirms. Said again it goes on where it stopped; the
// request's key makes that one invitation. It returns the position of the invitation. A *domain.Refusal when the close
// calls for no survey, or the contact was asked within the cap.
func (s *Surveys) Ask(ctx context.Context, req Request, conversation string, about domain.Position) (domain.Position, error) {
	state, conv, err := s.engine.Conversation(ctx, req.Workspace, conversation)
	if err != nil {
		return 0, err
	}
	req.After = about // the settings that were in force then, at least
	image, err := s.engine.image(ctx, req)
	if err != nil {
		return 0, err
	}
	req.After = 0
	id := thread.SurveyID(conversation, about)
	if sent := conv.Survey; sent != nil && sent.ID == id {
		return 0, s.confirm(ctx, req, contact.Asked{Contact: state.Contact, Survey: id, At: sent.Sent})
	}
	settings := image.Departments[conv.Department].Settings.Survey
	called := survey.Calls(settings, survey.Close{
		Reason: string(conv.CloseReason), Declined: conv.NoSurvey, Hidden: conv.Hidden, Erased: state.Erased, Blocked: state.Blocked, Open: conv.Open(),
	})
	if !called || conv.Close != about {
		refused := &domain.Refusal{Code: thread.CodeNoSurvey, State: conv.State, Detail: "This close calls for no survey."}
		return 0, s.released(ctx, req, state.Contact, id, refused) // an attempt that stopped halfway may have reserved
	}
	ask := thread.Survey{
		Scale: settings.Scale, Expires: settings.ExpiresIn(), Close: about,
		Text: Written(settings.Text, image, state, conv, settings.Page+s.Token(req.Workspace, id)),
	}
	for try := 0; ; try++ {
		reserved, err := s.reserve(ctx, req, state.Contact, id, settings.CapFor())
		var refused *domain.Refusal
		if errors.As(err, &refused) {
			return 0, s.released(ctx, req, state.Contact, id, err) // what an earlier attempt reserved is of no use any more
		}
		if err != nil {
			return 0, err
		}
		ask.Until = reserved.Add(contact.ReservedFor)
		result, err := s.engine.Do(ctx, req, conversation, ask)
		switch {
		case err == nil && len(result.Commit.Events) == 0: // sent by a command with another key
			return 0, s.confirm(ctx, req, contact.Asked{Contact: state.Contact, Survey: id, At: result.Conversation.Survey.Sent})
		case err == nil:
			return result.Position, s.confirm(ctx, req, contact.Asked{Contact: state.Contact, Survey: id, At: result.Commit.Time})
		case !errors.As(err, &refused):
			return 0, err // it may have been sent: the reservation stands
		case refused.Code == thread.CodeReservationOver && try < maxConflicts:
			continue
		}
		return 0, s.released(ctx, req, state.Contact, id, err)
	}
}

// Thank says a department's thanks for a rating.
func (s *Surveys) Thank(ctx context.Context, req Request, conversation string, cmd thread.Thank) (domain.Position, error) {
	state, conv, err := s.engine.Conversation(ctx, req.Workspace, conversation)
	if err != nil {
		return 0, err
	}
	image, err := s.engine.image(ctx, req)
	if err != nil {
		return 0, err
	}
	cmd.Text = Written(string(cmd.Text), image, state, conv, "")
	result, err := s.engine.Do(ctx, req, conversation, cmd)
	return made(SettingResult{Position: result.Position, Commit: result.Commit}, err)
}

// Written is a text of a machine about a conversation, with its variables filled. What is not known is left out.
func Written(text string, image *setting.Image, state *thread.State, conv *thread.Conversation, link string) domain.Personal {
	const nothing = "\x00"
	filled, _ := domain.Fill(text, func(name string) string {
		value := valueOf(name, state, conv, image, contact.State{})
		switch {
		case name == survey.VarLink:
			value = link
		case name == setting.VarOperatorName && value == "":
			value = string(image.Operators[conv.LastSpeaker].Name)
		}
		if value == "" {
			return nothing
		}
		return value
	})
	return domain.Personal(strings.ReplaceAll(strings.ReplaceAll(filled, " "+nothing, ""), nothing, ""))
}

// Token is what answers a survey without a password: the survey's id and a keyed hash of it. The hash can't be made without the
// workspace's key, and stands in no event but in the sealed text of the invitation.
func (s *Surveys) Token(workspace, id string) string {
	return id + "-" + s.engine.o.Hasher.Hash(workspace, "survey", id)
}

// of is the survey and the conversation of a token; false when it is none of ours.
func (s *Surveys) of(workspace, token string) (id, conversation string, ok bool) {
	id, _, _ = cutLast(token, "-")
	conversation, _, ok = thread.SplitSurveyID(id)
	return id, conversation, ok && equal(s.Token(workspace, id), token)
}

// Question is what a contact is asked, and what they have answered.
type Question struct {
	Survey       string
	Conversation string
	Department   string // its name
	Scale        survey.Scale
	Expires      time.Time
	Expired      bool // or another survey took its place
	Rating       *thread.Rated
}

// Question is what the survey of a token asks. A *domain.Refusal with CodeNotFound when there is none.
func (s *Surveys) Question(ctx context.Context, workspace, token string) (Question, error) {
	unknown := &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such survey."}
	id, conversation, ok := s.of(workspace, token)
	if !ok {
		return Question{}, unknown
	}
	state, conv, err := s.engine.Conversation(ctx, workspace, conversation)
	if err != nil {
		return Question{}, err
	}
	if state.Erased || conv.Survey == nil {
		return Question{}, unknown
	}
	image, err := s.engine.o.Image.Snapshot(ctx)
	if err != nil {
		return Question{}, err
	}
	q := Question{
		Survey: id, Conversation: conversation, Department: image.Departments[conv.Department].Name,
		Scale: conv.Survey.Scale, Expires: conv.Survey.Expires,
		Expired: conv.Survey.ID != id || !s.engine.o.Now().Before(conv.Survey.Expires),
	}
	if conv.Rating != nil && conv.Rating.Survey == id {
		q.Rating = conv.Rating
	}
	return q, nil
}

// Answer rates a conversation by a survey's token; whoever has it is the contact. Errors as for Engine.Do.
func (s *Surveys) Answer(ctx context.Context, req Request, token string, rate thread.Rate) (Result, error) {
	id, conversation, ok := s.of(req.Workspace, token)
	if !ok {
		return Result{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such survey."}
	}
	req.Principal, req.Actor = "survey", domain.Actor{Kind: domain.ActorContact}
	rate.Survey, rate.Way = id, thread.RatedByLink
	return s.engine.Do(ctx, req, conversation, rate)
}

// Import brings in a survey that was sent elsewhere: the contact is not asked again before the cap has passed.
func (s *Surveys) Import(ctx context.Context, req Request, conversation string, ask thread.Survey) (Result, error) {
	result, err := s.engine.Do(ctx, req, conversation, ask)
	if err != nil {
		return result, err
	}
	for _, e := range result.Commit.Events {
		if e, ok := e.(thread.SurveySent); ok {
			asked := contact.Asked{Contact: result.Commit.Contact, Survey: e.Survey, At: result.Commit.Time}
			err := s.confirm(ctx, req, asked)
			var refused *domain.Refusal
			if errors.As(err, &refused) && refused.Code == domain.CodeOutOfOrder { // the contact has a history here already
				req.At = s.engine.o.Now()
				err = s.confirm(ctx, req, asked)
			}
			if err != nil {
				return result, err
			}
		}
	}
	return result, nil
}

func (s *Surveys) reserve(ctx context.Context, req Request, member, id string, cap time.Duration) (at time.Time, err error) {
	err = s.contacts.surviving(ctx, req, member, "reserve survey", func(self string, is contact.State, now time.Time) ([]contact.Event, *domain.Refusal) {
		events, r := contact.DecideReserve(is, contact.Reserve{Self: self, Contact: member, Survey: id, Cap: cap}, now)
		for _, a := range is.AskedOf(member) {
			if a.Survey == id {
				at = a.At
			}
		}
		if len(events) > 0 {
			at = now
		}
		return events, r
	})
	return at, err
}

func (s *Surveys) confirm(ctx context.Context, req Request, asked contact.Asked) error {
	err := s.contacts.surviving(ctx, req, asked.Contact, "confirm survey", func(self string, is contact.State, _ time.Time) ([]contact.Event, *domain.Refusal) {
		return contact.DecideConfirm(is, self, asked)
	})
	return lenient(err)
}

// released gives the room back and returns why nothing was sent; an error of giving back comes first, for it is tried again.
func (s *Surveys) released(ctx context.Context, req Request, member, id string, refused error) error {
	err := s.contacts.surviving(ctx, req, member, "release survey", func(self string, is contact.State, _ time.Time) ([]contact.Event, *domain.Refusal) {
		return contact.DecideRelease(is, self, member, id)
	})
	if err = lenient(err); err != nil {
		return err
	}
	return refused
}

// lenient drops the refusal of a contact who was erased meanwhile: nobody asks there any more.
func lenient(err error) error {
	var refused *domain.Refusal
	if errors.As(err, &refused) && refused.Code == contact.CodeErased {
		return nil
	}
	return err
}

// surviving runs a command about a contact's surveys on the one who survives in its merge group. Merges that happen meanwhile are
// followed, and those that were left in the middle finished.
func (c *Contacts) surviving(ctx context.Context, req Request, member, action string,
	decide func(self string, s contact.State, now time.Time) ([]contact.Event, *domain.Refusal)) error {
	for try := 0; ; try++ {
		err := c.ask(ctx, req, member, action, decide)
		var refused *domain.Refusal
		if !errors.As(err, &refused) || refused.Code != contact.CodeMergedAway {
			return err
		}
		s, err := c.load(ctx, member)
		if err != nil {
			return err
		}
		if s.Survivor != "" {
			err = c.ask(ctx, req, s.Survivor, action, decide)
			if !errors.As(err, &refused) || refused.Code != contact.CodeNotHeld && refused.Code != contact.CodeMergedAway {
				return err
			}
			if _, err := c.settle(ctx, req, member); err != nil {
				return fmt.Errorf("settling a merge of contact %s: %w", member, err)
			}
		}
		if try == maxConflicts {
			return fmt.Errorf("the merges of contact %s stayed in motion: %w", member, ErrUnavailable)
		}
	}
}

// ask changes what one contact remembers of surveys. There is nothing personal in it, and it may be the first that is known
// of the contact apart from its thread.
func (c *Contacts) ask(ctx context.Context, req Request, id, action string,
	decide func(self string, s contact.State, now time.Time) ([]contact.Event, *domain.Refusal)) error {
	_, err := change(ctx, c.w, edit[contact.State]{
		req: part(req), aggregate: c.aggregate(id), action: action, evolve: evolveContact,
		decide: func(s *contact.State, now time.Time) ([]domain.Event, error) { return events(decide(id, *s, now)) },
		key:    func(has string) (string, error) { return has, nil },
	})
	return err
}
