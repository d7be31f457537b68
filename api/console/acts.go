package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/api/command"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/thread"
)

// act is one thing that a form does to a conversation: POST /console/c/{id}/<name>. The rights are the API's; whether it
// may be done to this one is for the domain.
type act struct {
	name    string
	right   access.Action
	command func(*visit) thread.Command
	list    string // that the conversation is followed to; empty: stay
}

// wherever follows the conversation to the list in which it is then.
const wherever = "wherever"

func acts() []act {
	return []act{
		{"take", access.Converse, func(*visit) thread.Command { return thread.Take{} }, thread.StateAttending},
		{"accept", access.Converse, func(*visit) thread.Command { return thread.Accept{} }, thread.StateAttending},
		{"decline", access.Converse, func(*visit) thread.Command { return thread.Decline{} }, ""},
		{"release", access.Converse, func(*visit) thread.Command { return thread.Release{} }, ""},
		{"assign", access.Supervise, func(v *visit) thread.Command { return thread.Assign{Operator: v.FormValue("operator")} }, ""},
		{"transfer", access.Converse, transferred, ""},
		{"pause", access.Converse, paused, thread.StatePaused},
		{"resume", access.Converse, func(*visit) thread.Command { return thread.Resume{} }, thread.StateAttending},
		{"pause-bot", access.Converse, func(*visit) thread.Command { return thread.PauseBot{} }, wherever},
		{"resume-bot", access.Converse, func(*visit) thread.Command { return thread.ResumeBot{} }, wherever},
		{"tags", access.Converse, tagged, ""},
		{"write", access.Converse, written, ""},
		{"close", access.Converse, func(v *visit) thread.Command { return v.closed() }, ""},
		{"end-session", access.Converse, func(v *visit) thread.Command { return thread.EndSession{Close: v.closed()} }, ""},
		{"read", access.Converse, func(*visit) thread.Command { return thread.MarkRead{} }, ""},
	}
}

func transferred(v *visit) thread.Command {
	return thread.Transfer{Department: v.FormValue("department"), Operator: v.FormValue("operator"),
		Reason: domain.Personal(v.line("reason")), Force: v.FormValue("force") != ""}
}

// paused sets aside until its owner resumes it, or wants to be told: in so many minutes.
func paused(v *visit) thread.Command {
	p := thread.Pause{Reason: domain.Personal(v.line("reason"))}
	if minutes, err := strconv.Atoi(v.FormValue("minutes")); err == nil && slices.Contains(pauses(), minutes) {
		until := v.c.now().Add(time.Duration(minutes) * time.Minute).UTC().Truncate(time.Second)
		p.Until = &until
	}
	return p
}

// pauses are how long one may pause it, in minutes, and be told when the time is over.
func pauses() []int { return []int{15, 60, 240, 24 * 60} }

// tagged reads tags as people write them, with commas between.
func tagged(v *visit) thread.Command {
	var c thread.Tag
	for _, t := range strings.Split(v.FormValue("add"), ",") {
		if t = slug(t); t != "" {
			c.Add = append(c.Add, t)
		}
	}
	if t := v.FormValue("remove"); t != "" {
		c.Remove = []string{t}
	}
	return c
}

// written is a reply to the contact or a note among colleagues: the form says which, and it is never guessed.
func written(v *visit) thread.Command {
	text := domain.Personal(strings.TrimSpace(strings.ReplaceAll(v.FormValue("text"), "\r\n", "\n")))
	if v.FormValue("as") == "note" {
		return thread.Note{Text: text}
	}
	return thread.Send{Content: thread.Content{Kind: thread.KindText, Text: text}}
}

// closed is a close as the form of it has it; the end of a session takes the same.
func (v *visit) closed() thread.Close {
	return thread.Close{Category: slug(v.FormValue("category")), Summary: domain.Personal(v.line("summary"))}
}

// line is a field without the space around it.
func (v *visit) line(name string) string { return strings.TrimSpace(v.FormValue(name)) }

