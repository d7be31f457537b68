package directory_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/directory"
)

func TestDefinitionsAreFoundByWordsCategoryAndLanguage(t *testing.T) {
	log, d := history()
	put := func(id, category, language, text string, retired bool) {
		one := setting.Template{ID: id, Name: "El " + id, Category: category, Language: language, Text: text, Retired: retired}
		var e domain.Event = setting.TemplateDefined{Template: one}
		if retired {
			e = setting.TemplateRetired{Template: one}
		}
		d.Settings(domain.CategorySetting, "template."+id, "sara", e)
	}
	put("adios", "fin", "es", "Adiós {{contact.name}}", false)
	put("bye", "fin", "en", "Bye {{contact.name}}", false)
	put("viejo", "fin", "es", "Salud", true)
	put("hola", "inicio", "es", "Hola", false)
	put("hola", "inicio", "es", "¿Qué tal?", false)
	d.Settings(domain.CategorySetting, "tag.vip", "admin", setting.TagDefined{Tag: setting.Tag{ID: "vip", Name: "VIP"}})
	q, no := queries(t, log), false
	for name, c := range map[string]struct {
		filter directory.DefinitionFilter
		want   []string
	}{
		"all":                     {directory.DefinitionFilter{}, []string{"adios", "bye", "hola", "viejo"}},
		"words without accents":   {directory.DefinitionFilter{Q: "ADIOS el"}, []string{"adios"}},
		"of the newest text":      {directory.DefinitionFilter{Q: "que tal"}, []string{"hola"}},
		"a category, a language":  {directory.DefinitionFilter{Category: "fin", Language: "ES"}, []string{"adios", "viejo"}},
		"in use alone":            {directory.DefinitionFilter{Category: "fin", Retired: &no}, []string{"adios", "bye"}},
		"what a pattern would be": {directory.DefinitionFilter{Q: "%"}, nil},
	} {
		page, err := q.Definitions(context.Background(), "default", setting.KindTemplate, c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range page.Items {
			got = append(got, d.Ident())
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", name, d)
		}
	}
	first, err := q.Definitions(context.Background(), "default", setting.KindTemplate, directory.DefinitionFilter{Range: directory.Range{Limit: 3}})
	if err != nil || !first.HasMore {
		t.Fatalf("%v %v", first, err)
	}
	second, err := q.Definitions(context.Background(), "default", setting.KindTemplate, directory.DefinitionFilter{Range: directory.Range{Limit: 3, Cursor: first.Next}})
	if err != nil || len(second.Items) != 1 || second.Items[0].Ident() != "viejo" || second.HasMore {
		t.Errorf("the second page is %v, %v", second, err)
	}
	one, _, found, err := q.Definition(context.Background(), "default", setting.KindTag, "vip")
	if err != nil || !found {
		t.Fatal(found, err)
	}
	data, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	var shown map[string]any
	if err := json.Unmarshal(data, &shown); err != nil || shown["name"] != "VIP" || shown["retired"] != false || shown["revision"] == nil {
		t.Errorf("it is shown as %s, %v", data, err)
	}
}

// D11: who changed which setting is kept, without anything personal.
func TestChangesOfSettingsNameWhoMadeThem(t *testing.T) {
	log, d := history()
	d.Settings(domain.CategorySetting, "tag.vip", "sara", setting.TagDefined{Tag: setting.Tag{ID: "vip", Name: "VIP"}})
	d.Settings(domain.CategorySetting, "tag.vip", "adela", setting.TagRetired{Tag: setting.Tag{ID: "vip", Name: "VIP", Retired: true}})
	q := queries(t, log)
	page, err := q.Changes(context.Background(), "default", directory.ChangeFilter{Kind: "tag", ID: "vip"})
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]string
	for _, c := range page.Items {
		got = append(got, [2]string{c.Did, c.Actor})
	}
	if d := cmp.Diff([][2]string{{"retired", "operator:adela"}, {"defined", "operator:sara"}}, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	var kinds []string
	for cursor := ""; ; {
		page, err := q.Changes(context.Background(), "default", directory.ChangeFilter{Range: directory.Range{Limit: 2, Cursor: cursor}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Items {
			kinds = append(kinds, c.Kind)
			if (c.Kind == "operator" || c.Kind == "token") && c.Became != nil {
				t.Errorf("the change of a %s tells what it became: %s", c.Kind, c.Became)
			}
		}
		if cursor = page.Next; !page.HasMore {
			break
		}
	}
	if d := cmp.Diff([]string{"tag", "tag", "token", "operator", "channel", "department"}, kinds); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}
