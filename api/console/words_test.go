package console

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

func TestEveryLanguageSaysTheSameThings(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\{[a-z]+\}`)
	first := all[languages()[0]]
	for _, lang := range languages()[1:] {
		for key, text := range first.says {
			other, ok := all[lang].says[key]
			if !ok {
				t.Errorf("%s lacks %q", lang, key)
				continue
			}
			a, b := names.FindAllString(text, -1), names.FindAllString(other, -1)
			slices.Sort(a)
			slices.Sort(b)
			if strings.TrimSpace(other) == "" || !slices.Equal(a, b) {
				t.Errorf("%s says %q otherwise than %s: %q, %q", lang, key, first.Language, other, text)
			}
		}
		for key := range all[lang].says {
			if !first.Has(key) {
				t.Errorf("%s alone has %q", lang, key)
			}
		}
	}
}

func TestEveryKeyThatIsSaidIsThereAndEveryOneThatIsThereIsSaid(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	w := all["en"]
	var sources string
	for _, pattern := range []string{"*.templ", "*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			if strings.HasSuffix(f, "_templ.go") || strings.HasSuffix(f, "_test.go") {
				continue
			}
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			sources += string(data)
		}
	}
	for _, m := range regexp.MustCompile(`\bT\("([a-z_.]+)"[,)]`).FindAllStringSubmatch(sources, -1) {
		if !w.Has(m[1]) {
			t.Errorf("nothing says %q", m[1])
		}
	}
	// Keys with an id of ours behind them.
	built := []string{"language.", "state.", "order.", "nothing.", "kind.", "role.", "actor.", "refusal.", "requirement.", "event.", "trouble.", "told.", "act.", "write.takes.", "alert.", "notice.", "step."}
	for key := range w.says {
		if strings.Contains(sources, `"`+key+`"`) || slices.ContainsFunc(built, func(p string) bool { return strings.HasPrefix(key, p) }) {
			continue
		}
		t.Errorf("nobody says %q", key)
	}
}

func TestWhatTheDomainKnowsHasItsWords(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, s := range thread.States() {
		keys = append(keys, "state."+s)
	}
	for _, s := range lists() {
		keys = append(keys, "order."+s, "nothing."+s)
	}
	for _, k := range []thread.Kind{thread.KindText, thread.KindImage, thread.KindAudio, thread.KindVideo, thread.KindDocument, thread.KindSticker,
		thread.KindLocation, thread.KindContact, thread.KindOther} {
		keys = append(keys, "kind."+string(k))
	}
	for _, r := range []thread.CloseReason{thread.ClosedResolved, thread.ClosedByContact, thread.ClosedInactive, thread.ClosedIgnored, thread.ClosedSuperseded, thread.ClosedOther,
		thread.ClosedSessionEnded} {
		keys = append(keys, "event.closed."+string(r))
	}
	for _, r := range []string{"operator", "supervisor", "admin", "auditor"} {
		keys = append(keys, "role."+r)
	}
	for _, k := range []domain.ActorKind{domain.ActorContact, domain.ActorAdmin, domain.ActorBot, domain.ActorSystem} {
		keys = append(keys, "actor."+string(k))
	}
	for _, c := range []domain.Code{domain.CodeForbidden, domain.CodeInvalid, domain.CodeStale, domain.CodeKeyReused, domain.CodeNotAllowed,
		domain.CodeUnknownSetting, domain.CodeRetired, domain.CodeTooLarge, thread.CodeTakenByAnother, thread.CodeConversationOpen,
		thread.CodeConversationClosed, thread.CodeNewerConversation, thread.CodeDepartmentRequired, thread.CodeNotAMember, thread.CodeOperatorAway,
		thread.CodeCloseRequirements, thread.CodeContactBlocked, thread.CodeNotOffered, thread.CodeNoMenu, thread.CodeNotLive} {
		keys = append(keys, "refusal."+string(c))
	}
	for _, c := range []thread.AlertCause{thread.AlertPauseOver, thread.AlertUnattended} {
		keys = append(keys, "alert."+string(c), "alert."+string(c)+".why", "event.alerted."+string(c))
	}
	for _, e := range []thread.OfferEnd{thread.OfferExhausted, thread.OfferExpired, thread.OfferRefused} {
		keys = append(keys, "event.offer_ended."+string(e))
	}
	for _, o := range []thread.Outcome{thread.RunDone, thread.RunCancelled, thread.RunFailed} {
		keys = append(keys, "event.workflow_ended."+string(o))
	}
	for _, h := range []thread.LinkedHow{thread.LinkedNew, thread.LinkedExisting, thread.LinkedConfirmed} {
		keys = append(keys, "event.ticket_linked."+string(h))
	}
	for _, s := range []string{setting.StepAssign, setting.StepRelease, setting.StepTransfer, setting.StepTags, setting.StepMessages, setting.StepNotes,
		setting.StepAssignContact, setting.StepUnassignContact, setting.StepWait, setting.StepClose, setting.StepWebhook, setting.StepPauseBot,
		setting.StepResumeBot} {
		keys = append(keys, "step."+s)
	}
	for _, k := range noticeKinds() {
		if k != "alerted" { // says its cause
			keys = append(keys, "notice."+k)
		}
	}
	for _, a := range acts() {
		if a.name != "tags" && a.name != "write" && a.name != "read" {
			keys = append(keys, "act."+a.name)
		}
	}
	for _, w := range all {
		for _, key := range keys {
			if !w.Has(key) {
				t.Errorf("%s lacks %q", w.Language, key)
			}
		}
	}
}

func TestTheBrowsersLanguageIsSpokenUnlessAnotherIsChosen(t *testing.T) {
	all, err := readCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"": "es", "en": "en", "pt-BR,pt;q=0.9,en;q=0.8": "pt", "de-DE,de;q=0.9,en;q=0.5": "en", "en;q=0.2, es-UY;q=0.9": "es",
		"fr": "es", "*": "es", "EN-us": "en", "en;q=x,pt;q=0.1": "pt", ";;;": "es",
	} {
		r := httptest.NewRequest("GET", "/console", nil)
		r.Header.Set("Accept-Language", header)
		if got := all.of(r).Language; got != want {
			t.Errorf("%q is spoken to in %s, want %s", header, got, want)
		}
		r.Header.Set("Cookie", "turno_language=pt")
		if got := all.of(r).Language; got != "pt" {
			t.Errorf("the choice counts for nothing: %s", got)
		}
	}
}

func TestWhatPeopleTypeAsATagBecomesAnID(t *testing.T) {
	for typed, want := range map[string]string{
		"Envío urgente": "envio-urgente", "  Ñandú ": "nandu", "a--b": "a-b", "São Paulo!": "sao-paulo", "_x": "x", "x_": "x", "---": "", "日本": "",
		strings.Repeat("á", 100): strings.Repeat("a", 64),
	} {
		got := slug(typed)
		if got != want || got != "" && !domain.ValidID(got) {
			t.Errorf("%q becomes %q, want %q", typed, got, want)
		}
	}
}

func TestAFaceHasInitials(t *testing.T) {
	for name, want := range map[string]string{"Ana Prado": "AP", "Carla": "C", "+598 99 123 456": "56", "ines@example.org": "IO", "": "?", "émile zola": "ÉZ", "日本 太郎": "日太"} {
		if got := initials(name); got != want {
			t.Errorf("%q has the initials %q, want %q", name, got, want)
		}
	}
}
