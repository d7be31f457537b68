package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

// Limits of a request's body. They are part of the contract.
const (
	MaxBody  = 256 << 10 // bytes
	maxDepth = 24        // objects and arrays within each other
	maxItems = 20_000    // values of one body
)

// readBody returns the request's body. It refuses one that is too large and one that isn't JSON by its content type. A
// missing body is an empty object: every field of such a command is optional.
func readBody(c echo.Context) ([]byte, error) {
	r := c.Request()
	if r.ContentLength > MaxBody {
		return nil, tooLarge()
	}
	data, err := io.ReadAll(http.MaxBytesReader(c.Response(), r.Body, MaxBody))
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, malformed("The body could not be read to its end.")
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return []byte("{}"), nil
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return nil, &Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Detail: "Send application/json in UTF-8."}
	}
	return data, nil
}

func isJSON(contentType string) bool {
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil || t != "application/json" {
		return false
	}
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}

// decode fills v, a pointer to a struct, from data: one JSON object in UTF-8 whose fields v knows, by their exact names,
// each at most once, and nothing behind it. Everything else is a 400 that names the field.
func decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return malformed("The body is not UTF-8.")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	check := checker{dec: dec}
	if err := check.value(reflect.TypeOf(v).Elem(), "", 0); err != nil {
		return err
	}
	if _, err := dec.Token(); err != io.EOF {
		return malformed("There is something behind the JSON object.")
	}
	if err := json.Unmarshal(data, v); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			field := asSent(reflect.TypeOf(v), wrong.Field)
			return invalid(field, fmt.Sprintf("%q must not be a JSON %s.", field, wrong.Value))
		}
		return malformed("A value of the body has the wrong form.")
	}
	return nil
}

// checker walks the tokens of a body beside the type that it is meant for.
type checker struct {
	dec   *json.Decoder
	items int
}

// value checks the next value against t; a nil t takes anything.
func (k *checker) value(t reflect.Type, path string, depth int) error {
	if k.items++; k.items > maxItems {
		return malformed(fmt.Sprintf("The body holds more than %d values.", maxItems))
	}
	token, err := k.dec.Token()
	if err != nil {
		return malformed("The body is not valid JSON.")
	}
	open, ok := token.(json.Delim)
	if !ok {
		if depth == 0 {
			return malformed("The body must be a JSON object.")
		}
		return nil
	}
	if depth == 0 && open != '{' {
		return malformed("The body must be a JSON object.")
	}
	if depth >= maxDepth {
		return malformed(fmt.Sprintf("The body is nested deeper than %d levels.", maxDepth))
	}
	t = concrete(t)
	if open == '{' {
		err = k.object(t, path, depth)
	} else {
		err = k.array(t, path, depth)
	}
	if err != nil {
		return err
	}
	if _, err := k.dec.Token(); err != nil { // the closing delimiter
		return malformed("The body is not valid JSON.")
	}
	return nil
}

func (k *checker) object(t reflect.Type, path string, depth int) error {
	var elem reflect.Type // of a map
	if t != nil && t.Kind() == reflect.Map {
		elem = t.Elem()
	}
	seen := make(map[string]bool, 8)
	for k.dec.More() {
		token, err := k.dec.Token()
		if err != nil {
			return malformed("The body is not valid JSON.")
		}
		name, ok := token.(string)
		if !ok {
			return malformed("The body is not valid JSON.")
		}
		field := join(path, name)
		if seen[name] {
			return invalid(field, fmt.Sprintf("%q is given twice.", field))
		}
		seen[name] = true
		next := elem
		if t != nil && t.Kind() == reflect.Struct {
			if next, ok = fieldOf(t, name); !ok {
				return &Problem{Status: http.StatusBadRequest, Code: "unknown_field", Field: field, Detail: fmt.Sprintf("There is no field %q here.", field)}
			}
		}
		if err := k.value(next, field, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) array(t reflect.Type, path string, depth int) error {
	var next reflect.Type
	if t != nil && t.Kind() == reflect.Slice {
		next = t.Elem()
	}
	for i := 0; k.dec.More(); i++ {
		if err := k.value(next, fmt.Sprintf("%s[%d]", path, i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

func join(path, name string) string {
	if len(name) > 64 {
		name = strings.ToValidUTF8(name[:64], "") + "…"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// concrete looks through pointers. A type that reads JSON by itself, and one that is no object or array, takes anything
// here: Unmarshal judges it.
func concrete(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || reflect.PointerTo(t).Implements(unmarshaler) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map, reflect.Slice:
		return t
	}
	return nil
}

// asSent is a path of encoding/json as the client knows it: without the names of embedded structs, which no body has.
func asSent(t reflect.Type, path string) string {
	var names []string
	for _, name := range strings.Split(path, ".") {
		for t = concrete(t); t != nil && t.Kind() == reflect.Slice; {
			t = concrete(t.Elem())
		}
		if t != nil && t.Kind() == reflect.Struct {
			if f, ok := t.FieldByName(name); ok && f.Anonymous && f.Tag.Get("json") == "" {
				t = f.Type
				continue
			}
			t, _ = fieldOf(t, name)
		} else if t != nil {
			t = t.Elem()
		}
		names = append(names, name)
	}
	return strings.Join(names, ".")
}

// fieldOf is the type of the field that a struct's JSON has under exactly this name, also in an embedded struct.
func fieldOf(t reflect.Type, name string) (reflect.Type, bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		known, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && known == "" {
			if inner, ok := fieldOf(f.Type, name); ok {
				return inner, true
			}
			continue
		}
		if known == name && f.IsExported() && name != "-" && name != "" {
			return f.Type, true
		}
	}
	return nil, false
}
