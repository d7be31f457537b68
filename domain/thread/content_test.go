package thread_test

import (
	"slices"
	"testing"

	"github.com/turno-desk/turno/domain/thread"
)

func TestWhatStandsInTheLogInClearIsNoFreeText(t *testing.T) {
	message := func(media, replyTo string) thread.Content {
		return thread.Content{
			Kind: thread.KindAudio, ReplyTo: replyTo,
			Attachments: []thread.Attachment{{URL: "https://files.example/1", Type: media}},
		}
	}
	for _, media := range []string{"image/png", "audio/ogg; codecs=opus", `video/mp4;codecs="avc1.4D401E,mp4a.40.2"`, "application/vnd.ms-excel"} {
		if r := thread.CheckContent(message(media, "t1-12-m3")); r != nil {
			t.Errorf("%s was refused: %v", media, r)
		}
	}
	for _, media := range []string{"", "image", "image/", "la foto de Eva", `application/pdf; name="eva.pdf"`, "image/png; codecs=de Eva"} {
		if r := thread.CheckContent(message(media, "")); r == nil || !slices.Equal(r.Missing, []string{"attachments"}) {
			t.Errorf("the media type %q: %v", media, r)
		}
	}
	for _, id := range []string{"wamid.HBgLMzQ2MDA", "t1-12", "t1-12-m0", "t1-12-m03", "-1-m2", "+34 600"} {
		if r := thread.CheckContent(message("image/png", id)); r == nil || !slices.Equal(r.Missing, []string{"reply_to"}) {
			t.Errorf("the reply to %q: %v", id, r)
		}
	}
}
