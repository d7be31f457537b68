package console

import (
	"net/http"

	"github.com/turno-desk/turno/domain/setting"
)

// steps are what an empty desk needs before anybody can work at it, and which of it is there.
type steps struct{ Department, Channel, Operator, Token bool }

func stepsOf(img *setting.Image) steps {
	var s steps
	for _, d := range img.Departments {
		s.Department = s.Department || !d.Retired
	}
	for _, c := range img.Channels {
		s.Channel = s.Channel || !c.Retired
	}
	for _, o := range img.Operators {
		s.Operator = s.Operator || o.Active
	}
	for _, t := range img.Tokens {
		s.Token = s.Token || !t.Revoked && len(t.Owner) > len("operator:") && t.Owner[:len("operator:")] == "operator:"
	}
	return s
}

// showFirstSteps explains an empty desk, with lines to copy.
func (c *Console) showFirstSteps(v *visit) error {
	img, err := c.Settings.Snapshot(v.ctx())
	if err != nil {
		return err
	}
	f := v.frame()
	f.Who = v.person(img)
	return v.render(http.StatusOK, firstStepsPage(f, stepsOf(img), v.address()))
}
