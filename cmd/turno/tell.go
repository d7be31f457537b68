package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// tell says in a few English words what an event of a thread is; its actor stands before them.
func tell(e domain.Event) string {
	switch e := e.(type) {
	case thread.Opened:
		return tellOpened(e)
	case thread.MessageReceived:
		return "wrote: " + tellContent(e.Content)
	case thread.MessageSent:
		who := ""
		if e.Sender != thread.SenderHuman {
			who = " (" + string(e.Sender) + ")"
		}
		return "answered" + who + ": " + tellContent(e.Content)
	case thread.Queued:
		if e.List == thread.StateBot {
			return fmt.Sprintf("the bot has it, in %s (%s)", e.Department, e.Cause)
		}
		return fmt.Sprintf("it is %s in %s (%s)", strings.ReplaceAll(e.List, "_", " "), e.Department, e.Cause)
	case thread.Taken:
		return fmt.Sprintf("%s has it now, in %s (%s%s)", e.Operator, e.Department, e.How, prefixed(" by ", e.By))
	case thread.Released:
		return fmt.Sprintf("took it from %s (%s)%s", e.Operator, e.Cause, because(e.Reason))
	case thread.Offered:
		return fmt.Sprintf("offered it to %s until %s (%s, round %d)", strings.Join(e.Joined, ", "), e.Until.UTC().Format(time.RFC3339), e.Cause, e.Round)
	case thread.OfferDeclined:
		return e.Operator + " declined the offer"
	case thread.OfferEnded:
		return "the offer is over (" + string(e.Cause) + ")"
	case thread.Alerted:
		return fmt.Sprintf("alerted %s%s (%s)", e.Operator, prefixed("whoever is ", e.Role), e.Cause)
	case thread.Transferred:
		return fmt.Sprintf("transferred it from %s%s to %s%s%s", e.FromDepartment, prefixed(", ", e.FromOperator), e.Department,
			prefixed(", ", e.Operator), because(e.Reason))
	case thread.Paused:
		until := ""
		if e.Until != nil {
			until = " until " + e.Until.UTC().Format(time.RFC3339)
		}
		return "paused it" + until + because(e.Reason)
	case thread.Resumed:
		return "resumed it (" + e.Cause + ")"
	case thread.Tagged:
		return "tagged it " + strings.Join(e.Tags, ", ")
	case thread.Untagged:
		return "removed the tags " + strings.Join(e.Tags, ", ")
	case thread.Noted:
		return "noted: " + oneLine(e.Text)
	case thread.Mentioned:
		return "mentioned " + strings.Join(e.Operators, ", ")
	case thread.Classified:
		return "classified it" + tellClassified(e)
	case thread.TicketLinked:
		return fmt.Sprintf("put it into ticket %d (%s)%s", e.Ticket, e.How, prefixed(": ", oneLine(e.Subject)))
	case thread.TicketLinkProposed:
		return fmt.Sprintf("proposed ticket %d", e.Ticket)
	case thread.TicketLinkRejected:
		return fmt.Sprintf("rejected ticket %d%s", e.Ticket, because(e.Reason))
	case thread.MenuShown:
		return fmt.Sprintf("showed %s of the menu %s%s", e.Node, e.Menu, wrongly(e.Wrong))
	case thread.MenuAnswered:
		if e.Choice == "" {
			return "was given an answer that fits no choice"
		}
		return "was answered with " + e.Choice
	case thread.BotPaused:
		return "paused the bot"
	case thread.BotResumed:
		return "let the bot speak again"
	}
	return tellEnd(e)
}

func wrongly(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", after %d wrong answers", n)
}

