package console

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/history"
)

// sampled is the data of an event as the codec's golden file of it has it, without the seals on what is personal.
func sampled(t *testing.T, typ string) json.RawMessage {
	t.Helper()
	golden, err := os.ReadFile(filepath.Join("..", "..", "adapters", "codec", "testdata", "golden", typ+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var events []struct{ Data json.RawMessage }
	if err := json.Unmarshal(golden, &events); err != nil || len(events) != 1 {
		t.Fatalf("%s: %d events, %v", typ, len(events), err)
	}
	return events[0].Data
}

// F102 F011 F110: every kind of event that may happen to a conversation is told to people in their language, or is one of
// those that say nothing to who reads it. A kind that the codec learns and the console does not fails here.
func TestEveryKindOfEventIsToldInEveryLanguage(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	// Of a kind with several tellings, and none for some: what the sample leaves out.
	more := map[string][]string{
		"queued": {`{"department":"d","list":"waiting","cause":"handed_off"}`, `{"department":"d","list":"waiting","cause":"hours"}`,
			`{"department":"d","list":"waiting","cause":"staffed"}`, `{"department":"d","list":"bot","cause":"bot_resumed"}`, `{"department":"d","list":"out_of_hours","cause":"opened"}`},
		"released": {`{"operator":"ana","cause":"manual"}`, `{"operator":"ana","cause":"by_supervisor"}`, `{"operator":"ana","cause":"unattended"}`,
			`{"operator":"ana","cause":"deactivated"}`, `{"operator":"ana","cause":"left_department"}`},
		"taken": {`{"operator":"ana","how":"manual"}`, `{"operator":"ana","how":"reply"}`, `{"operator":"ana","how":"direct"}`, `{"operator":"ana","how":"automatic"}`,
			`{"operator":"ana","how":"sticky"}`, `{"operator":"ana","how":"dedicated"}`, `{"operator":"ana","how":"taken_over"}`},
		"alerted":        {`{"cause":"pause_over"}`, `{"cause":"unattended"}`},
		"offer_ended":    {`{"cause":"nobody_left"}`, `{"cause":"expired"}`, `{"cause":"declined"}`},
		"ticket_linked":  {`{"how":"new"}`, `{"how":"existing"}`, `{"how":"confirmed"}`},
		"workflow_ended": {`{"outcome":"done"}`, `{"outcome":"cancelled"}`, `{"outcome":"failed"}`},
		"rated":          {`{"score":4}`, `{"satisfied":true}`, `{"satisfied":false}`},
		"transferred":    {`{"department":"d"}`, `{"department":"d","operator":"ana"}`},
		"resumed":        {`{"cause":"inbound"}`, `{"cause":"reply"}`},
		"opened":         {`{"direction":"inbound"}`, `{"direction":"outbound"}`},
	}
	for _, kind := range codec.Types() {
		if kind.Category != domain.CategoryThread || !kind.Written {
			continue
		}
		name := strings.Split(kind.Name, ".")[2]
		data := []json.RawMessage{sampled(t, kind.Name)}
		if given, ok := more[name]; ok {
			data = nil
			for _, d := range given {
				data = append(data, json.RawMessage(d))
			}
		}
		for _, words := range all {
			v := &visit{words: words}
			for _, d := range data {
				e, err := v.entry(&history.Entry{Type: name, Actor: "operator:ana", Data: d}, &setting.Image{})
				switch {
				case err != nil:
					t.Errorf("%s %s: %v", name, d, err)
				case slices.Contains(silent(), name):
					if e != nil {
						t.Errorf("%s is silent, and says %q", name, e.Text)
					}
				case e == nil || e.Text == "" && len(e.Files) == 0:
					t.Errorf("nothing tells in %s what %s %s is", words.Language, name, d)
				case strings.Contains(e.Text, "event.") || strings.Contains(e.Text, "step.") || strings.Contains(e.Text, "{"):
					t.Errorf("%s is told in %s as %q", name, words.Language, e.Text)
				}
			}
		}
	}
}
