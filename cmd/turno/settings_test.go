package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const shop = `# A small shop.
fields:
  motivo:
    name: Motivo
    on: conversation
    type: text
catalogs:
  categories:
    items:
      - id: pago
        name: Pago
funnels:
  b2b:
    name: Empresas
    stages:
      - id: oferta
        name: Oferta
    fields: [motivo]
tags:
  vip:
    name: VIP
templates:
  saludo:
    name: Saludo
    language: es
    text: |-
      Hola {{contact.name}},
      ¿en qué ayudamos?
macros:
  hola:
    name: Hola
    steps:
      - action: messages
        template: saludo
segments:
  nuevos:
    name: Nuevos
    filter:
      known: false
subscriptions:
  crm:
    url: https://crm.example.com/turno
    types: ['conversation.*']
    enabled: true
calendars:
  horario:
    name: Horario
    zone: America/Montevideo
    week:
      monday:
        - from: "09:00"
          to: "18:00"
departments:
  tienda:
    name: Tienda
    capacity: 4
    settings:
      calendar: horario
    close:
      fields: [motivo]
      funnel: b2b
      ticket_link: required
channels:
  tienda:
    type: generic
    name: Tienda
    department: tienda
operators:
  tito:
    name: Tito
    role: operator
    departments: [tienda]
`

func settingsFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSettingsAreAppliedOnceAndExportedAsTheyWereWritten(t *testing.T) {
	s := serveOn(t, t.TempDir())
	file := settingsFile(t, shop)
	settings := func(args ...string) string {
		t.Helper()
		out, _, err := turno(t, append([]string{"settings", "--url", s.url, "--token", adminToken}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := "+ fields.motivo\n+ funnels.b2b\n+ catalogs.categories\n+ tags.vip\n+ templates.saludo\n+ macros.hola\n+ segments.nuevos\n" +
		"+ subscriptions.crm\n" +
		"+ calendars.horario\n+ departments.tienda\n+ operators.tito\n+ channels.tienda\n"
	if d := cmp.Diff(want+"12 of 12 would change\n", settings("apply", file, "--dry-run")); d != "" {
		t.Errorf("a dry run says (-want +got)\n%s", d)
	}
	if out := settings("export"); strings.TrimSpace(out) != "{}" {
		t.Errorf("after a dry run there is\n%s", out)
	}
	if d := cmp.Diff(want+"12 of 12 changed\n", settings("apply", file)); d != "" {
		t.Errorf("the first run says (-want +got)\n%s", d)
	}
	if out := settings("apply", file); out != "0 of 12 changed\n" {
		t.Errorf("the second run says %q", out)
	}
	out := settings("export")
	items, err := readSettings([]byte(shop))
	if err != nil {
		t.Fatal(err)
	}
	back, err := readSettings([]byte(out))
	if err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	bodies := func(items []settingsItem) map[string]string {
		all := map[string]string{}
		for _, i := range items {
			all[i.String()] = string(i.body)
		}
		return all
	}
	got := bodies(back)
	for name, body := range bodies(items) {
		if got[name] != body {
			t.Errorf("%s is exported as\n%s\nand was\n%s", name, got[name], body)
		}
	}
	changed := settingsFile(t, strings.Replace(out, "capacity: 4", "capacity: 5", 1))
	if out := settings("apply", changed); out != "~ departments.tienda\n1 of 12 changed\n" {
		t.Errorf("a file with one change says %q", out)
	}
	planned := settingsFile(t, "calendars:\n  horario: {name: Horario, zone: America/Montevideo, from: '2126-01-01T03:00:00Z'}\n")
	if out := settings("apply", planned); out != "~ calendars.horario\n1 of 1 changed\n" {
		t.Errorf("hours to come say %q", out)
	}
	if out := settings("export"); !strings.Contains(out, "2126-01-01T03:00:00Z") {
		t.Errorf("hours to come are exported as\n%s", out)
	} else if out := settings("apply", settingsFile(t, out)); out != "0 of 12 changed\n" {
		t.Errorf("hours to come, applied again, say %q", out)
	}
}

func TestADeskWhoseOperatorHasLeftStillTakesAFile(t *testing.T) {
	s := serveOn(t, t.TempDir())
	settings := func(args ...string) (string, error) {
		out, _, err := turno(t, append([]string{"settings", "--url", s.url, "--token", adminToken}, args...)...)
		return out, err
	}
	ours := "departments:\n  tienda: {name: Tienda}\noperators:\n  tito: {name: Tito, role: operator, departments: [tienda]}\n"
	theirs := "workflows:\n  suyo:\n    name: Suyo\n    trigger: {on: opened}\n    steps: [{action: assign, operator: tito}]\n"
	if out, err := settings("apply", settingsFile(t, ours+theirs)); err != nil {
		t.Fatal(out, err)
	}
	s.call(200, "", "POST", "/v1/operators/tito/deactivate", nil)
	if out, err := settings("apply", settingsFile(t, "tags:\n  vip: {name: VIP}\n")); err != nil || out != "+ tags.vip\n1 of 1 changed\n" {
		t.Errorf("a file about something else says %q, %v", out, err)
	}
	if out, err := settings("apply", settingsFile(t, theirs)); err == nil || !strings.Contains(err.Error(), "line 2: workflows.suyo") || !strings.Contains(err.Error(), "operator:tito") {
		t.Errorf("a file that names them says %q, %v", out, err)
	}
}

func TestSettingsThatNobodyKnowsAreRefusedWithTheirLines(t *testing.T) {
	for name, c := range map[string]struct{ file, want string }{
		"a section":   {"kanals:\n  web: {}\n", `line 1: there are no settings "kanals"`},
		"a key":       {"tags:\n  vip:\n    name: VIP\n    colour: red\n", `line 4: tags.vip has no "colour"`},
		"a deep key":  {"departments:\n  a:\n    name: A\n    close:\n      sumary: true\n", `line 5: departments.a.close has no "sumary"`},
		"in a list":   {"catalogs:\n  origins:\n    items:\n      - id: x\n        nme: X\n", `line 5: catalogs.origins.items has no "nme"`},
		"all at once": {"a: {}\nb: {}\n", "line 2: there are no settings"},
		"said twice":  {"tags:\n  vip: {name: A}\ntags:\n  vip: {name: B}\n", `line 3: "tags" is there twice, first in line 1`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readSettings([]byte(c.file))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("it is refused with %v, want %s", err, c.want)
			}
		})
	}
}

func TestAFileOfSettingsIsAppliedWholeOrNotAtAll(t *testing.T) {
	s := serveOn(t, t.TempDir())
	file := settingsFile(t, "tags:\n  vip: {name: VIP}\ntemplates:\n  hola:\n    name: Hola\n    text: 'Hola {{contact.nombre}}'\nchannels:\n  web: {type: generic, name: Web, department: nada}\n")
	out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "apply", file)
	for _, want := range []string{"line 4: templates.hola", "variable:contact.nombre", "line 8: channels.web", "department:nada", "nothing was changed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it is refused with %v, want %q in it", err, want)
		}
	}
	if out != "" {
		t.Errorf("it did %q", out)
	}
	if out, _, _ := turno(t, "settings", "--url", s.url, "--token", adminToken, "export"); strings.TrimSpace(out) != "{}" {
		t.Errorf("the desk has\n%s", out)
	}
}

func FuzzAFileOfSettingsIsReadOrRefused(f *testing.F) {
	f.Add([]byte(shop))
	f.Add([]byte("tags: &a\n  vip: *a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		items, err := readSettings(data)
		if err != nil && len(items) > 0 {
			t.Errorf("refused, and still read %v", items)
		}
	})
}
