package command

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
)

// ErrUnauthenticated says that a token is unknown, revoked, or its operator's access has ended.
var ErrUnauthenticated = errors.New("the token is not valid")

// Principal is whose token a request came with, and for whom it acts.
type Principal struct {
	Workspace string
	Principal string       // "operator:ana", "service:crm", "admin"
	Actor     domain.Actor // who acts: the principal, or whom it acts for

	// The sight and the rights: the principal's own, or the operator's it acts for.
	Role        operator.Role
	Operator    string // id, when an operator acts
	Departments []string
	Scopes      []string // of a service
	TokenID     string

	holder *access.Viewer // the principal, while it acts for an operator
}

// Viewer is the principal for the access rule.
func (p Principal) Viewer() access.Viewer {
	return access.Viewer{Operator: p.Operator, Role: p.Role, Departments: p.Departments, Scopes: p.Scopes}
}

// MayDo reports whether the principal may do the action. A service that acts for an operator needs both: the operator's
// role and its own scope; for the operator's presence that is the scope of conversations.
func (p Principal) MayDo(a access.Action) bool {
	if !access.MayDo(p.Viewer(), a) {
		return false
	}
	if p.holder == nil || p.holder.Role != operator.RoleService {
		return true
	}
	if a == access.BePresent {
		a = access.Converse
	}
	return access.MayDo(*p.holder, a)
}

// MayActFor reports whether the principal may act for somebody else at all: admins and services.
func (p Principal) MayActFor() bool {
	return p.holder == nil && access.MayDo(p.Viewer(), access.ActForOthers)
}

// knownToken is a token whose secret was checked before.
type knownToken struct{ id, fingerprint string }

// Authenticate finds whose token it is. Errors: ErrUnauthenticated; ErrUnavailable. Revocations and deactivations count as
// soon as this process knows them, within FreshWithin; a refusal is confirmed against the log, by the tails of the token
// and of its operator, so that guessing costs the log next to nothing.
func (s *Settings) Authenticate(ctx context.Context, bearer string) (Principal, error) {
	img, err := s.o.Image.Snapshot(ctx)
	if err != nil {
		return Principal{}, err
	}
	hash := sha256.Sum256([]byte(bearer))
	p, ok, err := s.recognise(ctx, img, bearer, hash)
	if err != nil || ok {
		return p, err
	}
	behind, err := s.behind(ctx, img, bearer)
	if err != nil {
		return Principal{}, err
	}
	newer := s.o.Image.current.Load()
	switch {
	case behind:
		if img, _, err = s.o.Image.Confirm(ctx, img); err != nil {
			return Principal{}, err
		}
	case newer != img: // it has caught up since it was looked at
		img = newer
	default:
		return Principal{}, ErrUnauthenticated
	}
	if p, ok, err = s.recognise(ctx, img, bearer, hash); err != nil || ok {
		return p, err
	}
	return Principal{}, ErrUnauthenticated
}

// behind reports whether the log holds more than this process knows of anything that the token may rest on.
func (s *Settings) behind(ctx context.Context, img *setting.Image, bearer string) (bool, error) {
	rests := []domain.Aggregate{s.aggregate(domain.CategorySetting, "token."+setting.AdminToken)}
	if id := tokenID(bearer); domain.ValidID(id) {
		rests = append(rests, s.aggregate(domain.CategorySetting, "token."+id))
		t, _ := img.Token(id)
		if kind, owner, _ := strings.Cut(t.Owner, ":"); kind == "operator" {
			rests = append(rests, s.aggregate(domain.CategoryOperator, owner))
		}
	}
	for _, a := range rests {
		newer, err := s.o.Image.behind(ctx, s.o.Log, a)
		if err != nil || newer {
			return newer, err
		}
	}
	return false, nil
}

