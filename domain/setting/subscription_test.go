package setting_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

var crm = setting.Subscription{ID: "crm", URL: "https://crm.example.com/turno", Types: []string{"conversation.*"}, Enabled: true}

func rotated(t *testing.T, is setting.Subscription, r setting.Rotate) (setting.Subscription, []string) {
	t.Helper()
	events, dropped, refusal := setting.DecideRotate(is, r)
	if refusal != nil || len(events) != 1 {
		t.Fatalf("%v, %v", events, refusal)
	}
	return events[0].(setting.SubscriptionRotated).Subscription, dropped
}

// N18: while a secret is rotated the older ones sign too, until their time.
func TestAnOlderSecretSignsUntilItsTime(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s, _ := rotated(t, crm, setting.Rotate{Fingerprint: "a", Now: now})
	if !s.Active() || crm.Active() {
		t.Error("a subscription is active without a secret, or is not with one")
	}
	s, dropped := rotated(t, s, setting.Rotate{Fingerprint: "b", Keep: time.Hour, Now: now})
	if len(dropped) > 0 {
		t.Errorf("%v is dropped", dropped)
	}
	for at, want := range map[time.Duration][]string{0: {"b", "a"}, time.Hour - 1: {"b", "a"}, time.Hour: {"b"}, 99 * time.Hour: {"b"}} {
		if d := cmp.Diff(want, s.Signing(now.Add(at))); d != "" {
			t.Errorf("after %s (-want +got)\n%s", at, d)
		}
	}
	if again, _, r := setting.DecideRotate(s, setting.Rotate{Fingerprint: "b", Keep: time.Hour, Now: now}); len(again) > 0 || r != nil {
		t.Errorf("the same secret again makes %v, %v", again, r)
	}
	// A later rotation prolongs nothing.
	s, dropped = rotated(t, s, setting.Rotate{Fingerprint: "c", Keep: 48 * time.Hour, Now: now.Add(30 * time.Minute)})
	if d := cmp.Diff([]string{"c", "b"}, s.Signing(now.Add(time.Hour))); d != "" || len(dropped) > 0 {
		t.Errorf("%v dropped (-want +got)\n%s", dropped, d)
	}
	s, dropped = rotated(t, s, setting.Rotate{Fingerprint: "d", Now: now.Add(2 * time.Hour)})
	if d := cmp.Diff([]setting.Secret{{Fingerprint: "d"}}, s.Secrets); d != "" {
		t.Errorf("at once (-want +got)\n%s", d)
	}
	if d := cmp.Diff([]string{"c", "b", "a"}, dropped); d != "" {
		t.Errorf("dropped (-want +got)\n%s", d)
	}
}

func TestASubscriptionHasFiveSecretsAtMost(t *testing.T) {
	s, now := crm, time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for i := range 5 {
		s, _ = rotated(t, s, setting.Rotate{Fingerprint: fmt.Sprint(i), Keep: time.Hour, Now: now})
	}
	if _, _, r := setting.DecideRotate(s, setting.Rotate{Fingerprint: "x", Keep: time.Hour, Now: now}); r == nil || r.Code != setting.CodeTooManyOfThese {
		t.Errorf("a sixth: %v", r)
	}
	if s, _ = rotated(t, s, setting.Rotate{Fingerprint: "x", Now: now}); len(s.Secrets) != 1 {
		t.Errorf("%v", s.Secrets)
	}
	for _, keep := range []time.Duration{-1, setting.MaxKeep + 1} {
		if _, _, r := setting.DecideRotate(s, setting.Rotate{Fingerprint: "y", Keep: keep, Now: now}); r == nil || r.Code != domain.CodeInvalid {
			t.Errorf("to keep for %s: %v", keep, r)
		}
	}
}

func TestADefinitionLeavesTheSecretsAlone(t *testing.T) {
	s, _ := rotated(t, crm, setting.Rotate{Fingerprint: "a"})
	again := crm
	if events, r := setting.DecideDefine(s, again, office()); len(events) > 0 || r != nil {
		t.Errorf("the same makes %v, %v", events, r)
	}
	again.URL = "https://other.example.com"
	again.Secrets = []setting.Secret{{Fingerprint: "forged"}}
	events, r := setting.DecideDefine(s, again, office())
	if r != nil || len(events) != 1 {
		t.Fatal(events, r)
	}
	if got := setting.DefinitionOf(events[0]).(setting.Subscription); got.URL != again.URL || got.Secrets[0].Fingerprint != "a" {
		t.Errorf("it is %+v", got)
	}
	gone, _ := setting.DecideRetire(s, &setting.Image{})
	back, r := setting.DecideDefine(setting.DefinitionOf(gone[0]), crm, office())
	if r != nil || len(setting.DefinitionOf(back[0]).(setting.Subscription).Secrets) > 0 {
		t.Errorf("one that comes back is %+v, %v", back, r)
	}
}

