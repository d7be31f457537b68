package thread

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
)

// SurveyID is the id of the survey about the close of a conversation at a position.
func SurveyID(conversation string, about domain.Position) string {
	return conversation + "-s" + strconv.FormatUint(uint64(about), 10)
}

// SplitSurveyID gives the conversation that a survey is about, and the position of the close.
func SplitSurveyID(id string) (conversation string, about domain.Position, ok bool) {
	i := strings.LastIndex(id, "-s")
	if i < 0 {
		return "", 0, false
	}
	if _, _, ok := SplitConversationID(id[:i]); !ok {
		return "", 0, false
	}
	p, err := strconv.ParseUint(id[i+2:], 10, 64)
	return id[:i], domain.Position(p), err == nil && p > 0 && strconv.FormatUint(p, 10) == id[i+2:]
}

// About is the conversation that a command's events are about: the one that the command named or, where it named none and
// the contact answered a survey, the one of that survey, or else the newest.
func About(s *State, named *Conversation, events []Event) *Conversation {
	if named != nil {
		return named
	}
	for _, e := range events {
		if e, ok := e.(Rated); ok {
			if conv := s.surveyed(e.Survey); conv != nil {
				return conv
			}
		}
	}
	return s.Current()
}

// surveyed is the conversation of a survey, nil when it is not loaded.
func (s *State) surveyed(id string) *Conversation {
	conversation, _, _ := SplitSurveyID(id)
	_, n, _ := SplitConversationID(conversation)
	return s.Conversations[n]
}

// survey asks the contact. It is refused where the close, as it stands now, calls for no survey; asking about the same close
// again is nothing.
func (d decision) survey(c Survey) ([]Event, *domain.Refusal) {
	if d.f.Actor.Kind != domain.ActorSystem {
		return nil, forbidden("Only Turno itself asks.")
	}
	if r := checkSurvey(c); r != nil {
		return nil, r
	}
	id := SurveyID(d.c.ID, d.c.Close)
	if d.c.Survey != nil && d.c.Survey.ID == id {
		return nil, nil
	}
	newest := d.s.Current()
	asking := survey.Settings{Scale: c.Scale}
	about := survey.Close{
		Reason: string(d.c.CloseReason), Declined: d.c.NoSurvey, Hidden: d.c.Hidden, Erased: d.s.Erased, Blocked: d.s.Blocked,
		Open: d.c.Open() || newest != nil && newest.Open(),
	}
	if !survey.Calls(asking, about) || !d.f.Import && d.c.Close != c.Close {
		return nil, &domain.Refusal{Code: CodeNoSurvey, State: d.c.State, Detail: "This close calls for no survey, or the contact is writing again."}
	}
	if !d.f.Import && d.f.Now.Sub(d.c.ClosedAt) >= c.Expires {
		return nil, &domain.Refusal{Code: CodeSurveyExpired, Detail: "The close is too long ago to be asked about."}
	}
	if !d.f.Import && !d.f.Now.Before(c.Until) {
		return nil, &domain.Refusal{Code: CodeReservationOver, Detail: "The reservation on the contact has ended."}
	}
	sent := d.told(c.Text)
	return []Event{SurveySent{
		Survey: id, Message: sent.Message, Scale: c.Scale, Expires: d.f.Now.Add(c.Expires).UTC(),
		CreditOperator: d.credit(), CreditDepartment: d.c.Department,
	}, sent}, nil
}

func checkSurvey(c Survey) *domain.Refusal {
	var bad []string
	if c.Scale != survey.Stars && c.Scale != survey.YesNo {
		bad = append(bad, "scale")
	}
	if blank(c.Text) {
		bad = append(bad, "text")
	}
	if c.Expires < survey.MinExpires || c.Expires > survey.MaxExpires {
		bad = append(bad, "expires_s")
	}
	if len(bad) > 0 {
		return invalid("A survey has a scale of 1-5 or yes_no, a text, and can be answered for a minute to 30 days.", bad...)
	}
	return checkText("text", c.Text, MaxText)
}

// told is a machine's message about a conversation that is closed.
func (d decision) told(text domain.Personal) MessageSent {
	return MessageSent{
		Message: d.c.MessageID(d.c.Messages + 1), Content: Content{Kind: KindText, Text: text}, Sender: SenderMachine,
	}
}

// thank says something after a rating, unless the contact is writing again.
func (d decision) thank(c Thank) ([]Event, *domain.Refusal) {
	newest := d.s.Current()
	switch {
	case d.f.Actor.Kind != domain.ActorSystem:
		return nil, forbidden("Only Turno itself thanks.")
	case d.c.Rating == nil || newest != nil && newest.Open():
		return nil, notAllowed(d.c)
	case blank(c.Text):
		return nil, invalid("There is nothing to say.", "text")
	}
	return []Event{d.told(c.Text)}, checkText("text", c.Text, MaxText)
}

