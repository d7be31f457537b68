package http

import (
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
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