func TestAReceiverThatIsGoneStopsItsSubscription(t *testing.T) {
	events := setting.DecideStop(crm, crm.URL)
	if len(events) != 1 {
		t.Fatal(events)
	}
	s := setting.DefinitionOf(events[0]).(setting.Subscription)
	if s.Enabled || s.Stopped != setting.StoppedGone {
		t.Errorf("%+v", s)
	}
	if again := setting.DecideStop(s, s.URL); again != nil {
		t.Error("it is stopped again")
	}
	if other := setting.DecideStop(crm, "https://former.example.com"); other != nil {
		t.Error("what a former receiver says stops it")
	}
	if setting.DecideStop(nil, "") != nil {
		t.Error("what there isn't is stopped")
	}
	on, r := setting.DecideDefine(s, crm, office())
	if r != nil || len(on) != 1 || setting.DefinitionOf(on[0]).(setting.Subscription).Stopped != "" {
		t.Errorf("enabled again it is %v, %v", on, r)
	}
	off := crm
	off.Enabled = false
	if same, r := setting.DecideDefine(s, off, office()); len(same) > 0 || r != nil {
		t.Errorf("disabled by hand too it is %v, %v", same, r)
	}
}

func TestRedeliveryTakesASubscriptionThatIsActive(t *testing.T) {
	active, _ := rotated(t, crm, setting.Rotate{Fingerprint: "a"})
	disabled, retired := active, active
	disabled.Enabled, retired.Retired = false, true
	for name, c := range map[string]struct {
		is   setting.Definition
		r    setting.Redeliver
		code domain.Code
	}{
		"from a position on": {active, setting.Redeliver{From: 7}, ""},
		"one position":       {active, setting.Redeliver{From: 7, To: 7, FailedOnly: true}, ""},
		"from nowhere":       {active, setting.Redeliver{}, domain.CodeInvalid},
		"backwards":          {active, setting.Redeliver{From: 7, To: 6}, domain.CodeInvalid},
		"disabled":           {disabled, setting.Redeliver{From: 7}, domain.CodeNotAllowed},
		"without a secret":   {crm, setting.Redeliver{From: 7}, domain.CodeNotAllowed},
		"retired":            {retired, setting.Redeliver{From: 7}, domain.CodeRetired},
		"none":               {nil, setting.Redeliver{From: 7}, domain.CodeNotFound},
	} {
		events, r := setting.DecideRedeliver(c.is, c.r)
		if c.code == "" && (r != nil || len(events) != 1) || c.code != "" && (r == nil || r.Code != c.code) {
			t.Errorf("%s: %v, %v", name, events, r)
		}
	}
}

func TestASubscriptionTakesWhatItListensTo(t *testing.T) {
	const taken = "turno.conversation.taken.v1"
	for pattern, want := range map[string]bool{
		"*": true, "conversation.*": true, "turno.conversation.*": true, "conversation.taken": true, "turno.conversation.taken": true, taken: true,
		"conversation.take": false, "conversation": false, "ticket.*": false, "turno.*": true, "conversation.taken.v2": false,
	} {
		if setting.Listens(taken, []string{"contact.*", pattern}) != want {
			t.Errorf("%s listens: %v", pattern, !want)
		}
	}
	in := func(department, channel string, o domain.Origin) *domain.Commit {
		return &domain.Commit{Origin: o, Channel: channel, Before: &domain.Sight{Department: "start"}, After: &domain.Sight{Department: department}}
	}
	for _, c := range []struct {
		departments, channels []string
		of                    *domain.Commit
		want                  bool
	}{
		{nil, nil, in("sales", "web", domain.OriginLive), true},
		{nil, nil, in("sales", "web", domain.OriginImport), false},
		{[]string{"sales"}, nil, in("sales", "web", domain.OriginLive), true},
		{[]string{"start"}, nil, in("sales", "web", domain.OriginLive), true},
		{[]string{"other"}, nil, in("sales", "web", domain.OriginLive), false},
		{nil, []string{"web"}, in("sales", "web", domain.OriginLive), true},
		{nil, []string{"tv"}, in("sales", "web", domain.OriginLive), false},
		{[]string{"sales"}, nil, &domain.Commit{Origin: domain.OriginLive}, false},
	} {
		s := crm
		s.Departments, s.Channels = c.departments, c.channels
		if s.Takes(c.of, taken) != c.want {
			t.Errorf("%v %v takes %+v: %v", c.departments, c.channels, c.of, !c.want)
		}
	}
}

func TestAWorkspaceHasFiftySubscriptionsAtMost(t *testing.T) {
	img := office()
	for i := range setting.MaxSubscriptions {
		s := crm
		s.ID = fmt.Sprint("s", i)
		img = defined(t, img, s)
	}
	if _, r := setting.DecideDefine(nil, crm, img); r == nil || r.Code != setting.CodeTooManyOfThese {
		t.Errorf("one more: %v", r)
	}
	changed := crm
	changed.ID, changed.Name = "s0", "Other"
	if _, r := setting.DecideDefine(img.Subscriptions()[0], changed, img); r != nil {
		t.Errorf("a change of one: %v", r)
	}
	gone, _ := setting.DecideRetire(img.Subscriptions()[0], img)
	img = img.Apply(commit(img.Position+1, gone[0]))
	if _, r := setting.DecideDefine(nil, crm, img); r != nil {
		t.Errorf("in the place of a retired one: %v", r)
	}
}

func FuzzASecretIsReadAsItWasWritten(f *testing.F) {
	f.Add("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	f.Add("whsec_")
	f.Add("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	f.Add("whsec_" + strings.Repeat("A", 88))
	f.Fuzz(func(t *testing.T, secret string) {
		key, ok := setting.ParseSecret(secret)
		if ok && (setting.FormatSecret(key) != secret || len(key) < 24 || len(key) > 64) {
			t.Errorf("%q is read as %d bytes, which are written %q", secret, len(key), setting.FormatSecret(key))
		}
	})
}
