package setting

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
)

// Limits of a subscription.
const (
	MaxSubscriptions = 50  // in use, in a workspace
	maxURL           = 500 // bytes
	maxPatterns      = 50
	maxPattern       = 100 // bytes
	maxPlaces        = 50  // departments, and channels
	maxSecrets       = 5   // that sign at once
	secretPrefix     = "whsec_"
	minSecret        = 24 // bytes, as Standard Webhooks has it
	maxSecret        = 64
)

// MaxKeep is for how long a secret may sign after a newer one was added.
const MaxKeep = 30 * 24 * time.Hour

// CodeTooManyOfThese refuses what a workspace, or a subscription, has enough of.
const CodeTooManyOfThese domain.Code = "too_many"

// Subscription sends events to a receiver of the company's, as outgoing webhooks (N18).
type Subscription struct {
	ID          string   `json:"id"`
	Name        string   `json:"name,omitempty"`
	URL         string   `json:"url"`
	Types       []string `json:"types,omitempty"`       // patterns, see Listens; none: only what is addressed to it
	Departments []string `json:"departments,omitempty"` // only events of conversations that are there before or after
	Channels    []string `json:"channels,omitempty"`    // only events of conversations on these
	Personal    bool     `json:"personal,omitempty"`    // personal fields are sent open
	Enabled     bool     `json:"enabled"`
	Stopped     string   `json:"stopped,omitempty"` // why Turno itself has disabled it: gone
	Secrets     []Secret `json:"secrets,omitempty"` // what deliveries are signed with, the newest first
	Retired     bool     `json:"retired,omitempty"`
}

// Secret is one that deliveries are signed with. Its value is in the vault.
type Secret struct {
	Fingerprint string     `json:"fingerprint"`     // the first 8 hex digits of a keyed hash
	Until       *time.Time `json:"until,omitempty"` // signs no more from then on; nil: the newest
}

// StoppedGone is why a subscription whose receiver answered 410 was disabled.
const StoppedGone = "gone"

// SubscriptionDefined makes a subscription, or replaces its definition. Aggregate setting/subscription.<id>.
type SubscriptionDefined struct{ Subscription }

// SubscriptionRetired takes it out of use, with its secrets.
type SubscriptionRetired struct{ Subscription }

// SubscriptionRotated adds a secret, which is the first from then on.
type SubscriptionRotated struct{ Subscription }

// SubscriptionStopped disables it, because its receiver wants no more.
type SubscriptionStopped struct{ Subscription }

// SubscriptionRedelivered asks for events to be sent again.
type SubscriptionRedelivered struct {
	Subscription
	From       domain.Position `json:"from"`         // inclusive
	To         domain.Position `json:"to,omitempty"` // inclusive; 0: up to this event
	FailedOnly bool            `json:"failed_only,omitempty"`
}

func (SubscriptionDefined) event()     {}
func (SubscriptionRetired) event()     {}
func (SubscriptionRotated) event()     {}
func (SubscriptionStopped) event()     {}
func (SubscriptionRedelivered) event() {}

// Kind is subscription.
func (Subscription) Kind() Kind { return KindSubscription }

// Ident is its id.
func (s Subscription) Ident() string { return s.ID }

// OutOfUse reports whether it was retired.
func (s Subscription) OutOfUse() bool { return s.Retired }

// Active reports whether events are delivered to it: it is enabled and has a secret to sign with.
func (s Subscription) Active() bool { return s.Enabled && !s.Retired && len(s.Secrets) > 0 }

func (s Subscription) settled(*Image) (Definition, []string) {
	s.Name, s.Retired = strings.TrimSpace(s.Name), false
	s.Types, s.Departments, s.Channels = sorted(s.Types), sorted(s.Departments), sorted(s.Channels)
	var bad []string
	if s.Name != "" && !line(s.Name, MaxName) {
		bad = append(bad, "name")
	}
	if !validURL(s.URL) {
		bad = append(bad, "url")
	}
	if len(s.Types) > maxPatterns || slices.ContainsFunc(s.Types, func(t string) bool { return !validPattern(t) }) {
		bad = append(bad, "types")
	}
	if !ids(s.Departments, maxPlaces) {
		bad = append(bad, "departments")
	}
	if !ids(s.Channels, maxPlaces) {
		bad = append(bad, "channels")
	}
	return s, bad
}

