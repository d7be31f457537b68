package command_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

var hook = setting.Subscription{ID: "crm", URL: "https://crm.example.com", Types: []string{"*"}, Enabled: true}

func (b *bureau) hooked(t *testing.T) {
	t.Helper()
	if _, err := b.settings.Define(t.Context(), admin, hook); err != nil {
		t.Fatal(err)
	}
}

func (b *bureau) value(t *testing.T, fingerprint string) []byte {
	t.Helper()
	v, err := b.secrets.Secret(t.Context(), command.SecretName("crm", fingerprint))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// N18: the secret is told once, kept in the vault, and in no event.
func TestASubscriptionsSecretIsInTheVaultAndInNoEvent(t *testing.T) {
	b := newBureau(t)
	b.hooked(t)
	made, err := b.settings.AddSecret(t.Context(), admin, "crm", command.SecretOrder{})
	if err != nil {
		t.Fatal(err)
	}
	key, ok := setting.ParseSecret(made.Plain)
	if !ok || string(b.value(t, made.Fingerprint)) != string(key) {
		t.Errorf("%q is %v in the vault", made.Plain, b.value(t, made.Fingerprint))
	}
	const given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	second, err := b.settings.AddSecret(t.Context(), admin, "crm", command.SecretOrder{Secret: given, Keep: time.Hour})
	if err != nil || second.Plain != "" || b.value(t, second.Fingerprint) == nil {
		t.Errorf("%+v, %v", second, err)
	}
	third, err := b.settings.AddSecret(t.Context(), admin, "crm", command.SecretOrder{})
	if err != nil {
		t.Fatal(err)
	}
	if b.value(t, made.Fingerprint) != nil || b.value(t, second.Fingerprint) != nil || b.value(t, third.Fingerprint) == nil {
		t.Error("what signs no more is kept, or what signs is not")
	}
	err = b.log.Read(t.Context(), 0, projections.ReadOptions{Open: true, ToHead: true}, func(chunk []domain.Commit) error {
		for i := range chunk {
			if said := fmt.Sprintf("%+v", chunk[i].Events); strings.Contains(said, "whsec_") || strings.Contains(said, given[6:]) {
				t.Errorf("a secret is in %s", said)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.settings.RetireDefinition(t.Context(), admin, setting.KindSubscription, "crm"); err != nil || b.value(t, third.Fingerprint) != nil {
		t.Errorf("a retired subscription keeps its secret (%v)", err)
	}
}

func TestTheSameKeyMakesOneSecret(t *testing.T) {
	b := newBureau(t)
	b.hooked(t)
	keyed := admin
	keyed.Key = "once"
	first, err := b.settings.AddSecret(t.Context(), keyed, "crm", command.SecretOrder{})
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.settings.AddSecret(t.Context(), keyed, "crm", command.SecretOrder{})
	if err != nil || !again.Replayed || again.Plain != "" || again.Fingerprint != first.Fingerprint || again.Position != first.Position {
		t.Errorf("%+v, %v", again, err)
	}
	if b.value(t, first.Fingerprint) == nil {
		t.Error("the one that was told is gone")
	}
}

func TestASubscriptionIsStoppedAndRedeliveredByEvents(t *testing.T) {
	b := newBureau(t)
	b.hooked(t)
	var refusal *domain.Refusal
	if _, err := b.settings.Redeliver(t.Context(), admin, "crm", setting.Redeliver{From: 1}); !errors.As(err, &refusal) || refusal.Code != domain.CodeNotAllowed {
		t.Errorf("without a secret: %v", err)
	}
	if _, err := b.settings.AddSecret(t.Context(), admin, "crm", command.SecretOrder{Secret: "whsec_short"}); !errors.As(err, &refusal) || refusal.Code != domain.CodeInvalid {
		t.Errorf("a secret that is none: %v", err)
	}
	if _, err := b.settings.AddSecret(t.Context(), admin, "crm", command.SecretOrder{}); err != nil {
		t.Fatal(err)
	}
	if r, err := b.settings.Redeliver(t.Context(), admin, "crm", setting.Redeliver{From: 1}); err != nil || len(r.Commit.Events) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := b.settings.StopSubscription(t.Context(), admin, "crm", "https://elsewhere.example.com"); err != nil || len(r.Commit.Events) != 0 {
		t.Errorf("by another receiver: %+v, %v", r, err)
	}
	if r, err := b.settings.StopSubscription(t.Context(), admin, "crm", hook.URL); err != nil || len(r.Commit.Events) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	for _, id := range []string{"none", "A.B"} {
		if _, err := b.settings.Redeliver(t.Context(), admin, id, setting.Redeliver{From: 1}); !errors.As(err, &refusal) || refusal.Code != domain.CodeNotFound {
			t.Errorf("of %s: %v", id, err)
		}
		if _, err := b.settings.AddSecret(t.Context(), admin, id, command.SecretOrder{}); !errors.As(err, &refusal) || refusal.Code != domain.CodeNotFound {
			t.Errorf("of %s: %v", id, err)
		}
	}
}
