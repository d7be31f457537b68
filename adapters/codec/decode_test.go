package codec

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/domain"
)

func TestWhatIsUnknownIsPassedOver(t *testing.T) {
	ctx, c := context.Background(), New(goldenKeys())
	commit := closing()
	data, err := c.Encode(ctx, &commit)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"white space":           "\n\t " + strings.NewReplacer(`,"`, " ,\r\n \"", `":`, "\" : ").Replace(string(data)) + " \n",
		"an unknown attribute":  strings.Replace(string(data), `"recorded":`, `"x":"y","n":1e3,"b":null,"o":{"a":["\"]}"]},"recorded":`, 1),
		"one on a later event":  strings.Replace(string(data), `,"data":{"cause"`, `,"actor":7,"data":{"cause"`, 1),
		"an unknown field":      strings.Replace(string(data), `"data":{`, `"data":{"x":{"y":["}"]},`, 3),
		"escapes":               strings.NewReplacer(`"turno/default"`, `"turno\/\u0064efault"`, `"operator:ana"`, `"operator\u003aana"`, `"vip"`, `"\u0076ip"`).Replace(string(data)),
		"an escaped name":       strings.Replace(string(data), `"actor":`, `"\u0061ctor":`, 1),
		"attributes after data": movedBehind(string(data)),
	} {
		if text == string(data) {
			t.Fatalf("%s: nothing was changed", name)
		}
		got, err := c.Decode(ctx, []byte(text), true)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(commit, got); d != "" {
			t.Errorf("%s (-written +read)\n%s", name, d)
		}
	}
}

// movedBehind puts an attribute of the first event behind its data.
func movedBehind(s string) string {
	s = strings.Replace(s, `"specversion":"1.0",`, "", 1)
	return strings.Replace(s, `}},{`, `},"specversion":"1.0"},{`, 1)
}

