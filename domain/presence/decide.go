package presence

import (
	"strings"

	"github.com/turno-desk/turno/domain"
)

// MaxReason is the longest reason, in bytes.
const MaxReason = 500

// The causes of a disconnection.
const (
	CauseLeft        = "left"        // the operator said so
	CauseLost        = "lost"        // not heard of for too long
	CauseDeactivated = "deactivated" // the operator's access ended
)

// New is the status of an operator before the first event: not connected, and available once that changes.
func New(operator string) Status { return Status{Operator: operator, Available: true} }

// DecideConnect says that the operator's console is there; again is nothing. Availability stays as it was set last.
func DecideConnect(is Status) []Event {
	if is.Connected {
		return nil
	}
	is.Connected = true
	return []Event{Connected{is}}
}

// DecideDisconnect says that it is gone; again is nothing.
func DecideDisconnect(is Status, cause string) []Event {
	if !is.Connected {
		return nil
	}
	is.Connected = false
	return []Event{Disconnected{Status: is, Cause: cause}}
}

// DecideAvailability says whether the operator takes new conversations, and why not; by is the supervisor who set it, or
// empty. Saying the same again makes nothing; another reason for being away is a change.
func DecideAvailability(is Status, available bool, reason domain.Personal, by string) ([]Event, *domain.Refusal) {
	reason = domain.Personal(strings.TrimSpace(string(reason)))
	if !domain.Fits(reason, MaxReason) {
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"reason"}, Detail: "A reason is text of up to 500 bytes."}
	}
	if available {
		reason = ""
	}
	if is.Available == available && is.Reason == reason {
		return nil, nil
	}
	is.Available, is.Reason = available, reason
	if available {
		return []Event{BecameAvailable{Status: is, By: by}}, nil
	}
	return []Event{BecameUnavailable{Status: is, By: by}}, nil
}
