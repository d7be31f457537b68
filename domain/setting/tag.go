package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// Tag is a label that the company has for its contacts, its conversations, or both (F054, F123). Where it has defined none
// any id is one.
type Tag struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	On      []string `json:"on,omitempty"` // conversation, contact; both when empty
	Retired bool     `json:"retired,omitempty"`
}

// TagDefined makes a tag, or replaces its definition. Aggregate setting/tag.<id>.
type TagDefined struct{ Tag }

// TagRetired takes it out of use: it is put on nothing more. Where it stands it stays.
type TagRetired struct{ Tag }

func (TagDefined) event() {}
func (TagRetired) event() {}

// Kind is tag.
func (Tag) Kind() Kind { return KindTag }

// Ident is its id.
func (t Tag) Ident() string { return t.ID }

// OutOfUse reports whether it was retired.
func (t Tag) OutOfUse() bool { return t.Retired }

func (t Tag) settled(*Image) (Definition, []string) {
	t.Name, t.Retired = strings.TrimSpace(t.Name), false
	t.On = slices.Compact(slices.Sorted(slices.Values(t.On)))
	var bad []string
	if !line(t.Name, MaxName) {
		bad = append(bad, "name")
	}
	if slices.ContainsFunc(t.On, func(on string) bool { return on != OnConversation && on != OnContact }) {
		bad = append(bad, "on")
	}
	if len(t.On) == 0 {
		t.On = nil
	}
	return t, bad
}

func (Tag) wants() string {
	return "A tag takes a name, and optionally what it is put on: conversation, contact."
}

func (t Tag) defined() Event { return TagDefined{t} }
func (t Tag) retired() Event { t.Retired = true; return TagRetired{t} }

func (t Tag) fits(on string) bool { return len(t.On) == 0 || slices.Contains(t.On, on) }

// CheckTags refuses to put tags on conversations or contacts that the company doesn't have for them. A company that has
// defined none for them takes any.
func (i *Image) CheckTags(on string, tags []string) *domain.Refusal {
	binds := false
	for _, d := range i.Definitions {
		if t, ok := d.(Tag); ok && t.fits(on) {
			binds = true
			break
		}
	}
	var unknown []string
	for _, id := range tags {
		if t, ok := find[Tag](i, KindTag, id); binds && (!ok || t.Retired || !t.fits(on)) {
			unknown = append(unknown, "tag:"+id)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: unknown, OnSettings: true, Detail: "There are no such tags, or they are no longer in use."}
}