func TestWhatDepartsFromTheFormatIsRefusedWithItsReason(t *testing.T) {
	ctx, c := context.Background(), New(goldenKeys())
	commit := closing()
	data, err := c.Encode(ctx, &commit)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	change := func(from, to string) string {
		s := strings.Replace(text, from, to, 1)
		if s == text {
			t.Fatalf("%q is not in %s", from, text)
		}
		return s
	}
	for name, is := range map[string]struct{ data, says string }{
		"nothing":                    {"", "array"},
		"no array":                   {`{}`, "array"},
		"an empty array":             {`[]`, "object"},
		"an empty event":             {`[{}]`, "empty"},
		"half a batch":               {text[:len(text)/2], "end"},
		"something behind":           {text + "x", "behind"},
		"a comma too many":           {change("}},{", "}},,{"), "object"},
		"a comma at the end":         {strings.TrimSuffix(text, "]") + ",]", "object"},
		"no comma":                   {change(`,"id"`, ` "id"`), "end of an object"},
		"an unknown type":            {change("conversation.closed.v2", "conversation.vanished.v1"), `"turno.conversation.vanished.v1"`},
		"a version of the future":    {change("conversation.closed.v2", "conversation.closed.v3"), `"turno.conversation.closed.v3"`},
		"no type":                    {change(`"type":"turno.conversation.tagged.v1",`, ""), "unknown type"},
		"a type of another category": {change("conversation.closed.v2", "operator.changed.v1"), "category operator"},
		"another specversion":        {change(`"specversion":"1.0"`, `"specversion":"0.3"`), "specversion"},
		"data that is no JSON":       {change("application/json", "text/plain"), "datacontenttype"},
		"no data":                    {change(`,"data":{"tags":["vip"]}`, ""), "no object"},
		"data that is null":          {change(`{"tags":["vip"]}`, "null"), "no object"},
		"data that is broken":        {change(`["vip"]`, `["vip"`), ""},
		"a field of another kind":    {change(`["vip"]`, `"vip"`), "turno.conversation.tagged.v1"},
		"an id out of order":         {change(commit.ID+".1", commit.ID+".2"), ".1"},
		"an id of another commit":    {change(commit.ID+".2", "x.2"), ".2"},
		"no commit":                  {change(`"commit":`, `"x":`), "commit"},
		"another subject":            {text[:len(text)/2] + strings.Replace(text[len(text)/2:], conversationID, threadID+"-3", 1), "subject"},
		"a malformed subject":        {strings.ReplaceAll(text, conversationID, "a/b/c"), "subject"},
		"a malformed conversation":   {strings.ReplaceAll(text, conversationID, threadID+"-02"), "subject"},
		"a malformed source":         {strings.ReplaceAll(text, "turno/default", "turno/a b"), "source"},
		"another source":             {strings.ReplaceAll(text, "turno/default", "default"), "source"},
		"a malformed time":           {strings.ReplaceAll(text, ":15.250Z", ":15Z"), "time"},
		"a time in no zone":          {change(`"recorded":"2026-03-04T12:30:15.250Z"`, `"recorded":"2026-03-04T12:30:15.250"`), "recorded"},
		"no actor":                   {change(`"actor":"operator:ana",`, ""), "actor"},
		"an unknown origin":          {change(`"origin":"live"`, `"origin":"else"`), "origin"},
		"a number that is none":      {change(`"ticket":"1042"`, `"ticket":"-1"`), "ticket"},
		"a text that is a number":    {change(`"ticket":"1042"`, `"ticket":1042`), "ticket"},
		"an image that is none":      {change(`"image":"41"`, `"image":"x"`), "image"},
		"a truth that is none":       {change(`"archivedafter":true`, `"archivedafter":"yes"`), "archivedafter"},
		"an empty mentioned":         {change(`"ownerbefore"`, `"mentionedbefore":"a,,b","ownerbefore"`), "mentioned"},
		"a control character":        {change("operator:ana", "operator:\nana"), "control"},
		"a broken escape":            {change("operator:ana", `operator\q`), "actor"},
		"a broken unknown value":     {change(`"recorded":`, `"x":nil,"recorded":`), "x"},
		"a personal value in clear":  {regexp.MustCompile(`"summary":"[^"]*"`).ReplaceAllString(text, `"summary":"Parcel found."`), "sealed"},
	} {
		got, err := c.Decode(ctx, []byte(is.data), true)
		if err == nil {
			t.Errorf("%s: it was read: %+v", name, got)
			continue
		}
		if !strings.Contains(err.Error(), is.says) {
			t.Errorf("%s: the error does not say %q: %v", name, is.says, err)
		}
	}
}

func TestEveryCommitIsReadAsItWasWritten(t *testing.T) {
	all := kinds()
	codec := New(goldenKeys())
	rapid.Check(t, func(t *rapid.T) {
		commit := drawCommit(t, all)
		data, err := codec.Encode(context.Background(), &commit)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Fatalf("no JSON: %s", data)
		}
		got, err := codec.Decode(context.Background(), data, true)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if d := cmp.Diff(commit, got, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-written +read)\n%s", d)
		}
		sealed, err := codec.Decode(context.Background(), data, false)
		if err != nil {
			t.Fatal(err)
		}
		one, err := codec.Structured(&sealed)
		if err != nil || len(one) != len(commit.Events) {
			t.Fatalf("%d structured events, %v", len(one), err)
		}
	})
}

