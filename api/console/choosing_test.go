package console

import (
	"encoding/json"
	"testing"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/history"
)

// F013: what a customer typed or pressed is read as the choice that it was, also one of an earlier message of the bot; what was
// none says so.
func TestWhatACustomerChoseIsReadable(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{words: all["en"]}
	var log []history.Entry
	happens := func(kind, data string) {
		log = append(log, history.Entry{Type: kind, Actor: "system", Data: json.RawMessage(data)})
	}
	happens("message_received", `{"message":"m0","kind":"text","text":"a person, please"}`)
	happens("menu_answered", `{"menu":"m","choice":"person","message":"m0"}`)
	happens("message_sent", `{"message":"m1","kind":"text","text":"Hello","sender":"machine","choices":[{"id":"hours","title":"Opening hours"},{"id":"buy","title":"Buy"},{"id":"person","title":"Talk to us"}]}`)
	for i, answer := range []string{`"kind":"text","text":"1"`, `"kind":"text","text":"opening HOURS "`, `"kind":"text","text":"banana"`, `"kind":"other","choice":"buy"`, `"kind":"text","text":"0"`, `"kind":"other","choice":"gone"`} {
		id := string(rune('a' + i))
		happens("message_received", `{"message":"`+id+`",`+answer+`}`)
		happens("menu_answered", `{"menu":"m","node":"n","choice":"`+[]string{"hours", "hours", "", "buy", "person", "gone"}[i]+`","message":"`+id+`"}`)
	}
	shown, err := v.entries(log, &setting.Image{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		text, chosen string
		missed       bool
	}{
		"m0": {"a person, please", "A person", false},
		"m1": {"Hello", "", false},
		"a":  {"1", "Opening hours", false},
		"b":  {"opening HOURS ", "", false},
		"c":  {"banana", "", true},
		"d":  {"Buy", "", false},
		"e":  {"0", "Talk to us", false},
		"f":  {"gone", "", false},
	}
	if len(shown) != len(want) {
		t.Fatalf("%d entries are shown", len(shown))
	}
	for _, e := range shown {
		w := want[e.Message]
		if e.Text != w.text || e.Chosen != w.chosen || e.Missed != w.missed || (len(e.Choices) > 0) != (e.Message == "m1") {
			t.Errorf("%s is shown as %+v", e.Message, e)
		}
	}
}
