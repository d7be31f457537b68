package http

import (
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/workflow"
)

// WorkflowTemplates are the ready-made workflows.
type WorkflowTemplates struct {
	Items    []workflow.Recipe `json:"items"`
	Position domain.Position   `json:"position"` // of the settings
}

// workflowTemplates lists the ready-made workflows (F102).
func (s *Server) workflowTemplates(c *call) error {
	image, err := s.Settings.Snapshot(c.ctx())
	if err != nil {
		return err
	}
	return c.ok(image.Position, WorkflowTemplates{Items: workflow.Recipes(), Position: image.Position})
}
