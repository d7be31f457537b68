package command

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// SecretOrder asks for one more secret that a subscription's deliveries are signed with.
type SecretOrder struct {
	Secret string        // as Standard Webhooks writes it, whsec_…; empty: one is made
	Keep   time.Duration // for how long the former ones sign too
}

// SubscriptionSecret is a subscription's secret at its birth.
type SubscriptionSecret struct {
	SettingResult
	Fingerprint string
	Plain       string // what was made, told this once; empty when the caller gave it, and when the result is replayed
}

// AddSecret gives a subscription a secret. Its value goes to the vault before its event goes to the log; the values of those
// that sign no more are deleted.
func (s *Settings) AddSecret(ctx context.Context, req Request, id string, order SecretOrder) (SubscriptionSecret, error) {
	if !domain.ValidID(id) {
		return SubscriptionSecret{}, noSubscription()
	}
	plain := order.Secret
	if plain == "" {
		var key [32]byte
		rand.Read(key[:]) // never fails
		plain = setting.FormatSecret(key[:])
	}
	key, ok := setting.ParseSecret(plain)
	if !ok {
		return SubscriptionSecret{}, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"secret"}, Detail: "A secret is whsec_ and the base64 of 24 to 64 bytes."}
	}
	fingerprint, dropped := s.secretFingerprint(id, key), []string(nil)
	result, err := s.onSubscription(ctx, req, id, "add_secret", func(is setting.Definition, now time.Time) ([]domain.Event, error) {
		decided, gone, refusal := setting.DecideRotate(is, setting.Rotate{Fingerprint: fingerprint, Keep: order.Keep, Now: now})
		if dropped = gone; refusal == nil && len(decided) > 0 {
			if err := s.o.Secrets.PutSecret(ctx, SecretName(id, fingerprint), key); err != nil {
				return nil, fmt.Errorf("keeping a secret of subscription %s: %w", id, err)
			}
		}
		return events(decided, refusal)
	})
	if err != nil {
		return SubscriptionSecret{}, err
	}
	out := SubscriptionSecret{SettingResult: result, Fingerprint: fingerprint}
	if made := rotatedTo(result.Commit); made != "" && made != fingerprint { // an earlier call with the same key made another
		out.Fingerprint, out.Replayed = made, true
		return out, s.o.Secrets.DeleteSecret(ctx, SecretName(id, fingerprint))
	}
	if order.Secret == "" {
		out.Plain = plain
	}
	return out, s.forget(ctx, id, dropped)
}

// rotatedTo is the fingerprint of the secret that a commit added; empty when it added none.
func rotatedTo(c domain.Commit) string {
	for _, e := range c.Events {
		if e, ok := e.(setting.SubscriptionRotated); ok && len(e.Secrets) > 0 {
			return e.Secrets[0].Fingerprint
		}
	}
	return ""
}

// StopSubscription disables a subscription whose receiver, at that url, wants no more.
func (s *Settings) StopSubscription(ctx context.Context, req Request, id, url string) (SettingResult, error) {
	return s.onSubscription(ctx, req, id, "stop", func(is setting.Definition, _ time.Time) ([]domain.Event, error) {
		return events(setting.DecideStop(is, url), nil)
	})
}

// Redeliver asks for events to be sent to a subscription again. Who delivers finds that in the log.
func (s *Settings) Redeliver(ctx context.Context, req Request, id string, r setting.Redeliver) (SettingResult, error) {
	if !domain.ValidID(id) {
		return SettingResult{}, noSubscription()
	}
	return s.onSubscription(ctx, req, id, "redeliver", func(is setting.Definition, _ time.Time) ([]domain.Event, error) {
		return events(setting.DecideRedeliver(is, r))
	})
}

func (s *Settings) onSubscription(ctx context.Context, req Request, id, action string,
	decide func(is setting.Definition, now time.Time) ([]domain.Event, error)) (SettingResult, error) {
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return change(ctx, s.w, edit[setting.Definition]{
			req: req, aggregate: s.aggregate(domain.CategorySetting, string(setting.KindSubscription)+"."+id), action: action, image: img, tail: true,
			evolve: latest(setting.DefinitionOf),
			decide: func(is *setting.Definition, now time.Time) ([]domain.Event, error) { return decide(*is, now) },
		})
	})
}

// forget deletes the values of secrets that sign no more.
func (s *Settings) forget(ctx context.Context, id string, fingerprints []string) error {
	for _, f := range fingerprints {
		if err := s.o.Secrets.DeleteSecret(ctx, SecretName(id, f)); err != nil {
			return fmt.Errorf("deleting a secret of subscription %s: %w", id, err)
		}
	}
	return nil
}

// SecretName is where the vault keeps the value of a subscription's secret.
func SecretName(subscription, fingerprint string) string {
	return "subscription/" + subscription + "-" + fingerprint
}

func (s *Settings) secretFingerprint(subscription string, key []byte) string {
	sum := sha256.Sum256([]byte(s.o.Hasher.Hash("subscription", subscription, string(key))))
	return hex.EncodeToString(sum[:4])
}

func noSubscription() *domain.Refusal {
	return &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such subscription."}
}
