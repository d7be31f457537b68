package main

import (
	"strings"
	"testing"
)

// TestTheLiveChatOfThePageEndsItsSession applies the page's example with the whole program, twice, chats and ends the session.
//
// F098: from the settings by the message to the visitor's page.
func TestTheLiveChatOfThePageEndsItsSession(t *testing.T) {
	s := serveOn(t, t.TempDir())
	if out := s.settings("apply", settingsFile(t, exampleOf(t, "../../docs/livechat.md"))); !strings.HasSuffix(out, "2 of 2 changed\n") {
		t.Fatalf("the page's example says\n%s", out)
	}
	if out := s.settings("apply", settingsFile(t, s.settings("export"))); out != "0 of 2 changed\n" {
		t.Errorf("what was exported says %q", out)
	}

	got := s.call(202, "", "POST", "/v1/channels/chat/messages", object{"message_id": "1", "from": object{"address": "v1", "name": "Eva"}, "text": "Hello"})
	id := got.text("conversation", "id")
	got = s.post("", "/v1/conversations/"+id+"/end-session", object{"reason": "She is gone."})
	if said := got.text("events", 0, "data", "text"); said != "Goodbye Eva! This chat has ended; your case is 1." {
		t.Errorf("the visitor was told %q", said)
	}
	if why := got.text("conversation", "close_reason"); why != "session_ended" {
		t.Errorf("closed as %q", why)
	}
}