func drawCommit(t *rapid.T, all []*kind) domain.Commit {
	category := rapid.SampledFrom(all).Draw(t, "category").category
	var some []*kind
	for _, k := range all {
		if k.category == category {
			some = append(some, k)
		}
	}
	id := rapid.StringMatching(`[a-z0-9][a-z0-9_-]{0,20}`)
	sight := rapid.Custom(func(t *rapid.T) *domain.Sight {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		return &domain.Sight{
			State: id.Draw(t, "state"), Department: id.Draw(t, "department"), Owner: rapid.OneOf(rapid.Just(""), id).Draw(t, "owner"),
			OwnerAtClose: rapid.OneOf(rapid.Just(""), id).Draw(t, "at close"), Mentioned: rapid.SliceOfN(id, 0, 3).Draw(t, "mentioned"),
			Archived: rapid.Bool().Draw(t, "archived"), Hidden: rapid.Bool().Draw(t, "hidden"),
		}
	})
	c := domain.Commit{
		ID: rapid.StringMatching(`[ -~é"\\]{1,30}`).Draw(t, "id"), Aggregate: domain.Aggregate{Workspace: id.Draw(t, "workspace"), Category: category, ID: id.Draw(t, "aggregate")},
		Time: drawTime(t), Recorded: drawTime(t), Origin: rapid.SampledFrom([]domain.Origin{domain.OriginLive, domain.OriginImport}).Draw(t, "origin"),
		Actor:    domain.Actor{Kind: domain.ActorOperator, ID: id.Draw(t, "actor"), Via: rapid.String().Draw(t, "via")},
		BodyHash: rapid.String().Draw(t, "body hash"), Image: domain.Position(rapid.Uint64().Draw(t, "image")), Key: goldenKey,
		Trace: rapid.String().Draw(t, "trace"),
	}
	if category == domain.CategoryThread && rapid.Bool().Draw(t, "about a conversation") {
		c.Conversation = c.Aggregate.ID + "-" + rapid.StringMatching(`[1-9][0-9]{0,5}`).Draw(t, "number")
		c.Ticket = rapid.Int64Min(0).Draw(t, "ticket")
		c.Contact, c.Channel = rapid.String().Draw(t, "contact"), rapid.String().Draw(t, "channel")
		c.Before, c.After = sight.Draw(t, "before"), sight.Draw(t, "after")
	}
	for range rapid.IntRange(1, 4).Draw(t, "events") {
		e := reflect.New(rapid.SampledFrom(some).Draw(t, "kind").goType).Elem()
		draw(t, e, 0)
		c.Events = append(c.Events, e.Interface())
	}
	return c
}

func drawTime(t *rapid.T) time.Time {
	return time.UnixMilli(rapid.Int64Range(-1e12, 1e14).Draw(t, "time")).UTC()
}

// draw fills v with anything; depth is in how many others it is, and from the eighth on lists are empty.
func draw(t *rapid.T, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "truth"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, "number"))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "number"))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "number"))
	case reflect.Struct:
		if v.Type() == timeType {
			v.Set(reflect.ValueOf(drawTime(t)))
			return
		}
		for i := range v.NumField() {
			draw(t, v.Field(i), depth+1)
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "there") {
			v.Set(reflect.New(v.Type().Elem()))
			draw(t, v.Elem(), depth+1)
		}
	case reflect.Slice:
		most := 3
		if depth > 7 {
			most = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), rapid.IntRange(0, most).Draw(t, "length"), 3))
		for i := range v.Len() {
			draw(t, v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			value := reflect.New(v.Type().Elem()).Elem()
			draw(t, value, depth+1)
			v.SetMapIndex(reflect.ValueOf(rapid.String().Draw(t, "key")), value)
		}
	default:
		t.Fatalf("the test can't make a %s", v.Type())
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(goldenFile("*"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files, %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	c := New(goldenKeys())
	three := closing()
	batch, err := c.Encode(context.Background(), &three)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(batch)
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx := context.Background()
		sealed, err := c.Decode(ctx, data, false)
		if err != nil {
			if _, err := c.Decode(ctx, data, true); err == nil {
				t.Fatal("it is read open and is not read sealed")
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("this is read, and is no JSON: %q", data)
		}
		if _, err := c.Structured(&sealed); err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		open, err := c.Decode(ctx, data, true)
		if err != nil {
			return
		}
		open.Key = goldenKey
		again, err := c.Encode(ctx, &open)
		if err != nil {
			t.Fatalf("what was read can't be written: %v", err)
		}
		back, err := c.Decode(ctx, again, true)
		if err != nil {
			t.Fatalf("what was written can't be read: %v", err)
		}
		if d := cmp.Diff(open, back, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("(-read +read again)\n%s", d)
		}
	})
}
