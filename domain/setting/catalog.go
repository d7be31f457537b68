package setting

import (
	"slices"
	"strings"

	"github.com/turno-desk/turno/domain"
)

// The catalogues.
const (
	CatalogOrigins    = "origins"    // where contacts come from
	CatalogInterests  = "interests"  // the company's products and services
	CatalogCategories = "categories" // of closing notes
)

const maxItems = 1000

// Catalog is a list that the company loads, and that people choose from (F094, F100). A list that nobody loaded binds
// nobody, save the origins, which begin as facebook, google and instagram.
type Catalog struct {
	ID      string `json:"id"` // origins, interests, categories
	Items   []Item `json:"items"`
	Retired bool   `json:"retired,omitempty"`
}

// Item is one choice.
type Item struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// CatalogDefined loads a list, or replaces it. Aggregate setting/catalog.<id>.
type CatalogDefined struct{ Catalog }

// CatalogRetired takes it out of use: anything may be said again.
type CatalogRetired struct{ Catalog }

func (CatalogDefined) event() {}
func (CatalogRetired) event() {}

// Kind is catalog.
func (Catalog) Kind() Kind { return KindCatalog }

// Ident is its id.
func (c Catalog) Ident() string { return c.ID }

// OutOfUse reports whether it was retired.
func (c Catalog) OutOfUse() bool { return c.Retired }

func (c Catalog) settled(*Image) (Definition, []string) {
	c.Retired, c.Items = false, slices.Clone(c.Items)
	var bad []string
	if c.ID != CatalogOrigins && c.ID != CatalogInterests && c.ID != CatalogCategories {
		bad = append(bad, "id")
	}
	var all []string
	for k := range c.Items {
		it := &c.Items[k]
		if it.Name = strings.TrimSpace(it.Name); !line(it.Name, MaxName) {
			bad = append(bad, "items")
		}
		all = append(all, it.ID)
	}
	if len(all) == 0 || !ids(all, maxItems) {
		bad = append(bad, "items")
	}
	return c, slices.Compact(bad)
}

func (Catalog) wants() string {
	return "A catalogue is origins, interests or categories, and takes 1 to 1000 items, each with an id and a name."
}

func (c Catalog) defined() Event { return CatalogDefined{c} }
func (c Catalog) retired() Event { c.Retired = true; return CatalogRetired{c} }

// DefaultOrigins is where contacts come from as long as the company has loaded no list of its own.
func DefaultOrigins() Catalog {
	return Catalog{ID: CatalogOrigins, Items: []Item{{"facebook", "Facebook"}, {"google", "Google"}, {"instagram", "Instagram"}}}
}

// Catalog is the list that binds now; false when none does.
func (i *Image) Catalog(id string) (Catalog, bool) {
	c, ok := find[Catalog](i, KindCatalog, id)
	if !ok && id == CatalogOrigins {
		return DefaultOrigins(), true
	}
	return c, ok && !c.Retired
}

// CheckChoice refuses what is not in a catalogue. Nothing chosen is no choice, and is let through.
func (i *Image) CheckChoice(catalog, what string, chosen ...string) *domain.Refusal {
	c, binds := i.Catalog(catalog)
	if !binds {
		return nil
	}
	for _, id := range chosen {
		if id != "" && !slices.ContainsFunc(c.Items, func(it Item) bool { return it.ID == id }) {
			return &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{what}, OnSettings: true,
				Detail: "It is not in the company's list of " + catalog + "."}
		}
	}
	return nil
}
