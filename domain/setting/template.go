package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// MaxTemplate is the longest text of a template or of a macro's step, in bytes.
const MaxTemplate = 4096

// Template is a text that people write again and again (F051, F066). It is the company's, and nothing in it is personal:
// what is, stands for itself as a variable.
type Template struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Category string `json:"category,omitempty"` // an id: people choose among them
	Language string `json:"language,omitempty"` // BCP 47: es, pt-br
	Text     string `json:"text"`
	Retired  bool   `json:"retired,omitempty"`
}

// TemplateDefined makes a template, or replaces its definition. Aggregate setting/template.<id>.
type TemplateDefined struct{ Template }

// TemplateRetired takes it out of use.
type TemplateRetired struct{ Template }

func (TemplateDefined) event() {}
func (TemplateRetired) event() {}

// Kind is template.
func (Template) Kind() Kind { return KindTemplate }

// Ident is its id.
func (t Template) Ident() string { return t.ID }

// OutOfUse reports whether it was retired.
func (t Template) OutOfUse() bool { return t.Retired }

func (t Template) settled(img *Image) (Definition, []string) {
	t.Name, t.Language, t.Retired = strings.TrimSpace(t.Name), strings.ToLower(t.Language), false
	var bad []string
	if !line(t.Name, MaxName) {
		bad = append(bad, "name")
	}
	if t.Category != "" && !domain.ValidID(t.Category) {
		bad = append(bad, "category")
	}
	if t.Language != "" && !domain.ValidID(t.Language) {
		bad = append(bad, "language")
	}
	return t, append(bad, checkText("text", t.Text)...)
}

func (Template) wants() string {
	return "A template takes a name, a text of up to 4096 bytes with variables like {{contact.name}}, and optionally a category and a language."
}

func (t Template) defined() Event { return TemplateDefined{t} }
func (t Template) retired() Event { t.Retired = true; return TemplateRetired{t} }

// Template finds a template, retired or not.
func (i *Image) Template(id string) (Template, bool) { return find[Template](i, KindTemplate, id) }

// checkText names what is wrong with a text that has variables: itself, or those that there are none of.
func checkText(field, text string) []string {
	if strings.TrimSpace(text) == "" || !domain.Fits(domain.Personal(text), MaxTemplate) {
		return []string{field}
	}
	var bad []string
	for _, v := range domain.Variables(text) {
		if !ValidVariable(v) {
			bad = append(bad, "variable:"+v)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(bad)))
}
