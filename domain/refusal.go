package domain

import (
	"strings"
	"time"
)

// Code names the rule that refused a command. Codes are part of the API and never change their meaning.
type Code string

// Codes that more than one aggregate uses. Those of one aggregate stand beside its rules.
const (
	CodeNotFound       Code = "not_found"      // there is none, or the actor may not see it
	CodeForbidden      Code = "forbidden"      // seen, but the actor's role does not allow this
	CodeInvalid        Code = "invalid"        // a field is missing or malformed; Missing names the fields
	CodeStale          Code = "stale_revision" // If-Match named another revision
	CodeKeyReused      Code = "idempotency_key_reused"
	CodeNotAllowed     Code = "not_allowed_in_state" // State and Allowed say more
	CodeUnknownSetting Code = "unknown_setting"      // department, channel, operator … that does not exist
	CodeRetired        Code = "retired"              // … that was retired or deactivated
	CodeInUse          Code = "in_use"               // other settings rest on it; Missing names them: "channel:web", "operator:ana"
	CodeTooLarge       Code = "too_large"
	CodeOutOfOrder     Code = "out_of_order" // an import's time is before what the thread already holds
)

// Refusal says that a rule of the domain forbids a command. It is expected, shown to people and never logged as an error.
type Refusal struct {
	Code    Code
	Detail  string    // one English sentence for people, free of personal data
	Missing []string  // what is missing, e.g. "category", "field:motivo"
	State   string    // the conversation's state, when it is the reason
	Allowed []string  // what is allowed in that state
	Owner   string    // id of the operator who has it, when that is the reason
	Until   time.Time // when the reason ends by itself, where that is known; zero: it is not

	// OnSettings marks a refusal that rests on the settings image (unknown id, no right, retired): the caller confirms it
	// against the log before answering.
	OnSettings bool
}

// Error makes a refusal travel as an error. errors.As finds it again.
func (r *Refusal) Error() string {
	s := string(r.Code)
	if r.Detail != "" {
		s += ": " + r.Detail
	}
	if len(r.Missing) > 0 {
		s += " (" + strings.Join(r.Missing, ", ") + ")"
	}
	return s
}