// rate records the contact's judgement. Where the conversation's contact was asked, it is on that scale and in time.
func (d decision) rate(c Rate) ([]Event, *domain.Refusal) {
	if r := checkText("comment", c.Comment, MaxShortText); r != nil {
		return nil, r
	}
	if (c.Score == 0) == (c.Satisfied == nil) || c.Score < 0 || c.Score > 5 {
		return nil, invalid("Give a score of 1 to 5, or satisfied: true or false.", "score", "satisfied")
	}
	if d.f.Actor.Kind == domain.ActorOperator {
		return nil, forbidden("Ratings are the contact's.")
	}
	if d.c.Open() {
		return nil, notAllowed(d.c)
	}
	if r := d.onScale(&c); r != nil {
		return nil, r
	}
	if last := d.c.Rating; last != nil && last.Score == c.Score && equalBool(last.Satisfied, c.Satisfied) && last.Comment == c.Comment && last.Survey == c.Survey {
		return nil, nil
	}
	return []Event{d.rated(c)}, nil
}

// onScale holds a rating to the survey that it answers, and names that in it.
func (d decision) onScale(c *Rate) *domain.Refusal {
	s := d.c.Survey
	if s == nil {
		if c.Survey != "" {
			return notFound()
		}
		return nil
	}
	if c.Survey == "" {
		c.Survey = s.ID
	}
	scale, want := survey.Stars, "score"
	if c.Satisfied != nil {
		scale = survey.YesNo
	}
	if s.Scale == survey.YesNo {
		want = "satisfied"
	}
	switch {
	case c.Survey != s.ID, !d.f.Import && !d.f.Now.Before(s.Expires):
		return &domain.Refusal{Code: CodeSurveyExpired, State: d.c.State, Detail: "This survey can't be answered any more."}
	case scale != s.Scale:
		return &domain.Refusal{Code: CodeSurveyScale, Missing: []string{want}, Detail: "The contact was asked on another scale."}
	}
	return nil
}

// rated is the event of a rating.
func (d decision) rated(c Rate) Rated {
	return Rated{
		Score: c.Score, Satisfied: c.Satisfied, Comment: c.Comment,
		CreditOperator: d.credit(), CreditDepartment: d.c.Department, Participants: slices.Clone(d.c.Participants),
		Closer: d.c.Closer, Replaces: d.c.Rating != nil, Survey: c.Survey, Way: c.Way,
	}
}

// credit is whom a rating is credited to (D12): the owner at the close, else who spoke last; empty: the department alone.
func (d decision) credit() string {
	if d.c.OwnerAtClose != "" {
		return d.c.OwnerAtClose
	}
	return d.c.LastSpeaker
}

// Answers says what a message is to a survey that can still be answered in the channel (D18): a rating, or the comment of the
// one before; false when it is a message like any other. An open conversation's own messages are none once a person has
// written in it, or a bot asks.
func (s *State) Answers(c Content, now time.Time) (Rate, bool) {
	asked, current := s.Asked, s.Current()
	if asked == nil || !now.Before(asked.Expires) || c.Kind != KindText || len(c.Attachments) > 0 || c.Location != nil || c.ContactCard != nil {
		return Rate{}, false
	}
	conversation, _, _ := SplitSurveyID(asked.Survey)
	if current != nil && current.Open() && (current.ID == conversation || current.Replied || current.State == StateBot) {
		return Rate{}, false
	}
	rate := Rate{Survey: asked.Survey, Way: RatedInChannel}
	if a, ok := survey.Read(asked.Scale, string(c.Text)); ok {
		rate.Score, rate.Satisfied = a.Score, a.Satisfied
		return rate, true
	}
	if asked.Rated == nil || now.Sub(*asked.Rated) >= survey.CommentWithin || len(c.Text) > MaxShortText || blank(c.Text) {
		return Rate{}, false
	}
	rate.Comment = c.Text
	return rate, true
}

// answered takes in a message that answers a survey: into the conversation that it is about, which stays closed.
func (d decision) answered(rate Rate, c Receive) ([]Event, *domain.Refusal) {
	if d.c = d.s.surveyed(rate.Survey); d.c == nil {
		return nil, notFound() // whoever hands the command over loads it before
	}
	if last := d.c.Rating; rate.Comment != "" {
		rate.Score, rate.Satisfied = last.Score, last.Satisfied
	}
	return []Event{received(d.c, c), d.rated(rate)}, nil
}

func equalBool(a, b *bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
