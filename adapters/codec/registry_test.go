package codec

import (
	"context"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/domain"
)

const (
	domainFolder = "../../domain"
	module       = "github.com/turno-desk/turno"
)

// eventsOfTheDomain finds every type below domain/ that has a method event(), as "import path.Name".
func eventsOfTheDomain(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(domainFolder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(domainFolder, filepath.Dir(name))
		if err != nil {
			return err
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || fn.Name.Name != "event" || fn.Type.Params.NumFields() > 0 || fn.Type.Results.NumFields() > 0 {
				continue
			}
			of := fn.Recv.List[0].Type
			if p, ok := of.(*ast.StarExpr); ok {
				of = p.X
			}
			found[module+"/domain/"+filepath.ToSlash(rel)+"."+of.(*ast.Ident).Name] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEveryEventOfTheDomainIsRegisteredAndDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	found := eventsOfTheDomain(t)
	if len(found) < 50 {
		t.Fatalf("only %d events were found in the domain's source", len(found))
	}
	names := map[string]bool{}
	for _, k := range kinds() {
		id := k.goType.PkgPath() + "." + k.goType.Name()
		if !found[id] {
			t.Errorf("%s is registered as %s and is no event of the domain, or is registered twice", id, k.name)
		}
		delete(found, id)
		if names[k.name] {
			t.Errorf("two events are called %s", k.name)
		}
		names[k.name] = true
		if !regexp.MustCompile(`^[a-z]+\.[a-z]+(_[a-z]+)*$`).MatchString(k.name) {
			t.Errorf("%q is no name of an event", k.name)
		}
		for v := 1; v <= k.version(); v++ {
			if !strings.Contains(string(page), "`"+k.typeName(v)+"`") {
				t.Errorf("docs/events.md has no line on %s; go generate ./adapters/codec writes it", k.typeName(v))
			}
		}
	}
	for id := range found {
		t.Errorf("%s is not registered in kinds.go", id)
	}
}

// moved stands for an event that was changed twice.
type moved struct {
	To    string          `json:"to"`
	Floor int             `json:"floor"`
	Why   domain.Personal `json:"why,omitempty"`
}

func TestOldVersionsAreLiftedStepByStepAndTheNewestIsWritten(t *testing.T) {
	rename := func(from, to string) Upcaster {
		return func(data json.RawMessage) (json.RawMessage, error) {
			var m map[string]json.RawMessage
			if err := json.Unmarshal(data, &m); err != nil {
				return nil, err
			}
			m[to] = m[from]
			delete(m, from)
			return json.Marshal(m)
		}
	}
	addFloor := func(data json.RawMessage) (json.RawMessage, error) {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(data, &m); err != nil {
			return nil, err
		}
		m["floor"] = json.RawMessage("1")
		return json.Marshal(m)
	}
	v1 := newCodec(goldenKeys(), newRegistry([]*kind{of[struct {
		Room   string          `json:"room"`
		Reason domain.Personal `json:"reason"`
	}](domain.CategoryThread, "conversation.moved")}))
	now := newCodec(goldenKeys(), newRegistry([]*kind{
		of[moved](domain.CategoryThread, "conversation.moved", rename("reason", "why"), func(data json.RawMessage) (json.RawMessage, error) {
			data, err := rename("room", "to")(data)
			if err != nil {
				return nil, err
			}
			return addFloor(data)
		}),
	}))

	commit := received()
	commit.Events = []domain.Event{struct {
		Room   string          `json:"room"`
		Reason domain.Personal `json:"reason"`
	}{"b12", "too loud"}}
	old, err := v1.Encode(context.Background(), &commit)
	if err != nil {
		t.Fatal(err)
	}
	got, err := now.Decode(context.Background(), old, true)
	if err != nil {
		t.Fatal(err)
	}
	if want := (moved{To: "b12", Floor: 1, Why: "too loud"}); got.Events[0] != want {
		t.Errorf("version 1 reads %+v, want %+v", got.Events[0], want)
	}
	second := strings.NewReplacer(".moved.v1", ".moved.v2", `"reason"`, `"why"`).Replace(string(old))
	if got, err = now.Decode(context.Background(), []byte(second), true); err != nil {
		t.Fatal(err)
	}
	if want := (moved{To: "b12", Floor: 1, Why: "too loud"}); got.Events[0] != want {
		t.Errorf("version 2 reads %+v, want %+v", got.Events[0], want)
	}
	today, err := now.Encode(context.Background(), &got)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(today), `"turno.conversation.moved.v3"`) {
		t.Errorf("it is not version 3 that is written: %s", today)
	}
	if _, err := now.Decode(context.Background(), []byte(strings.Replace(string(old), ".v1", ".v4", 1)), true); err == nil {
		t.Error("a version of the future was read")
	}
}

// leaves lists the paths of all fields of t that hold a value of their own, or more of a type that they are in: above.
func leaves(t reflect.Type, above ...reflect.Type) (paths [][]string) {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || slices.Contains(above, t) {
		return [][]string{nil}
	}
	for i := range t.NumField() {
		for _, below := range leaves(t.Field(i).Type, append(slices.Clip(above), t)...) {
			paths = append(paths, append([]string{t.Field(i).Name}, below...))
		}
	}
	return paths
}

// isSet reports whether the field is there and not zero: in one of the elements, where it is in a list.
func isSet(e any, field []string) bool { return isSetIn(reflect.ValueOf(e), field) }

func isSetIn(v reflect.Value, field []string) bool {
	switch {
	case !v.IsValid() || v.IsZero():
		return false
	case len(field) == 0:
		return true
	case v.Kind() == reflect.Pointer:
		return isSetIn(v.Elem(), field)
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			if isSetIn(v.Index(i), field) {
				return true
			}
		}
		return false
	case v.Kind() == reflect.Struct:
		return isSetIn(v.FieldByName(field[0]), field[1:])
	}
	return false
}

// shares reports whether two events embed the same definition.
func shares(a, b reflect.Type) bool {
	return a.NumField() > 0 && b.NumField() > 0 && a.Field(0).Anonymous && b.Field(0).Anonymous && a.Field(0).Type == b.Field(0).Type
}
