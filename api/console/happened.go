package console

import (
	"strconv"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
)

// happened is what an event shows that is nobody's words.
func (v *visit) happened(e *history.Entry, actor string, img *setting.Image) (*entry, error) {
	said := func(icon, key string, pairs ...string) *entry {
		return &entry{Form: entrySystem, Icon: icon, Text: v.T("event."+key, append(pairs, "actor", actor)...)}
	}
	name := func(id string) string { return operatorName(img, id) }
	names := func(ids []string) string { return operatorNames(img, ids) }
	switch e.Type {
	case "opened":
		o, err := read[thread.Opened](e)
		if o.Direction == thread.Outbound {
			return said("open", "opened_outbound", "department", departmentName(img, o.Department)), err
		}
		return said("open", "opened", "department", departmentName(img, o.Department)), err
	case "queued":
		q, err := read[thread.Queued](e)
		key := "queued." + q.Cause
		if q.List == thread.StateOutOfHours {
			return said("out_of_hours", "out_of_hours", "department", departmentName(img, q.Department)), err
		}
		if v.Has("event." + key) {
			return said(q.List, key, "department", departmentName(img, q.Department)), err
		}
		return nil, err // the opening, the release, the transfer or the reopening before it says so
	case "taken":
		t, err := read[thread.Taken](e)
		switch t.How {
		case thread.TakenTransfer, thread.TakenOutbound, thread.TakenByReopener:
			return nil, err
		case thread.TakenAssigned, thread.TakenByRule, thread.TakenDedicated, thread.TakenSticky, thread.TakenDirect:
			return said("take", "assigned", "operator", name(t.Operator)), err
		case thread.TakenOver:
			return said("take", "taken_over", "operator", name(t.Operator)), err
		}
		return said("take", "taken", "operator", name(t.Operator)), err
	case "released":
		r, err := read[thread.Released](e)
		switch r.Cause {
		case "taken_over", "assigned", "transferred":
			return nil, err
		case "manual":
			return v.because(said("release", "released", "operator", name(r.Operator)), r.Reason), err
		case thread.CauseUnattended, "deactivated", "left_department":
			return v.because(said("warning", "released."+r.Cause, "operator", name(r.Operator)), r.Reason), err
		}
		return v.because(said("release", "released_by", "operator", name(r.Operator)), r.Reason), err
	case "transferred":
		t, err := read[thread.Transferred](e)
		if t.Operator != "" {
			return v.because(said("transfer", "transferred_to", "department", departmentName(img, t.Department), "operator", name(t.Operator)), t.Reason), err
		}
		return v.because(said("transfer", "transferred", "department", departmentName(img, t.Department)), t.Reason), err
	case "paused":
		p, err := read[thread.Paused](e)
		h := said("pause", "paused")
		if p.Until != nil {
			h.Until = *p.Until
		}
		return v.because(h, p.Reason), err
	case "resumed":
		r, err := read[thread.Resumed](e)
		if r.Cause == "inbound" {
			return said("resume", "resumed_inbound"), err
		}
		return said("resume", "resumed"), err
	case "tagged":
		t, err := read[thread.Tagged](e)
		return said("tag", "tagged", "tags", strings.Join(t.Tags, ", ")), err
	case "untagged":
		t, err := read[thread.Untagged](e)
		return said("tag", "untagged", "tags", strings.Join(t.Tags, ", ")), err
	case "mentioned":
		m, err := read[thread.Mentioned](e)
		return said("note", "mentioned", "operators", names(m.Operators)), err
	case "closed":
		c, err := read[thread.Closed](e)
		h := said("close", "closed."+string(c.Reason))
		if c.Category != "" {
			h.Text += " · " + c.Category
		}
		return v.because(h, c.Summary), err
	case "reopened":
		r, err := read[thread.Reopened](e)
		return v.because(said("open", "reopened"), r.Reason), err
	case "rated":
		r, err := read[thread.Rated](e)
		switch {
		case r.Satisfied != nil && *r.Satisfied:
			return v.because(said("star", "rated_yes"), r.Comment), err
		case r.Satisfied != nil:
			return v.because(said("star", "rated_no"), r.Comment), err
		}
		return v.because(said("star", "rated", "score", strconv.Itoa(r.Score)), r.Comment), err
	case "classified", "hidden", "erased":
		return said("note", e.Type), nil
	case "offered":
		o, err := read[thread.Offered](e)
		h := said("offer", "offered", "operators", names(o.Joined))
		h.Until = o.Until
		return h, err
	case "offer_declined":
		o, err := read[thread.OfferDeclined](e)
		return said("x", "offer_declined", "operator", name(o.Operator)), err
	case "offer_ended":
		o, err := read[thread.OfferEnded](e)
		return said("clock", "offer_ended."+string(o.Cause)), err
	case "alerted":
		a, err := read[thread.Alerted](e)
		return said("warning", "alerted."+string(a.Cause)), err
	case "bot_paused", "bot_resumed":
		return said("bot", e.Type), nil
	case "survey_sent":
		return said("star", "survey_sent"), nil
	case "ticket_linked":
		l, err := read[thread.TicketLinked](e)
		return said("open", "ticket_linked."+string(l.How), "number", number(l.Ticket)), err
	case "ticket_link_proposed":
		l, err := read[thread.TicketLinkProposed](e)
		return said("open", "ticket_link_proposed", "number", number(l.Ticket)), err
	case "ticket_link_rejected":
		l, err := read[thread.TicketLinkRejected](e)
		return v.because(said("x", "ticket_link_rejected", "number", number(l.Ticket)), l.Reason), err
	case "workflow_started":
		w, err := read[thread.WorkflowStarted](e)
		return said("flow", "workflow_started", "workflow", workflowName(img, w.Workflow)), err
	case "workflow_advanced":
		w, err := read[thread.WorkflowAdvanced](e)
		return said("flow", "workflow_advanced", "workflow", workflowName(img, w.Workflow), "step", v.T("step."+w.Action)), err
	case "workflow_waited":
		w, err := read[thread.WorkflowWaited](e)
		h := said("clock", "workflow_waited", "workflow", workflowName(img, w.Workflow))
		h.Until = w.Due
		return h, err
	case "workflow_ended":
		w, err := read[thread.WorkflowEnded](e)
		return said("flow", "workflow_ended."+string(w.Outcome), "workflow", workflowName(img, w.Workflow)), err
	case "webhook_requested":
		w, err := read[thread.WebhookRequested](e)
		return said("send", "webhook_requested", "workflow", workflowName(img, w.Workflow), "subscription", w.Subscription), err
	}
	return nil, nil // of silent()
}

// silent are the events that change a list, a mark or a count, and say nothing to who reads the conversation. What the
// bot shows and what it makes of an answer stand at the messages.
func silent() []string {
	return []string{"archived", "unarchived", "read", "network_seen", "menu_shown", "menu_answered"}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func workflowName(img *setting.Image, id string) string {
	if w, ok := img.Workflow(id); ok && w.Name != "" {
		return w.Name
	}
	return id
}

// because adds somebody's words to what happened.
func (v *visit) because(e *entry, reason domain.Personal) *entry {
	e.Extra = v.erased(reason)
	return e
}
