package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/doc"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/domain"
)

// intro is what no source says: the form of a commit in the log.
//
//go:embed intro.md
var intro string

// generate returns the page.
func generate(root string) ([]byte, error) {
	all := codec.Types()
	types := make([]reflect.Type, len(all))
	for i, t := range all {
		types[i] = t.Event
		for f := range t.Event.Fields() {
			if f.Anonymous {
				types = append(types, f.Type)
			}
		}
	}
	said, err := readComments(root, types)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(intro)
	group := ""
	for _, t := range all {
		if g := string(t.Category); g != group {
			group = g
			fmt.Fprintf(&b, "\n## Category `%s`\n\n%s\n", g, sentence(said[t.Event.PkgPath()]))
		}
		if err := writeEvent(&b, root, t, said); err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return b.Bytes(), nil
}

// sentence is the first sentence of a package's comment, with a subject that suits the page.
func sentence(comment string) string {
	words := strings.SplitN(new(doc.Package).Synopsis(comment), " ", 3)
	if len(words) < 3 {
		return ""
	}
	return "Package `" + words[1] + "` " + text(words[2])
}

// text makes a comment safe to stand in a table of Markdown.
func text(comment string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;").Replace(comment)
}

func writeEvent(b *bytes.Buffer, root string, t codec.Type, said comments) error {
	fmt.Fprintf(b, "\n### `%s`\n\n%s\n", t.Name, text(said[t.Event.PkgPath()+"."+t.Event.Name()]))
	if !t.Written {
		b.WriteString("\nAn older version: it is read, and written no more. The fields are those of today.\n")
	}
	if rows := fields(t.Event, "", said); len(rows) > 0 {
		b.WriteString("\n| field | JSON | |\n| --- | --- | --- |\n")
		for _, r := range rows {
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", r.name, r.kind, r.text)
		}
	} else {
		b.WriteString("\nNo fields.\n")
	}
	example, err := example(root, t.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "\n```json\n%s\n```\n", example)
	return nil
}

// row is one field on the page.
type row struct{ name, kind, text string }

// fields lists the fields of a struct as JSON has them, those of embedded and nested structs among them; those of a struct
// that is inside of itself once. above are the structs that it is in.
func fields(t reflect.Type, prefix string, said comments, above ...reflect.Type) (rows []row) {
	above = append(slices.Clip(above), t)
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			rows = append(rows, fields(f.Type, prefix, said, above...)...)
			continue
		}
		kind, nested, suffix := jsonKind(f.Type)
		comment := said[t.PkgPath()+"."+t.Name()+"."+f.Name]
		if nested != nil && comment == "" {
			comment = said[nested.PkgPath()+"."+nested.Name()]
		}
		if options == "omitempty" {
			kind += ", optional"
		}
		rows = append(rows, row{prefix + name, kind, text(comment)})
		if nested != nil && !slices.Contains(above, nested) {
			rows = append(rows, fields(nested, prefix+name+suffix+".", said, above...)...)
		}
	}
	return rows
}

// jsonKind says what a Go type is in JSON, and which struct is inside of it.
func jsonKind(t reflect.Type) (kind string, nested reflect.Type, suffix string) {
	switch {
	case t == reflect.TypeFor[domain.Personal]():
		return "string, **sealed**", nil, ""
	case t == reflect.TypeFor[time.Time]():
		return "string, RFC 3339", nil, ""
	}
	switch t.Kind() {
	case reflect.Pointer:
		return jsonKind(t.Elem())
	case reflect.Slice:
		kind, nested, suffix = jsonKind(t.Elem())
		return "array of " + kind, nested, "[]" + suffix
	case reflect.Map:
		kind, nested, suffix = jsonKind(t.Elem())
		return "object, each " + kind, nested, ".*" + suffix
	case reflect.Struct:
		return "object", t, ""
	case reflect.String:
		return "string", nil, ""
	case reflect.Bool:
		return "boolean", nil, ""
	default:
		return "integer", nil, ""
	}
}

var sealed = regexp.MustCompile(`"eyJ[A-Za-z0-9_-]*\.\.[A-Za-z0-9_.-]*"`)

// example is the data of the golden file of the type, with sealed values cut short.
func example(root, name string) ([]byte, error) {
	golden, err := os.ReadFile(filepath.Join(root, "adapters", "codec", "testdata", "golden", name+".json"))
	if err != nil {
		return nil, err
	}
	var events []struct{ Data json.RawMessage }
	if err := json.Unmarshal(golden, &events); err != nil || len(events) != 1 {
		return nil, fmt.Errorf("the golden file is no batch of one event: %w", err)
	}
	return sealed.ReplaceAll(events[0].Data, []byte(`"eyJhbGciOiJkaXIi…"`)), nil
}