// kept is s with what a definition does not say: the secrets and why it was stopped stay as they are.
func (s Subscription) kept(is Definition) Definition {
	was, _ := is.(Subscription) // the zero one has none
	s.Secrets, s.Stopped = was.Secrets, ""
	if !s.Enabled {
		s.Stopped = was.Stopped
	}
	return s
}

// crowded refuses one more subscription than a workspace may have.
func (s Subscription) crowded(img *Image) *domain.Refusal {
	n := 0
	for name, d := range img.Definitions {
		if name.Kind == KindSubscription && name.ID != s.ID && !d.OutOfUse() {
			n++
		}
	}
	if n < MaxSubscriptions {
		return nil
	}
	return &domain.Refusal{Code: CodeTooManyOfThese, OnSettings: true, Detail: "A workspace has at most 50 subscriptions that are in use."}
}

func (Subscription) wants() string {
	return "A subscription takes a url (https, without a user, a password or a fragment), patterns of event types, and optionally a name, departments and channels."
}

func (s Subscription) defined() Event { return SubscriptionDefined{s} }
func (s Subscription) retired() Event {
	s.Retired, s.Enabled, s.Secrets = true, false, nil
	return SubscriptionRetired{s}
}

// Subscription finds a subscription, retired or not.
func (i *Image) Subscription(id string) (Subscription, bool) {
	return find[Subscription](i, KindSubscription, id)
}

// Subscriptions is the list of those in use, by id.
func (i *Image) Subscriptions() []Subscription {
	var all []Subscription
	for _, d := range i.Definitions {
		if s, ok := d.(Subscription); ok && !s.Retired {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Subscription) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// Takes reports whether an event of that type in that commit is for the subscription. Nothing of an import is for any.
func (s Subscription) Takes(c *domain.Commit, eventType string) bool {
	if c.Origin == domain.OriginImport || !Listens(eventType, s.Types) {
		return false
	}
	if len(s.Channels) > 0 && !slices.Contains(s.Channels, c.Channel) {
		return false
	}
	if len(s.Departments) == 0 {
		return true
	}
	for _, at := range []*domain.Sight{c.Before, c.After} {
		if at != nil && slices.Contains(s.Departments, at.Department) {
			return true
		}
	}
	return false
}

// Listens reports whether an event's type is among the patterns: whole, without its version, or by a beginning with * behind
// it; each with or without the "turno." that they all begin with.
func Listens(eventType string, patterns []string) bool {
	for _, want := range patterns {
		if want != "*" && !strings.HasPrefix(want, "turno.") {
			want = "turno." + want
		}
		if begin, ok := strings.CutSuffix(want, "*"); ok && strings.HasPrefix(eventType, begin) {
			return true
		}
		if eventType == want || strings.HasPrefix(eventType, want+".v") {
			return true
		}
	}
	return false
}

// Rotate adds a secret to sign with. Those that sign until now do so for Keep more; 0: no more.
type Rotate struct {
	Fingerprint string
	Keep        time.Duration
	Now         time.Time
}

// DecideRotate says what a Rotate makes of a subscription, and which secrets sign no more.
func DecideRotate(is Definition, r Rotate) (events []Event, dropped []string, refusal *domain.Refusal) {
	s, refusal := inUse(is)
	if refusal != nil {
		return nil, nil, refusal
	}
	if r.Keep < 0 || r.Keep > MaxKeep {
		return nil, nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"keep_s"}, Detail: "The former secrets sign on for 0 seconds to 30 days."}
	}
	if len(s.Secrets) > 0 && s.Secrets[0].Fingerprint == r.Fingerprint {
		return nil, nil, nil
	}
	until := r.Now.Add(r.Keep).UTC().Truncate(time.Millisecond)
	all := []Secret{{Fingerprint: r.Fingerprint}}
	for _, old := range s.Secrets {
		if old.Until == nil || old.Until.After(until) {
			old.Until = &until
		}
		switch {
		case old.Fingerprint == r.Fingerprint:
		case old.Until.After(r.Now):
			all = append(all, old)
		default:
			dropped = append(dropped, old.Fingerprint)
		}
	}
	if len(all) > maxSecrets {
		return nil, nil, &domain.Refusal{Code: CodeTooManyOfThese, OnSettings: true, Missing: []string{"keep_s"},
			Detail: "At most 5 secrets sign at once: wait until one of them ends, or give keep_s 0."}
	}
	s.Secrets = all
	return []Event{SubscriptionRotated{s}}, dropped, nil
}

