package main

import (
	"os"
	"strings"
	"testing"
)

func TestEveryLineOfTheExampleIsRead(t *testing.T) {
	for i, data := range exampleLines(t) {
		l, err := parseLine([]byte(data))
		if err != nil {
			t.Errorf("line %d: %v", i+1, err)
			continue
		}
		kinds := 0
		for _, is := range []bool{l.inbound != nil, l.outbound != nil, l.command != nil, l.setting != nil} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("line %d is %d things at once", i+1, kinds)
		}
	}
}

func TestABadLineSaysWhatIsWrongWithItAndNothingPersonal(t *testing.T) {
	const head = `"at":"2026-03-02T09:00:00Z","channel":"web","address":"+1 555 0100",`
	for data, want := range map[string]string{
		`{`:                                   "malformed JSON",
		`[]`:                                  "no JSON object",
		`"Carla"`:                             "no JSON object",
		`{"command":"take"}`:                  `"at" is missing`,
		`{"at":"2026-03-02T09:00:00Z"}`:       `"command" is missing`,
		`{"at":"yesterday","command":"take"}`: "RFC 3339",
		`{` + head + `"command":"fly"}`:       `there is no command "fly"`,
		`{` + head + `"command":"messages"}`:  `there is no command "messages"`,
		`{` + head + `"command":"take"}`:      `"actor" is missing`,
		`{` + head + `"command":"take","actor":"Carla Ruiz"}`:                                  `"actor" is operator:<id>`,
		`{` + head + `"command":"take","actor":"operator:ana","summary":"Carla Ruiz"}`:         `There is no field "summary"`,
		`{` + head + `"command":"receive","text":{"Carla":"Ruiz"}}`:                            `text" must not be`,
		`{` + head + `"command":"receive"}`:                                                    "text",
		`{` + head + `"command":"rate","actor":"contact","score":9}`:                           "1 to 5",
		`{` + head + `"command":"survey","actor":"system","score":"Carla Ruiz"}`:               `There is no field "score"`,
		`{"at":"2026-03-02T09:00:00Z","command":"take","actor":"operator:ana"}`:                `"channel" and "address"`,
		`{"at":"2026-03-02T09:00:00Z","command":"operator","name":"Carla Ruiz"}`:               "the id",
		`{"at":"2026-03-02T09:00:00Z","command":"operator","id":"../ana","name":"Carla Ruiz"}`: "the id",
		`{"at":"2026-03-02T09:00:00Z","command":"availability","actor":"operator:ana"}`:        "available",
		`{"at":"0001-03-02T09:00:00Z","command":"presence","actor":"operator:ana"}`:            "1970",
		"{\"at\":\"2026-03-02T09:00:00Z\",\"command\":\"\xff\"}":                               "UTF-8",
		`{` + head + `"command":"receive","text":"` + strings.Repeat("a", maxLine) + `"}`:      "longer than",
	} {
		_, err := parseLine([]byte(data))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.90s\n  says %v, want %q", data, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "Ruiz") || strings.Contains(err.Error(), "555")) {
			t.Errorf("%.90s\n  quotes what a person typed: %v", data, err)
		}
	}
}

func TestWhatNamesTheContactMayStandBesideTheCommandOrInFrom(t *testing.T) {
	for _, data := range []string{
		`{"at":"2026-03-02T09:00:00Z","command":"receive","channel":"web","address":"+1","name":"Carla","text":"Hi"}`,
		`{"at":"2026-03-02T09:00:00Z","command":"receive","channel":"web","from":{"address":"+1","name":"Carla"},"text":"Hi"}`,
	} {
		l, err := parseLine([]byte(data))
		if err != nil {
			t.Fatal(err)
		}
		if l.address != "+1" || l.inbound.Address != "+1" || l.inbound.Name != "Carla" || l.inbound.Content.Text != "Hi" {
			t.Errorf("%s\n  was read as %+v", data, l.inbound)
		}
	}
}

func FuzzImportLine(f *testing.F) {
	data, err := os.ReadFile("../../testdata/import/worked.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		f.Add([]byte(l))
	}
	f.Add([]byte(`{"at":"2026-03-02T09:00:00Z","command":"classify","channel":"w","address":"a","actor":"bot","fields":{"a":null}}`))
	f.Add([]byte(`{"at":null,"from":null,"command":"receive"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseLine(data)
		if err != nil {
			if l != nil || strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("a bad line gives %v and %q", l, err)
			}
			return
		}
		if l.at.Year() < 1970 || l.actor.Kind == "" {
			t.Errorf("read as %+v", l)
		}
		if l.setting == nil && (l.channel == "" || l.address == "") {
			t.Errorf("a command without its thread: %+v", l)
		}
	})
}

func exampleLines(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("../../testdata/import/worked.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}
