package setting

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
)

// Image is the configuration of one workspace at Position. It is immutable: Apply gives a new one.
type Image struct {
	Workspace   string
	Position    domain.Position // of the newest settings commit in it
	Operators   map[string]operator.Definition
	Presence    map[string]presence.Status
	Departments map[string]department.Definition
	Channels    map[string]Channel
	Tokens      map[string]Token
}