// act runs the command, and answers the page as it is afterwards: of success by way of its address, of a refusal at once,
// with what was typed still there.
func (c *Console) act(a act) func(*visit) error {
	return func(v *visit) error {
		if err := v.Request().ParseForm(); err != nil {
			return &apihttp.Problem{Status: http.StatusBadRequest, Code: "malformed"}
		}
		if !v.acts(a.right) {
			return c.refused(v, &domain.Refusal{Code: domain.CodeForbidden})
		}
		cmd := a.command(v)
		result, err := c.Conversations.Do(v.ctx(), v.keyed(a), v.Param("id"), cmd)
		if r, ok := refusalOf(err); ok || r != nil && v.beside() {
			return c.refused(v, r)
		}
		var unseen *domain.Refusal
		if errors.As(err, &unseen) && len(v.parts()) > 0 { // a script shows that it is gone
			at := v.place().shut()
			at.told = "gone"
			return c.show(v, at, http.StatusNotFound, nil)
		}
		if err != nil {
			return err
		}
		return c.done(v, a, cmd, result)
	}
}

// keyed is the request with the form's key: a message whose answer got lost is sent again and stands once.
func (v *visit) keyed(a act) command.Request {
	r := v.request()
	if key := v.FormValue("key"); a.name == "write" && key != "" && len(key) <= 64 {
		r.Key = "console-" + key
		r.BodyHash = v.c.Hasher.Hash(v.c.workspace, "console", v.FormValue("as"), v.FormValue("text"))
	}
	return r
}

func newKey() string { return strings.ToLower(rand.Text()) }

// done leads to the conversation, in the list that it went to; a transfer that took it out of sight leads to the list.
func (c *Console) done(v *visit, a act, cmd thread.Command, r command.Result) error {
	v.reached(viewQueue, r.Position)
	v.reached(viewHistory, r.Position)
	place := v.place()
	switch {
	case a.list == wherever && r.Conversation != nil && slices.Contains(lists(), r.Conversation.Sight().State):
		place.list = r.Conversation.Sight().State
	case a.list != wherever && a.list != "":
		place.list = a.list
	}
	if r.Conversation == nil || !access.MaySee(v.viewer, r.Conversation.Sight()) {
		place.open, place.told = "", "gone"
		if _, ok := cmd.(thread.Transfer); ok {
			place.told = "transferred"
		}
	}
	if a.name == "decline" && v.beside() {
		place.open, place.told = v.FormValue("open"), ""
	}
	if len(v.parts()) == 0 {
		return v.Redirect(http.StatusSeeOther, place.link())
	}
	v.Response().Header().Set("Turno-Location", place.link())
	return c.show(v, place, http.StatusOK, nil)
}

// refused shows the page with the refusal.
func (c *Console) refused(v *visit, r *domain.Refusal) error {
	p, _ := apihttp.ProblemOf(r)
	place := v.place()
	if v.beside() {
		place.open = v.FormValue("open")
	}
	return c.show(v, place, p.Status, r)
}

// beside reports whether the form stood beside the conversation that is open, which stays open then; it may be none.
func (v *visit) beside() bool { return v.FormValue("beside") != "" }

// slug makes what a person types as a tag or a category into the id that the log takes in clear.
func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(s)) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_' && b.Len() > 0:
			b.WriteRune(r)
		case strings.ContainsRune("áàâãäå", r):
			b.WriteByte('a')
		case strings.ContainsRune("éèêë", r):
			b.WriteByte('e')
		case strings.ContainsRune("íìîï", r):
			b.WriteByte('i')
		case strings.ContainsRune("óòôõö", r):
			b.WriteByte('o')
		case strings.ContainsRune("úùûü", r):
			b.WriteByte('u')
		case r == 'ñ':
			b.WriteByte('n')
		case r == 'ç':
			b.WriteByte('c')
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String()[:min(b.Len(), domain.MaxID)], "-_")
}