// recognise looks for the token in the settings, and for its hash in the vault the first time.
func (s *Settings) recognise(ctx context.Context, img *setting.Image, bearer string, hash [32]byte) (Principal, bool, error) {
	if k, ok := s.known.Get(hash); ok {
		if t, ok := img.Token(k.id); ok && t.Fingerprint == k.fingerprint {
			p, ok := principalOf(img, t)
			return p, ok, nil
		}
	}
	fingerprint := s.fingerprint(bearer)
	for _, id := range []string{tokenID(bearer), setting.AdminToken} {
		t, ok := img.Token(id)
		if !ok || t.Revoked || t.Fingerprint != fingerprint {
			continue
		}
		held, err := s.holds(ctx, t, hash)
		if err != nil {
			return Principal{}, false, err
		}
		if held {
			s.known.Add(hash, knownToken{id: id, fingerprint: fingerprint})
			p, ok := principalOf(img, t)
			return p, ok, nil
		}
	}
	return Principal{}, false, nil
}

// holds reports whether the vault has this hash for the token.
func (s *Settings) holds(ctx context.Context, t setting.Token, hash [32]byte) (bool, error) {
	kept, err := s.o.Secrets.Secret(ctx, secretName(t.ID, t.Fingerprint))
	if err != nil {
		return false, fmt.Errorf("reading the hash of token %s: %w", t.ID, err)
	}
	return subtle.ConstantTimeCompare(kept, hash[:]) == 1, nil
}

// principalOf is false for a revoked token and for one whose operator's access has ended.
func principalOf(img *setting.Image, t setting.Token) (Principal, bool) {
	if t.Revoked {
		return Principal{}, false
	}
	p := Principal{Workspace: img.Workspace, Principal: t.Owner, TokenID: t.ID}
	switch kind, id, _ := strings.Cut(t.Owner, ":"); kind {
	case setting.AdminOwner:
		p.Actor, p.Role = domain.Actor{Kind: domain.ActorAdmin}, operator.RoleAdmin
	case "service":
		p.Actor, p.Role, p.Scopes = domain.Actor{Kind: domain.ActorService, ID: id}, operator.RoleService, t.Scopes
	case "operator":
		d, ok := img.Operator(id)
		if !ok || !d.Active {
			return Principal{}, false
		}
		p.Actor = domain.Actor{Kind: domain.ActorOperator, ID: id}
		p.Role, p.Operator, p.Departments = d.Role, id, d.Departments
	default:
		return Principal{}, false
	}
	return p, true
}

// tokenID is the id in turno_<id>_<secret>, or empty.
func tokenID(bearer string) string {
	rest, ok := strings.CutPrefix(bearer, "turno_")
	if i := strings.LastIndexByte(rest, '_'); ok && i > 0 {
		return rest[:i]
	}
	return ""
}

// ActFor is the principal acting for another: "operator:<id>", who must be active, "contact" or "bot" (Turno-Actor). It
// then has that operator's sight and rights; for a contact or a bot it keeps its own.
func (s *Settings) ActFor(ctx context.Context, p Principal, actor string) (Principal, error) {
	a, err := domain.ParseActor(actor)
	if err != nil || a.Kind != domain.ActorOperator && a.Kind != domain.ActorContact && a.Kind != domain.ActorBot {
		return Principal{}, &domain.Refusal{Code: domain.CodeInvalid, Missing: []string{"actor"}, Detail: "Act for operator:<id>, contact or bot."}
	}
	if !p.MayActFor() {
		return Principal{}, &domain.Refusal{Code: domain.CodeForbidden, Detail: "Only admins and services act for others."}
	}
	a.Via = p.Principal
	if a.Kind != domain.ActorOperator {
		p.Actor, p.Operator = a, ""
		return p, nil
	}
	img, err := s.o.Image.Snapshot(ctx)
	if err != nil {
		return Principal{}, err
	}
	d, ok := img.Operator(a.ID)
	if !ok || !d.Active {
		if img, _, err = s.o.Image.Confirm(ctx, img); err != nil {
			return Principal{}, err
		}
		d, ok = img.Operator(a.ID)
	}
	switch {
	case !ok:
		return Principal{}, &domain.Refusal{Code: domain.CodeUnknownSetting, Missing: []string{"operator:" + a.ID}, Detail: "There is no such operator."}
	case !d.Active:
		return Principal{}, &domain.Refusal{Code: domain.CodeRetired, Missing: []string{"operator:" + a.ID}, Detail: "The operator was deactivated."}
	}
	holder := p.Viewer()
	p.holder, p.Actor = &holder, a
	p.Role, p.Operator, p.Departments, p.Scopes = d.Role, a.ID, d.Departments, nil
	return p, nil
}
