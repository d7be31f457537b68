package survey_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain/survey"
)

// F111 D18: what is an answer, and what only looks like one.
func TestWhatAnAnswerIs(t *testing.T) {
	for text, score := range map[string]int{
		"1": 1, "5": 5, " 3 ": 3, "4.": 4, "¡5!": 5, "5/5": 5, "2/5": 2, "4️⃣": 4, "⭐": 1, "⭐⭐⭐⭐⭐": 5, "★★★": 3, "\n2\n": 2,
		"0": 0, "6": 0, "10": 0, "-1": 0, "1 2": 0, "5 estrellas": 0, "cinco": 0, "3.5": 0, "4/10": 0, "⭐⭐⭐⭐⭐⭐": 0, "": 0, "/5": 0,
		"5/5/5": 0, "sí": 0, "٣": 0, "⭐5": 0, strings.Repeat(" ", 70) + "5": 0,
	} {
		got, ok := survey.Read(survey.Stars, text)
		if got.Score != score || ok != (score > 0) || got.Satisfied != nil || ok && got.Scale() != survey.Stars {
			t.Errorf("%q: %+v, %t", text, got, ok)
		}
	}
	for text, want := range map[string]string{
		"Sí": "yes", "si": "yes", "SÍ!": "yes", "si\u0301": "yes", "yes": "yes", "Sim.": "yes", "s": "yes", "Y": "yes", "👍": "yes", "👍🏽": "yes",
		"No": "no", "não": "no", "NAO": "no", "na\u0303o": "no", "n": "no", "👎": "no", "¡No!": "no",
		"no sé": "", "sisi": "", "yes please": "", "5": "", "": "", "ok": "", "?": "",
	} {
		got, ok := survey.Read(survey.YesNo, text)
		said := ""
		if ok {
			said = map[bool]string{true: "yes", false: "no"}[*got.Satisfied]
		}
		if said != want || got.Score != 0 || ok && got.Scale() != survey.YesNo {
			t.Errorf("%q: %q, %t", text, said, ok)
		}
	}
	if _, ok := survey.Read("", "5"); ok {
		t.Error("without a scale there is an answer")
	}
}

// FuzzReadAnAnswer holds that an answer is one score or one word, of the scale that was asked.
func FuzzReadAnAnswer(f *testing.F) {
	for _, s := range []string{"5", "4/5", "⭐⭐", "sí", "não!", "👍🏽", "1️⃣", "\xff", "hola"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if a, ok := survey.Read(survey.Stars, text); ok && (a.Score < 1 || a.Score > 5 || a.Satisfied != nil) || !ok && a.Score != 0 {
			t.Errorf("%q: %+v, %t", text, a, ok)
		}
		if a, ok := survey.Read(survey.YesNo, text); ok != (a.Satisfied != nil) || a.Score != 0 {
			t.Errorf("%q: %+v, %t", text, a, ok)
		}
	})
}

// F110 D15: a department that asks, and a close that calls for it.
func TestWhichClosesCallForASurvey(t *testing.T) {
	on := survey.Settings{Scale: survey.Stars, Text: "¿?"}
	if !survey.Calls(on, survey.Close{Reason: "resolved"}) || !survey.Calls(on, survey.Close{Reason: "inactive"}) {
		t.Error("nobody is asked")
	}
	if survey.Calls(survey.Settings{}, survey.Close{Reason: "resolved"}) {
		t.Error("it is off by default, and asks")
	}
	for _, c := range []survey.Close{
		{Reason: "ignored"}, {Reason: "superseded"}, {Reason: "resolved", Declined: true}, {Reason: "resolved", Hidden: true},
		{Reason: "resolved", Erased: true}, {Reason: "resolved", Blocked: true}, {Reason: "resolved", Open: true},
	} {
		if survey.Calls(on, c) {
			t.Errorf("asked after %+v", c)
		}
	}
}

func TestSettingsOfASurvey(t *testing.T) {
	for name, c := range map[string]struct {
		s    survey.Settings
		want []string
	}{
		"off":       {survey.Settings{}, nil},
		"on":        {survey.Settings{Scale: survey.YesNo, Text: "Hola {{contact.name}}, {{operator.name}}"}, nil},
		"with link": {survey.Settings{Scale: survey.Stars, Text: "{{survey.link}}", Page: "https://example.org/s/", Thanks: "{{contact.name}}", Expires: 3600, Cap: 86400}, nil},
		"no text":   {survey.Settings{Scale: survey.Stars, Text: " "}, []string{"text"}},
		"no page":   {survey.Settings{Scale: survey.Stars, Text: "{{survey.link}}"}, []string{"page"}},
		"all wrong": {survey.Settings{Scale: "1-7", Text: "{{shoe.size}}", Page: "ftp://x", Thanks: "{{survey.link}}", Expires: 59, Cap: -1},
			[]string{"scale", "page", "expires_s", "cap_s", "variable:shoe.size", "variable:survey.link"}},
		"far too long": {survey.Settings{Scale: survey.Stars, Text: "¿?", Expires: 1<<62 + 7, Cap: -1 << 62}, []string{"expires_s", "cap_s"}},
		"too long": {survey.Settings{Scale: survey.Stars, Text: strings.Repeat("x", 1001), Thanks: strings.Repeat("x", 1001), Page: "https://" + strings.Repeat("x", 500),
			Expires: 31 * 86400, Cap: 367 * 86400}, []string{"text", "thanks", "page", "expires_s", "cap_s"}},
	} {
		if diff := cmp.Diff(c.want, c.s.Malformed()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	var s survey.Settings
	if got := []time.Duration{s.ExpiresIn(), s.CapFor()}; !slices.Equal(got, []time.Duration{24 * time.Hour, 12 * time.Hour}) {
		t.Errorf("the defaults are %v", got)
	}
}
