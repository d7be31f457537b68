package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// menuOfThePage is the example of docs/menus.md, as a file.
func menuOfThePage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "menus.md"))
	if err != nil {
		t.Fatal(err)
	}
	var example []string
	for line := range strings.Lines(string(page)) {
		text, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented:
			example = append(example, text)
		case len(example) > 0:
			return settingsFile(t, strings.Join(example, ""))
		}
	}
	t.Fatal("the page has no example")
	return ""
}

// TestTheMenuOfThePageTalksAndHandsOff applies the page's example with the whole program and talks with its bot, by number, title
// and button, to the hand-off.
//
// F004 F013 F014: from the settings by the message and the menu to the people of a department.
func TestTheMenuOfThePageTalksAndHandsOff(t *testing.T) {
	s := serveOn(t, t.TempDir())
	file := menuOfThePage(t)
	if out := s.settings("apply", file); !strings.HasSuffix(out, "4 of 4 changed\n") {
		t.Fatalf("the page's example says\n%s", out)
	}
	if out := s.settings("apply", file); out != "0 of 4 changed\n" {
		t.Errorf("the second run says %q", out)
	}
	again := settingsFile(t, s.settings("export"))
	if out := s.settings("apply", again); out != "0 of 4 changed\n" {
		t.Errorf("what was exported says %q", out)
	}

	id, position := "", any(nil)
	says := func(n int, text, choice string) {
		t.Helper()
		body := object{"message_id": fmt.Sprint("m", n), "from": object{"address": "+1", "name": "Carla"}, "text": text}
		if choice != "" {
			body["choice"] = choice
		}
		answer := s.call(202, "", "POST", "/v1/channels/shop/messages", body)
		id, position = answer["conversation"].(map[string]any)["id"].(string), answer["position"]
	}
	// hears waits for the bot's n-th message, and returns what it says and offers.
	hears := func(n int) (string, string) {
		t.Helper()
		for limit := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			var said []map[string]any
			for _, item := range s.get(fmt.Sprintf("/v1/conversations/%s/messages?after=%.0f", id, position))["items"].([]any) {
				if m := item.(map[string]any); m["sender"] == "machine" {
					said = append(said, m)
				}
			}
			if len(said) >= n {
				var titles []string
				choices, _ := said[n-1]["choices"].([]any)
				for _, c := range choices {
					titles = append(titles, c.(map[string]any)["title"].(string))
				}
				return said[n-1]["text"].(string), strings.Join(titles, "|")
			}
			if time.Now().After(limit) {
				t.Fatalf("the bot has said %v", said)
			}
		}
	}
	says(1, "Hello", "")
	first := "Buy something|Something is broken|Opening hours|That is all, thanks|A person"
	if text, titles := hears(1); text != "Hello Carla, this is The shop.\nYour case is number 1." || titles != first {
		t.Errorf("the bot greets with %q and offers %s", text, titles)
	}
	says(2, "opening HOURS", "")
	if text, titles := hears(2); !strings.HasPrefix(text, "We are here from nine") || titles != first {
		t.Errorf("the bot answers with %q and offers %s", text, titles)
	}
	says(3, "2", "")
	if text, titles := hears(3); text != "What is it?" || titles != "The printer|Back|A person" {
		t.Errorf("the bot shows %q and offers %s", text, titles)
	}
	says(4, "Back", "back")
	if _, titles := hears(4); titles != first {
		t.Errorf("the bot offers %s", titles)
	}
	says(5, "1", "")
	if text, titles := hears(5); !strings.HasPrefix(text, "Somebody of Sales") || titles != "" {
		t.Errorf("the bot hands off with %q and offers %s", text, titles)
	}
	position = s.post("", "/v1/conversations/"+id+"/notes", object{"text": "Seen."})["position"]
	conversation := s.get(fmt.Sprintf("/v1/conversations/%s?after=%.0f", id, position))
	if conversation["state"] != "waiting" || conversation["department"] != "sales" || fmt.Sprint(conversation["tags"]) != "[lead]" {
		t.Errorf("it is %v", conversation)
	}
	now := time.Now().UTC()
	numbers := s.get(fmt.Sprintf("/v1/stats/departments?metric=handed_off&from=%s&to=%s&group_by=department&after=%.0f",
		now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339), position))
	if text := fmt.Sprint(numbers["metrics"]); !strings.Contains(text, "key:sales") {
		t.Errorf("handed off were %s", text)
	}
}