// Signing are the fingerprints of the secrets that sign at an instant, the newest first.
func (s Subscription) Signing(at time.Time) []string {
	var all []string
	for _, secret := range s.Secrets {
		if secret.Until == nil || at.Before(*secret.Until) {
			all = append(all, secret.Fingerprint)
		}
	}
	return all
}

// DecideStop disables a subscription whose receiver wants no more. One that has another url by now goes on.
func DecideStop(is Definition, url string) []Event {
	s, ok := is.(Subscription)
	if !ok || s.Retired || !s.Enabled || s.URL != url {
		return nil
	}
	s.Enabled, s.Stopped = false, StoppedGone
	return []Event{SubscriptionStopped{s}}
}

// Redeliver sends events again.
type Redeliver struct {
	From, To   domain.Position // inclusive; To 0: up to now
	FailedOnly bool
}

// DecideRedeliver says what a Redeliver makes of a subscription.
func DecideRedeliver(is Definition, r Redeliver) ([]Event, *domain.Refusal) {
	s, refusal := inUse(is)
	switch {
	case refusal != nil:
		return nil, refusal
	case r.From < 1 || r.To != 0 && r.To < r.From:
		return nil, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"from", "to"}, Detail: "Redelivery takes a first position, and a last one that is not before it."}
	case !s.Active():
		return nil, &domain.Refusal{Code: domain.CodeNotAllowed, OnSettings: true, Detail: "The subscription is disabled, or has no secret to sign with."}
	}
	return []Event{SubscriptionRedelivered{s, r.From, r.To, r.FailedOnly}}, nil
}

func inUse(is Definition) (Subscription, *domain.Refusal) {
	s, ok := is.(Subscription)
	switch {
	case !ok:
		return s, &domain.Refusal{Code: domain.CodeNotFound, OnSettings: true, Detail: "There is no such subscription."}
	case s.Retired:
		return s, &domain.Refusal{Code: domain.CodeRetired, OnSettings: true, Detail: "The subscription was retired."}
	}
	return s, nil
}

// FormatSecret writes a secret as receivers are given it.
func FormatSecret(key []byte) string { return secretPrefix + base64.StdEncoding.EncodeToString(key) }

// ParseSecret reads such a secret: whsec_ and the base64 of 24 to 64 bytes.
func ParseSecret(secret string) (key []byte, ok bool) {
	text, ok := strings.CutPrefix(secret, secretPrefix)
	if !ok || len(text) > 2*maxSecret {
		return nil, false
	}
	key, err := base64.StdEncoding.Strict().DecodeString(text)
	return key, err == nil && len(key) >= minSecret && len(key) <= maxSecret
}

// validURL reports whether deliveries can be sent to it. A user or a password would be a secret in an event.
func validURL(s string) bool {
	if s == "" || len(s) > maxURL || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.Fragment == "" && !strings.Contains(s, "#")
}

func validPattern(t string) bool {
	body := strings.TrimSuffix(t, "*")
	return t != "" && len(t) <= maxPattern && !strings.ContainsFunc(body, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '_'
	})
}

// sorted is the list in order, each once; nil when it is empty.
func sorted(all []string) []string {
	if len(all) == 0 {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(all)))
}
