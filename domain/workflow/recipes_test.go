package workflow_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/workflow"
)

// F102 F015 F127: every ready-made workflow is off, can be put as it is once what must be edited names something, and says so.
func TestRecipesAreOffAndCanBePut(t *testing.T) {
	img := &setting.Image{
		Departments: map[string]department.Definition{"sales": {ID: "sales"}, "support": {ID: "support"}},
		Operators:   map[string]operator.Definition{"nora": {ID: "nora", Active: true}},
		Definitions: map[setting.Name]setting.Definition{{Kind: setting.KindSubscription, ID: "crm"}: setting.Subscription{ID: "crm"}},
	}
	var last string
	for _, r := range workflow.Recipes() {
		if r.ID <= last || r.Enabled || !strings.HasSuffix(r.About, ".") {
			t.Errorf("%s is out of order, enabled or not told of", r.ID)
		}
		last = r.ID
		if events, refusal := setting.DecideDefine(nil, r.Workflow, img); refusal != nil || len(events) != 1 {
			t.Errorf("%s makes %v, %v", r.ID, events, refusal)
		}
		_, refusal := setting.DecideDefine(nil, r.Workflow, &setting.Image{})
		if named := slices.ContainsFunc(r.Edit, func(e string) bool { return strings.HasPrefix(e, "steps.") }); (refusal != nil) != named {
			t.Errorf("%s on an empty desk: %v, to be edited %v", r.ID, refusal, r.Edit)
		}
	}
}
