package history

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

var everyEvent = []thread.Event{
	thread.Opened{}, thread.MessageReceived{}, thread.MessageSent{}, thread.Queued{}, thread.Taken{}, thread.Released{},
	thread.Transferred{}, thread.Paused{}, thread.Resumed{}, thread.Tagged{}, thread.Untagged{}, thread.Noted{},
	thread.Offered{}, thread.OfferDeclined{}, thread.OfferEnded{}, thread.Alerted{},
	thread.Mentioned{}, thread.Classified{}, thread.TicketLinked{}, thread.TicketLinkProposed{}, thread.TicketLinkRejected{}, thread.Closed{}, thread.Reopened{}, thread.SurveySent{}, thread.Rated{}, thread.Archived{},
	thread.Unarchived{}, thread.Hidden{}, thread.Read{}, thread.NetworkSeen{}, thread.Erased{},
	thread.WorkflowStarted{}, thread.WorkflowAdvanced{}, thread.WorkflowWaited{}, thread.WorkflowEnded{}, thread.WebhookRequested{},
	thread.MenuShown{}, thread.MenuAnswered{}, thread.BotPaused{}, thread.BotResumed{},
}

func TestEveryEventOfAThreadHasItsEntry(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../domain/thread/events.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "event" && f.Recv != nil {
			declared[f.Recv.List[0].Type.(*ast.Ident).Name] = true
		}
	}
	if len(declared) < 20 {
		t.Fatalf("found %d events in domain/thread: the test reads the wrong file", len(declared))
	}
	for _, e := range everyEvent {
		name := reflect.TypeOf(e).Name()
		delete(declared, name)
		typ, err := typeOf(e)
		if err != nil {
			t.Fatal(err)
		}
		full := filled(reflect.TypeOf(e)).Interface().(thread.Event)
		data, err := json.Marshal(full)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parse(typ, data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(full, back); diff != "" {
			t.Errorf("%s is not read back as it was written:\n%s", name, diff)
		}
		if n := plain(reflect.ValueOf(erased(back))); n != 0 {
			t.Errorf("%s keeps %d personal values after its erasure", name, n)
		}
	}
	for name := range declared {
		t.Errorf("thread.%s has no entry: add it to typeOf and parse, and to the list of this test", name)
	}
}

// filled is a value of a type with something in every field.
func filled(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(filled(t.Elem()))
	case reflect.Slice:
		v.Set(reflect.Append(v, filled(t.Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(reflect.ValueOf("k").Convert(t.Key()), filled(t.Elem()))
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).IsExported() {
				v.Field(i).Set(filled(t.Field(i).Type))
			}
		}
	}
	return v
}

// plain counts the personal values that can be read.
func plain(v reflect.Value) (n int) {
	if v.Type() == reflect.TypeFor[domain.Personal]() {
		if v.Len() > 0 && v.String() != string(domain.Erased) {
			return 1
		}
		return 0
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n = plain(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			n += plain(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			n += plain(v.MapIndex(k))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			n += plain(v.Field(i))
		}
	}
	return n
}
