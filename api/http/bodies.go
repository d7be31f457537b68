package http

import (
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/hours"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

// ParseCommand reads the body of POST /v1/conversations/{id}/<action> from elsewhere than a request: an import takes the same
// bodies. known is false when there is no such action. The error is a *Problem without anything that a person typed.
func ParseCommand(action string, body []byte) (cmd thread.Command, known bool, err error) {
	for _, a := range actions() {
		if a.name == action {
			if cmd, err = a.decode(body); err == nil {
				if _, unwritten := cmd.(templated); unwritten {
					return nil, true, invalid("template", "A history holds texts, not templates.")
				}
			}
			return cmd, true, err
		}
	}
	return nil, false, nil
}

// Commands are the names that ParseCommand knows.
func Commands() []string {
	var names []string
	for _, a := range actions() {
		names = append(names, a.name)
	}
	return names
}

// OwnCommands are the names that ParseOwn knows.
func OwnCommands() []string { return []string{"distribute", "drain", "offer", "survey", "withdraw"} }

// ParseOwn reads what a history says that Turno itself, or what was there before it, has done with a conversation: no path of the API
// takes it. known is false for other commands.
func ParseOwn(name string, body []byte) (cmd thread.Command, known bool, err error) {
	switch name {
	case "distribute":
		cmd, err = as[distributeBody](body)
	case "drain":
		cmd, err = as[drainBody](body)
	case "offer":
		cmd, err = as[offerBody](body)
	case "survey":
		cmd, err = as[surveyBody](body)
	case "withdraw":
		cmd, err = as[withdrawBody](body)
	default:
		return nil, false, nil
	}
	return cmd, true, err
}

type (
	distributeBody struct {
		Operator   string              `json:"operator"`
		Department string              `json:"department"`
		Rule       routing.Rule        `json:"rule"`
		Candidates []routing.Candidate `json:"candidates"`
		Omitted    int                 `json:"omitted"`
	}
	drainBody struct{}
	offerBody struct {
		Operators  []string            `json:"operators"`
		Department string              `json:"department"`
		Round      int                 `json:"round"`
		For        int64               `json:"for_s"`
		Candidates []routing.Candidate `json:"candidates"`
		Omitted    int                 `json:"omitted"`
	}
	withdrawBody struct {
		Round int             `json:"round"`
		Cause thread.OfferEnd `json:"cause"`
	}
)

func (b distributeBody) command() (thread.Command, error) {
	if !domain.ValidID(b.Operator) {
		return nil, missing("operator")
	}
	return thread.Distribute{Operator: b.Operator, Department: b.Department,
		Assignment: routing.Assignment{Rule: b.Rule, Candidates: b.Candidates, Omitted: b.Omitted}}, nil
}

func (drainBody) command() (thread.Command, error) { return thread.Drain{}, nil }

func (b offerBody) command() (thread.Command, error) {
	if len(b.Operators) == 0 || b.Round < 1 {
		return nil, missing("operators", "round")
	}
	if b.For < 1 || b.For > 24*3600 {
		return nil, invalid("for_s", "An offer stands for 1 second to a day.")
	}
	return thread.Offer{Operators: b.Operators, Department: b.Department, Round: b.Round, For: time.Duration(b.For) * time.Second,
		Assignment: routing.Assignment{Rule: routing.LongestIdle, Candidates: b.Candidates, Omitted: b.Omitted}}, nil
}

func (b withdrawBody) command() (thread.Command, error) {
	switch b.Cause {
	case thread.OfferExhausted, thread.OfferExpired, thread.OfferRefused:
		return thread.Withdraw{Round: b.Round, Cause: b.Cause}, nil
	}
	return nil, invalid("cause", "An offer ends nobody_left, expired or declined.")
}

// ParseCalendar reads the body of PUT /v1/calendars/{id}.
func ParseCalendar(id string, body []byte) (hours.Put, error) {
	var b calendarBody
	err := decode(body, &b)
	return b.put(id), err
}

// ParseInbound reads the body of POST /v1/channels/{channel}/messages.
func ParseInbound(channel string, body []byte) (command.Inbound, error) {
	var b inboundBody
	if err := decode(body, &b); err != nil {
		return command.Inbound{}, err
	}
	return b.inbound(channel)
}

// ParseOutbound reads the body of POST /v1/conversations that names a channel and an address.
func ParseOutbound(body []byte) (command.Outbound, error) {
	var b outboundBody
	if err := decode(body, &b); err != nil {
		return command.Outbound{}, err
	}
	switch {
	case !domain.ValidID(b.Channel):
		return command.Outbound{}, missing("channel")
	case b.Address == "" || b.Contact != "":
		return command.Outbound{}, missing("address")
	case b.Template != "":
		return command.Outbound{}, invalid("template", "A history holds texts, not templates.")
	}
	content, err := complete(b.Content)
	return command.Outbound{Channel: b.Channel, Address: b.Address, Name: b.Name, Department: b.Department, Content: content}, err
}

// ParseOperator reads the body of PUT /v1/operators/{id}.
func ParseOperator(id string, body []byte) (operator.Put, error) {
	var b operatorBody
	err := decode(body, &b)
	return b.put(id), err
}

// ParseDepartment reads the body of PUT /v1/departments/{id}.
func ParseDepartment(id string, body []byte) (department.Put, error) {
	var b departmentBody
	err := decode(body, &b)
	return b.put(id), err
}

// ParseChannel reads the body of PUT /v1/channels/{id}.
func ParseChannel(id string, body []byte) (setting.PutChannel, error) {
	var b channelBody
	err := decode(body, &b)
	return b.put(id), err
}

// ParsePresence reads the body of POST /v1/operators/{id}/presence: whether the console is there.
func ParsePresence(body []byte) (connected bool, err error) {
	var b presenceBody
	err = decode(body, &b)
	return b.Connected == nil || *b.Connected, err
}

// ParseAvailability reads the body of POST /v1/operators/{id}/availability.
func ParseAvailability(body []byte) (available bool, reason domain.Personal, err error) {
	var b availabilityBody
	if err := decode(body, &b); err != nil {
		return false, "", err
	}
	if b.Available == nil {
		return false, "", missing("available")
	}
	return *b.Available, b.Reason, nil
}

type surveyBody struct {
	Scale   survey.Scale    `json:"scale"`
	Text    domain.Personal `json:"text"`
	Expires int64           `json:"expires_s"` // 0: 24 hours
}

func (b surveyBody) command() (thread.Command, error) {
	return thread.Survey{Scale: b.Scale, Text: b.Text, Expires: survey.Settings{Expires: b.Expires}.ExpiresIn()}, nil
}