// tellEnd is the part of tell that deals with the close and what comes after it.
func tellEnd(e domain.Event) string {
	switch e := e.(type) {
	case thread.Closed:
		s := "closed it (" + string(e.Reason) + ")"
		s += prefixed(", category ", e.Category)
		if e.Summary != "" {
			s += ", summary: " + oneLine(e.Summary)
		}
		if len(e.Incomplete) > 0 {
			s += ", without " + strings.Join(e.Incomplete, ", ")
		}
		if e.Override != "" {
			s += ", overriding: " + oneLine(e.Override)
		}
		return s + because(e.Comment)
	case thread.Reopened:
		return fmt.Sprintf("reopened it in %s (%s)%s", e.Department, e.By, because(e.Reason))
	case thread.SurveySent:
		return fmt.Sprintf("asked how it was (%s), until %s", e.Scale, e.Expires.UTC().Format(time.RFC3339))
	case thread.Rated:
		return tellRated(e)
	case thread.Archived:
		return "archived it (" + e.Cause + ")"
	case thread.Unarchived:
		return "brought it back from the archive (" + e.Cause + ")"
	case thread.Hidden:
		return "deleted it from view" + because(e.Reason)
	case thread.Read:
		return "read up to " + e.Message
	case thread.NetworkSeen:
		return "wrote from another network address"
	case thread.Erased:
		return "erased the contact's texts and names"
	}
	return tellRun(e)
}

// tellRun is the part of tell that deals with workflows.
func tellRun(e domain.Event) string {
	switch e := e.(type) {
	case thread.WorkflowStarted:
		return fmt.Sprintf("started the workflow %s (%s), version %d", e.Workflow, e.Trigger, e.Version)
	case thread.WorkflowAdvanced:
		return fmt.Sprintf("did step %d of %s: %s%s", e.Step, e.Workflow, e.Action, prefixed(" by ", string(e.Rule)))
	case thread.WorkflowWaited:
		return fmt.Sprintf("waits in %s until %s%s", e.Workflow, e.Due.UTC().Format(time.RFC3339), prefixed(", unless ", e.Unless))
	case thread.WorkflowEnded:
		return fmt.Sprintf("ended %s at step %d: %s%s", e.Workflow, e.Step, e.Outcome, prefixed(", ", e.Reason))
	case thread.WebhookRequested:
		return fmt.Sprintf("asked for a call of %s (%s, step %d)", e.Subscription, e.Workflow, e.Step)
	}
	return fmt.Sprintf("%T", e)
}

func tellOpened(e thread.Opened) string {
	whom := oneLine(e.Name)
	if e.Address != "" {
		whom = strings.TrimSpace(whom + " <" + oneLine(e.Address) + ">")
	}
	return fmt.Sprintf("opened ticket %d (%s) with %s on channel %s, department %s", e.Ticket, e.Direction, whom, e.Channel, e.Department)
}

func tellContent(c thread.Content) string {
	var parts []string
	if c.Kind != thread.KindText {
		parts = append(parts, "["+string(c.Kind)+"]")
	}
	if text := c.Written(); text != "" {
		parts = append(parts, oneLine(text))
	}
	for _, a := range c.Attachments {
		name := a.Name
		if name == "" {
			name = a.URL
		}
		parts = append(parts, fmt.Sprintf("[%s, %s, %d bytes]", oneLine(name), a.Type, a.Size))
	}
	if l := c.Location; l != nil {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("[%s, %s %s]", oneLine(l.Latitude), oneLine(l.Longitude), oneLine(l.Label))))
	}
	if k := c.ContactCard; k != nil {
		parts = append(parts, fmt.Sprintf("[%s, %s]", oneLine(k.Name), oneLine(k.Phone)))
	}
	return strings.Join(parts, " ")
}

func tellClassified(e thread.Classified) string {
	s := prefixed(", outcome ", e.Outcome) + prefixed(", interests ", strings.Join(e.Interests, " ")) +
		prefixed(", origin ", e.Origin) + prefixed(", stage ", e.Stage)
	if e.Score != 0 {
		s += fmt.Sprintf(", score %d", e.Score)
	}
	for _, name := range sortedKeys(e.Fields) {
		s += ", " + name + " = " + oneLine(e.Fields[name])
	}
	return s
}

func tellRated(e thread.Rated) string {
	s := fmt.Sprintf("rated it %d of 5", e.Score)
	if e.Satisfied != nil {
		s = "was not satisfied"
		if *e.Satisfied {
			s = "was satisfied"
		}
	}
	s += prefixed(", for ", e.CreditOperator)
	if e.Comment != "" {
		s += ": " + oneLine(e.Comment)
	}
	return s
}

func because(reason domain.Personal) string {
	if reason == "" {
		return ""
	}
	return ", because: " + oneLine(reason)
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// oneLine keeps what a person typed from breaking out of its line, or steering a terminal.
func oneLine(p domain.Personal) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == 0x2028 || r == 0x2029:
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return -1
		}
		return r
	}, string(p))
}
