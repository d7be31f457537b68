package contactfile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/turno-desk/turno/api/contactfile"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
)

// all reads to the end.
func all(t *testing.T, r contactfile.Reader, err error) []contactfile.Line {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var lines []contactfile.Line
	for {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
}

func TestSeparatorsMarksAndQuotesOfCSV(t *testing.T) {
	want := contactfile.Line{Number: 2, Channel: "web", Address: "+34600", Tags: []string{"vip", "es"}, Change: contact.Change{
		Lines:  map[string]domain.Personal{"name": "Clara; Díaz", "address.city": "Madrid"},
		Fields: map[string]domain.Personal{"plan": "dos\nlíneas"},
	}}
	for name, file := range map[string]string{
		"commas":     "name,channel,channel_address,tags,address.city,fields.plan\nClara; Díaz,web,+34600,vip es,Madrid,\"dos\nlíneas\"\n",
		"semicolons": "\xef\xbb\xbfName; Channel ;channel_address;tags;address.city;fields.plan;known\r\n\"Clara; Díaz\";web;'+34600;vip es;Madrid;\"dos\r\nlíneas\";true\r\n\r\n",
		"tabs":       "name\tchannel\tchannel_address\ttags\taddress.city\tfields.plan\tphone\n Clara; Díaz \t web\t+34600\tvip  es\tMadrid\t\"dos\nlíneas\"\t \n",
	} {
		t.Run(name, func(t *testing.T) {
			r, err := contactfile.ReadCSV([]byte(file))
			if diff := cmp.Diff([]contactfile.Line{want}, all(t, r, err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestABadRowIsOneBadRow(t *testing.T) {
	r, err := contactfile.ReadCSV([]byte("name,email\na,b\na\"b,c\n\"two\nlines\",x\nalone\nz,\n"))
	lines := all(t, r, err)
	var numbers []int
	var wrong []bool
	for _, l := range lines {
		numbers, wrong = append(numbers, l.Number), append(wrong, l.Wrong != nil)
	}
	if !slices.Equal(numbers, []int{2, 3, 4, 6, 7}) || !slices.Equal(wrong, []bool{false, true, false, true, false}) {
		t.Errorf("lines %v, wrong %v", numbers, wrong)
	}
}

func TestAFileThatCannotBeReadSaysWhy(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "no UTF-8": "name\n\xff", "unknown column": "name,salary\n", "twice": "name,Name\n", "field": "fields.a b\n",
		"columns": strings.Repeat("x,", 300) + "\n",
	} {
		var wrong *contactfile.Wrong
		if _, err := contactfile.ReadCSV([]byte(file)); !errors.As(err, &wrong) || wrong.Detail == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := contactfile.ReadLines([]byte("\xff"), strict); err == nil {
		t.Error("JSON lines that are no UTF-8 were taken")
	}
}

// strict decodes as the API does, nearly.
func strict(line []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func TestJSONLinesNameAndRemove(t *testing.T) {
	r, err := contactfile.ReadLines([]byte("\xef\xbb\xbf\n"+`{"id":"c1","name":" Clara ","email":"","address":{"city":"Madrid","street":null},"fields":{"plan":"fibra","old":""},"tags":["vip"],"known":true,"identities":[{"x":1}]}`+
		"\r\n\n"+`{"nope":1}`+"\n"+strings.Repeat(" ", 9)+`{"channel":"web","channel_address":"+34"}`), strict)
	want := []contactfile.Line{
		{Number: 2, ID: "c1", Tags: []string{"vip"}, Change: contact.Change{
			Lines:  map[string]domain.Personal{"name": "Clara", "email": "", "address.city": "Madrid"},
			Fields: map[string]domain.Personal{"plan": "fibra", "old": ""},
		}},
		{Number: 4, Wrong: &contactfile.Wrong{Detail: "The line is no JSON object with the fields of a contact."}},
		{Number: 5, Channel: "web", Address: "+34", Change: contact.Change{Lines: map[string]domain.Personal{}, Fields: map[string]domain.Personal{}}},
	}
	if diff := cmp.Diff(want, all(t, r, err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWhatIsWrittenIsReadAgain: whatever a contact holds, no cell is a formula, and what is read is what was written. A line
// break within a cell may change its form.
func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	text := rapid.StringMatching(`['=+@\t;,"\n a-zé-]{0,12}`)
	rapid.Check(t, func(t *rapid.T) {
		row := contactfile.Row{ID: "c1", Channel: "web", Address: text.Draw(t, "address"), Lines: map[string]string{}, Fields: map[string]string{}, Tags: []string{"a", "b-c"}, Known: "true"}
		want := contactfile.Line{ID: "c1", Channel: "web", Tags: row.Tags, Change: contact.Change{Lines: map[string]domain.Personal{}, Fields: map[string]domain.Personal{}}}
		if strings.TrimSpace(row.Address) != "" {
			want.Address = row.Address
		}
		for _, name := range contact.Lines() {
			row.Lines[name] = strings.TrimSpace(text.Draw(t, name))
			if row.Lines[name] != "" {
				want.Change.Lines[name] = domain.Personal(row.Lines[name])
			}
		}
		for _, id := range []string{"plan", "x-1"} {
			row.Fields[id] = text.Draw(t, id)
			if strings.TrimSpace(row.Fields[id]) != "" {
				want.Change.Fields[id] = domain.Personal(row.Fields[id])
			}
		}
		var file strings.Builder
		w := contactfile.NewCSV(&file, slices.Sorted(maps.Keys(row.Fields)))
		if err := errors.Join(w.Names(), w.Write(row), w.Flush()); err != nil {
			t.Fatal(err)
		}
		r, err := contactfile.ReadCSV([]byte(file.String()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Next()
		got.Number = 0
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Fatalf("%v (-want +got):\n%s\n%s", err, diff, file.String())
		}
	})
}

func TestNoCellIsAFormula(t *testing.T) {
	var file strings.Builder
	w := contactfile.NewCSV(&file, nil)
	for _, cell := range []string{"=1+1", "+34600", "-1", "@x", "\t=1", "\r=1", "'=1"} {
		if err := w.Write(contactfile.Row{ID: cell}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count("\n"+file.String(), "\n'") + strings.Count(file.String(), "\n\"'"); n != 7 {
		t.Errorf("%d of 7 rows begin with an apostrophe:\n%s", n, file.String())
	}
}

// read goes through a file that may be anything; every line is whole or wrong, and numbers grow.
func read(t *testing.T, r contactfile.Reader, err error) {
	var wrong *contactfile.Wrong
	if err != nil {
		if !errors.As(err, &wrong) {
			t.Fatalf("the file fails with %v", err)
		}
		return
	}
	for last := 0; ; {
		l, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil || l.Number <= last {
			t.Fatalf("line %d after %d: %v", l.Number, last, err)
		}
		last = l.Number
		if l.Wrong == nil {
			if _, refusal := contact.DecideEnter(contact.State{}, contact.Entry{Change: l.Change, Tags: l.Tags}); refusal != nil && refusal.Code == "" {
				t.Fatalf("line %d is refused without a code", l.Number)
			}
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"name,email\na,b\n", "\xef\xbb\xbfname;tags\n\"a\nb\";x y\n", "id\tfields.a\n'=1\t\"\n", "name\r\n\"", "name\n\n\n,\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := contactfile.ReadCSV(data)
		read(t, r, err)
	})
}

func FuzzReadLines(f *testing.F) {
	for _, seed := range []string{`{"name":"a"}`, "{}\n[]\nnull\n1", `{"address":{"city":"x"},"fields":{"A":"b"},"tags":["x"]}`, "\xef\xbb\xbf\r\n{", `{"fields":null,"tags":null,"known":{}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := contactfile.ReadLines(data, strict)
		read(t, r, err)
	})
}
