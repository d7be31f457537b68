package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/adapters/telemetry"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
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

// settings runs turno settings against the server, and returns what it says.
func (a api) settings(args ...string) string {
	a.t.Helper()
	out, _, err := turno(a.t, append([]string{"settings", "--url", a.url, "--token", adminToken}, args...)...)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

func TestSettingsAreAppliedOnceAndExportedAsTheyWereWritten(t *testing.T) {
	s := serveOn(t, t.TempDir())
	file := settingsFile(t, shop)
	want := "+ fields.motivo\n+ funnels.b2b\n+ catalogs.categories\n+ tags.vip\n+ templates.saludo\n+ macros.hola\n+ segments.nuevos\n" +
		"+ subscriptions.crm\n" +
		"+ calendars.horario\n+ departments.tienda\n+ operators.tito\n+ channels.tienda\n"
	if d := cmp.Diff(want+"12 of 12 would change\n", s.settings("apply", file, "--dry-run")); d != "" {
		t.Errorf("a dry run says (-want +got)\n%s", d)
	}
	if out := s.settings("export"); strings.TrimSpace(out) != "{}" {
		t.Errorf("after a dry run there is\n%s", out)
	}
	if d := cmp.Diff(want+"12 of 12 changed\n", s.settings("apply", file)); d != "" {
		t.Errorf("the first run says (-want +got)\n%s", d)
	}
	if out := s.settings("apply", file); out != "0 of 12 changed\n" {
		t.Errorf("the second run says %q", out)
	}
	out := s.settings("export")
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
	if out := s.settings("apply", changed); out != "~ departments.tienda\n1 of 12 changed\n" {
		t.Errorf("a file with one change says %q", out)
	}
	planned := settingsFile(t, "calendars:\n  horario: {name: Horario, zone: America/Montevideo, from: '2126-01-01T03:00:00Z'}\n")
	if out := s.settings("apply", planned); out != "~ calendars.horario\n1 of 1 changed\n" {
		t.Errorf("hours to come say %q", out)
	}
	if out := s.settings("export"); !strings.Contains(out, "2126-01-01T03:00:00Z") {
		t.Errorf("hours to come are exported as\n%s", out)
	} else if out := s.settings("apply", settingsFile(t, out)); out != "0 of 12 changed\n" {
		t.Errorf("hours to come, applied again, say %q", out)
	}
}

// A desk keeps settings that nobody could put anew: those who were named have gone. What it exports it takes, as it takes a PUT that
// changes nothing; a change is judged.
func TestWhatADeskExportsItTakesThoughWhatIsNamedHasGone(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	settings := func(args ...string) (string, error) {
		out, _, err := turno(t, append([]string{"settings", "--url", s.url, "--token", adminToken}, args...)...)
		return out, err
	}
	tito := "operators:\n  tito: {name: Tito, role: operator, departments: [tienda], extension: '41'}\n"
	web := "channels:\n  web: {type: generic, name: Web, department: tienda, extension: '41'}\n"
	flow := "workflows:\n  suyo:\n    name: Suyo\n    trigger: {on: opened}\n    steps: [{action: assign, operator: tito}]\n"
	place := "departments:\n  tienda: {name: Tienda, close: {fields: [motivo]}}\n"
	if out, err := settings("apply", settingsFile(t, place+tito+web+flow)); err != nil {
		t.Fatal(out, err)
	}
	s.put("/v1/operators/ana", object{"name": "Ana", "departments": []string{"tienda"}})
	s.call(200, "", "POST", "/v1/operators/tito/deactivate", nil)
	// Retiring what a department demands is refused; that both happen at one instant is not impossible.
	retired := appended(t, dir, "field.motivo", setting.FieldRetired{Field: setting.Field{ID: "motivo", Name: "Motivo", On: "conversation", Type: "text", Retired: true}})
	s.get("/v1/fields?" + after(int64(retired)))

	file, err := settings("export")
	for _, want := range []string{"motivo", "web:", "suyo:", "ana:"} {
		if err != nil || !strings.Contains(file, want) {
			t.Fatalf("the desk exports, without %q, %v\n%s", want, err, file)
		}
	}
	for name, text := range map[string]string{"the whole desk": file, "the channel": web, "the workflow": flow, "the department": place, "who has left": tito} {
		if out, err := settings("apply", settingsFile(t, text)); err != nil || !strings.HasPrefix(out, "0 of ") {
			t.Errorf("%s, applied again, says %q, %v", name, out, err)
		}
	}
	for path, body := range map[string]object{
		"/v1/channels/web":       {"type": "generic", "name": "Web", "department": "tienda", "extension": "41"},
		"/v1/workflows/suyo":     {"name": "Suyo", "trigger": object{"on": "opened"}, "steps": []object{{"action": "assign", "operator": "tito"}}},
		"/v1/departments/tienda": {"name": "Tienda", "close": object{"fields": []string{"motivo"}}},
	} {
		if answer := s.put(path, body); len(answer.list("events")) > 0 {
			t.Errorf("the same PUT of %s makes %v", path, answer)
		}
	}
	for changed, c := range map[string]struct{ of, to, missing string }{
		web:   {"web: {", "telefono: {", "extension"},
		flow:  {"name: Suyo", "name: Otro", "operator:tito"},
		place: {"name: Tienda", "name: Otra", "field:motivo"},
	} {
		text := strings.Replace(changed, c.of, c.to, 1)
		if out, err := settings("apply", settingsFile(t, text)); err == nil || !strings.Contains(err.Error(), "nothing was changed:\nline 2: ") || !strings.Contains(err.Error(), c.missing) {
			t.Errorf("a file with %s says %q, %v", c.to, out, err)
		}
	}
	if out, err := settings("apply", settingsFile(t, strings.Replace(web, "name: Web", "name: Chat", 1)+"tags:\n  vip: {name: VIP}\n")); err != nil || out != "+ tags.vip\n~ channels.web\n2 of 2 changed\n" {
		t.Errorf("a channel that keeps its extension, and a tag, say %q, %v", out, err)
	}
}

// appended puts an event into the log of a desk that is served, as the first of its aggregate.
func appended(t *testing.T, dir, id string, event domain.Event) domain.Position {
	t.Helper()
	p := &program{ctx: t.Context(), getenv: env(nil), log: zap.NewNop(), meters: telemetry.New("")}
	r, _, err := openToWrite(p, logFlags{Data: dir, Workspace: "default"}, hostFlags{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	now := time.Now().UTC().Truncate(time.Millisecond)
	position, _, err := r.store.Append(t.Context(), domain.Commit{
		ID: "appended-" + strings.ReplaceAll(id, ".", "-"), Recorded: now, Time: now, Origin: domain.OriginLive, Actor: domain.Actor{Kind: domain.ActorAdmin},
		Aggregate: domain.Aggregate{Workspace: "default", Category: domain.CategorySetting, ID: id}, Events: []domain.Event{event},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return position
}

func TestAFileIsJudgedWithWhatIsOutOfUse(t *testing.T) {
	s := serveOn(t, t.TempDir())
	settings := func(text string) (string, error) {
		out, _, err := turno(t, "settings", "--url", s.url, "--token", adminToken, "apply", settingsFile(t, text))
		return out, err
	}
	tags := "tags:\n  vip: {name: VIP}\n"
	macro := "macros:\n  saludo: {name: Saludo, steps: [{action: tags, add: [vip]}]}\n"
	inbox := "inboxes:\n  todo: {name: Todo, filter: {states: [waiting]}}\n"
	if out, err := settings(tags + inbox); err != nil {
		t.Fatal(out, err)
	}
	s.call(200, "", "POST", "/v1/tags/vip/retire", nil)
	if out, err := settings(macro); err == nil || out != "" || !strings.Contains(err.Error(), "nothing was changed:\nline 2: macros.saludo") || !strings.Contains(err.Error(), "tag:vip") {
		t.Errorf("a file that puts on a retired tag says %q, %v", out, err)
	}
	want := "+ tags.vip\n+ macros.saludo\n~ inboxes.todo\n3 of 3 changed\n"
	if out, err := settings(tags + macro + strings.Replace(inbox, "waiting", "paused", 1)); err != nil || out != want {
		t.Errorf("a file that brings the tag back says %q, %v", out, err)
	}
	s.put("/v1/departments/tienda", object{"name": "Tienda"})
	who := func(id string) object {
		return object{"name": id, "departments": []string{"tienda"}, "extension": "41"}
	}
	s.put("/v1/operators/tito", who("tito"))
	s.call(200, "", "POST", "/v1/operators/tito/deactivate", nil)
	s.put("/v1/operators/ana", who("ana")) // who has his extension now
	of := func(id string) string {
		return "operators:\n  " + id + ": {name: " + id + ", departments: [tienda], extension: '41'}\n"
	}
	if out, err := settings(of("tito")); err != nil || out != "~ operators.tito\n1 of 1 changed\n" {
		t.Errorf("the extension of one who has left says %q, %v", out, err)
	}
	if out, err := settings(of("beto")); err == nil || !strings.Contains(err.Error(), "nothing was changed:\nline 2: operators.beto") {
		t.Errorf("an extension that somebody has says %q, %v", out, err)
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
