package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	apihttp "github.com/turno-desk/turno/api/http"
)

// settingsItem is one setting of a file: the body of its PUT, and where it stands.
type settingsItem struct {
	section apihttp.Section
	id      string
	line    int
	body    []byte // JSON
}

func (i settingsItem) String() string { return i.section.Name + "." + i.id }

// readSettings reads a file of settings: sections by name, in each the settings by id. Items come in the order in which they
// can be applied. Every key that nothing knows is an error with its line; all of them are told at once.
func readSettings(data []byte) ([]settingsItem, error) {
	var file yaml.Node
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	if len(file.Content) == 0 {
		return nil, nil
	}
	sections := apihttp.Sections()
	var all []settingsItem
	var wrong []string
	complain := func(n *yaml.Node, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("line %d: ", n.Line)+fmt.Sprintf(format, args...))
	}
	eachKey(file.Content[0], complain, func(key, value *yaml.Node) {
		k := slices.IndexFunc(sections, func(s apihttp.Section) bool { return s.Name == key.Value })
		if k < 0 {
			complain(key, "there are no settings %q", key.Value)
			return
		}
		eachKey(value, complain, func(id, body *yaml.Node) {
			before := len(wrong)
			unknownKeys(body, sections[k].Body, key.Value+"."+id.Value, complain)
			if len(wrong) > before {
				return
			}
			var v any
			if err := body.Decode(&v); err != nil {
				complain(body, "%v", err)
				return
			}
			raw, err := json.Marshal(v)
			if err != nil {
				complain(body, "%v", err)
				return
			}
			all = append(all, settingsItem{sections[k], id.Value, id.Line, raw})
		})
	})
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(wrong, "\n"))
	}
	slices.SortStableFunc(all, func(a, b settingsItem) int {
		return placeOf(sections, a.section.Name) - placeOf(sections, b.section.Name)
	})
	return all, nil
}

func placeOf(sections []apihttp.Section, name string) int {
	return slices.IndexFunc(sections, func(s apihttp.Section) bool { return s.Name == name })
}

// eachKey calls fn with the keys of a mapping and what is under them.
func eachKey(n *yaml.Node, complain func(*yaml.Node, string, ...any), fn func(key, value *yaml.Node)) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			complain(n, "want keys here")
		}
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if line, twice := seen[key.Value]; twice {
			complain(key, "%q is there twice, first in line %d", key.Value, line)
		}
		seen[key.Value] = key.Line
		fn(key, n.Content[i+1])
	}
}

// unknownKeys complains of keys that the type has no field for.
func unknownKeys(n *yaml.Node, t reflect.Type, where string, complain func(*yaml.Node, string, ...any)) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		fields := fieldsOf(t)
		eachKey(n, complain, func(key, value *yaml.Node) {
			k := slices.IndexFunc(fields, func(f settingsField) bool { return f.name == key.Value })
			if k < 0 {
				complain(key, "%s has no %q", where, key.Value)
				return
			}
			unknownKeys(value, fields[k].of, where+"."+key.Value, complain)
		})
	case t.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		for _, e := range n.Content {
			unknownKeys(e, t.Elem(), where, complain)
		}
	}
}

type settingsField struct {
	name string
	of   reflect.Type
}

// fieldsOf are the fields of a struct by their names in JSON, those of embedded structs too.
func fieldsOf(t reflect.Type) []settingsField {
	var all []settingsField
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			all = append(all, fieldsOf(f.Type)...)
		case f.IsExported() && name != "" && name != "-":
			all = append(all, settingsField{name, f.Type})
		}
	}
	return all
}

// writeSettings writes what is in use of sections as YAML: each body in the order of its type's fields, without what is empty.
func writeSettings(w io.Writer, sections []apihttp.Section, current map[string][]stored) error {
	file := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range sections {
		section := &yaml.Node{Kind: yaml.MappingNode}
		for _, item := range current[s.Name] {
			if !item.exported() {
				continue
			}
			body := item.shown
			if s.Own != nil {
				body = s.Own(body)
			}
			section.Content = append(section.Content, scalar(item.id), nodeOf(body, s.Body))
		}
		if len(section.Content) > 0 {
			file.Content = append(file.Content, scalar(s.Name), section)
		}
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(file); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

func scalar(v any) *yaml.Node {
	n := &yaml.Node{}
	if err := n.Encode(v); err != nil {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(v)}
	}
	return n
}

// nodeOf writes v, which was read from JSON, in the order of t's fields. What t has no field for is left out.
func nodeOf(v any, t reflect.Type) *yaml.Node {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case map[string]any:
		n := &yaml.Node{Kind: yaml.MappingNode}
		if t.Kind() == reflect.Struct {
			for _, f := range fieldsOf(t) {
				if value := v[f.name]; !empty(value, f.of) {
					n.Content = append(n.Content, scalar(f.name), nodeOf(value, f.of))
				}
			}
			return n
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.Content = append(n.Content, scalar(key), scalar(v[key]))
		}
		return n
	case []any:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for _, e := range v {
			of := reflect.TypeFor[any]()
			if t.Kind() == reflect.Slice {
				of = t.Elem()
			}
			n.Content = append(n.Content, nodeOf(e, of))
		}
		return n
	case float64:
		if v == float64(int64(v)) {
			return scalar(int64(v))
		}
	}
	return scalar(v)
}

// empty reports whether leaving a value of the type out means the same.
func empty(v any, t reflect.Type) bool {
	if v == nil || t.Kind() == reflect.Pointer {
		return v == nil
	}
	switch v := v.(type) {
	case string:
		return v == ""
	case bool:
		return !v
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return len(v) == 0
		}
		for _, f := range fieldsOf(t) {
			if !empty(v[f.name], f.of) {
				return false
			}
		}
		return true
	}
	return false
}
