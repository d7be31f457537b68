package command

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// TokenOrder is what a token is asked for.
type TokenOrder struct {
	Owner  string // "operator:<id>", "service:<id>" or "admin"
	Name   domain.Personal
	Scopes []string // of a service
}

// IssuedToken is a token at its birth.
type IssuedToken struct {
	SettingResult
	ID string
	// Plain is the token itself: turno_<id>_<secret>, where the secret is 32 random bytes. It is told this once and kept
	// nowhere; empty when the result is replayed.
	Plain string
}

// IssueToken makes a token. Its hash goes to the vault before its event goes to the log.
func (s *Settings) IssueToken(ctx context.Context, req Request, order TokenOrder) (IssuedToken, error) {
	id := "k" + randomID()[:15]
	if req.Key != "" { // the same command finds the token that it made
		id = "k" + hashID(req.Workspace, req.Principal, order.Owner, "token", req.Key)[:15]
	}
	plain := newToken(id)
	out := IssuedToken{ID: id}
	var err error
	out.SettingResult, err = s.issue(ctx, req, id, plain, order)
	if err != nil {
		return IssuedToken{}, err
	}
	fingerprint := s.fingerprint(plain)
	if issued(out.Commit).Fingerprint != fingerprint { // an earlier call, or one at the same moment, made the token
		out.Replayed = true
		return out, s.o.Secrets.DeleteSecret(ctx, secretName(id, fingerprint))
	}
	out.Plain = plain
	return out, nil
}

// issued is the token that a commit made; the zero one when it made none.
func issued(c domain.Commit) (t setting.Token) {
	for _, e := range c.Events {
		if e, ok := e.(setting.TokenIssued); ok {
			t = e.Token
		}
	}
	return t
}

// issue makes the event for a plain token, and keeps its hash before.
func (s *Settings) issue(ctx context.Context, req Request, id, plain string, order TokenOrder) (SettingResult, error) {
	fingerprint := s.fingerprint(plain)
	return s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return change(ctx, s.w, edit[setting.Token]{
			req: req, aggregate: s.aggregate(domain.CategorySetting, "token."+id), action: "issue", image: img, tail: true,
			evolve: latest(setting.TokenOf), key: s.tokenKey(ctx, order),
			decide: func(is *setting.Token, _ time.Time) ([]domain.Event, error) {
				decided, r := setting.DecideIssue(*is, setting.IssueToken{
					ID: id, Owner: order.Owner, Name: order.Name, Scopes: order.Scopes, Fingerprint: fingerprint,
				}, img)
				if r == nil && len(decided) > 0 {
					hash := sha256.Sum256([]byte(plain))
					if err := s.o.Secrets.PutSecret(ctx, secretName(id, fingerprint), hash[:]); err != nil {
						return nil, fmt.Errorf("keeping the hash of token %s: %w", id, err)
					}
				}
				return events(decided, r)
			},
		})
	})
}

// RevokeToken takes a token's right back.
func (s *Settings) RevokeToken(ctx context.Context, req Request, id string) (SettingResult, error) {
	if !domain.ValidID(id) {
		return SettingResult{}, &domain.Refusal{Code: domain.CodeNotFound, Detail: "There is no such token."}
	}
	var fingerprint string
	result, err := s.onSettings(ctx, req, func(img *setting.Image) (SettingResult, error) {
		return change(ctx, s.w, edit[setting.Token]{
			req: req, aggregate: s.aggregate(domain.CategorySetting, "token."+id), action: "revoke", image: img, tail: true,
			evolve: latest(setting.TokenOf), key: func(has string) (string, error) { return has, nil },
			decide: func(is *setting.Token, _ time.Time) ([]domain.Event, error) {
				fingerprint = is.Fingerprint
				return events(setting.DecideRevoke(*is))
			},
		})
	})
	if err == nil && fingerprint != "" {
		err = s.o.Secrets.DeleteSecret(ctx, secretName(id, fingerprint))
	}
	return result, err
}

// minAdminToken is the shortest administrator's token, in bytes.
const minAdminToken = 16

// EnsureAdmin makes sure that somebody can get in. A given token becomes the administrator's, in place of the one before.
// Without one a token is made, once in the life of the log, and returned to be printed; later calls return "".
func (s *Settings) EnsureAdmin(ctx context.Context, given string) (string, error) {
	img, _, err := s.o.Image.Confirm(ctx, nil)
	if err != nil {
		return "", err
	}
	was, exists := img.Token(setting.AdminToken)
	plain := given
	switch {
	case given == "" && exists:
		return "", nil
	case given == "":
		plain = newToken(setting.AdminToken)
	case len(given) < minAdminToken || strings.ContainsFunc(given, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", fmt.Errorf("the administrator's token must have %d bytes or more of visible ASCII, without spaces", minAdminToken)
	}
	fingerprint := s.fingerprint(plain)
	if exists && !was.Revoked && was.Fingerprint == fingerprint {
		ok, err := s.holds(ctx, was, sha256.Sum256([]byte(plain)))
		if err != nil || ok {
			return "", err
		}
		hash := sha256.Sum256([]byte(plain)) // the vault has lost it
		return "", s.o.Secrets.PutSecret(ctx, secretName(setting.AdminToken, fingerprint), hash[:])
	}
	req := Request{Workspace: img.Workspace, Principal: "system", Actor: domain.Actor{Kind: domain.ActorSystem}}
	if given == "" {
		req.Key, req.BodyHash = "first admin token", fingerprint // of two processes that start at once, one makes it
	}
	_, err = s.issue(ctx, req, setting.AdminToken, plain, TokenOrder{Owner: setting.AdminOwner})
	var refusal *domain.Refusal
	if given == "" && errors.As(err, &refusal) && refusal.Code == domain.CodeKeyReused {
		return "", s.o.Secrets.DeleteSecret(ctx, secretName(setting.AdminToken, fingerprint))
	}
	if err != nil {
		return "", fmt.Errorf("issuing the administrator's token: %w", err)
	}
	if exists {
		err = s.o.Secrets.DeleteSecret(ctx, secretName(setting.AdminToken, was.Fingerprint))
	}
	if given != "" {
		plain = ""
	}
	return plain, err
}

// tokenKey is the key that seals a token's name: its operator's, or one of its own.
func (s *Settings) tokenKey(ctx context.Context, order TokenOrder) func(string) (string, error) {
	if kind, id, _ := strings.Cut(order.Owner, ":"); kind == "operator" {
		return s.operatorKey(ctx, id)
	}
	if order.Name == "" {
		return nil
	}
	return s.ownKey(ctx)
}

// secretName is where the hash of a token is. The fingerprint is in it, so that of two attempts to issue the same token
// each keeps its own, and the event says which one counts.
func secretName(id, fingerprint string) string { return "token/" + id + "-" + fingerprint }

// fingerprint tells tokens apart for people. It is keyed: a plain hash of a token that a person chose could be guessed from.
func (s *Settings) fingerprint(plain string) string {
	sum := sha256.Sum256([]byte(s.o.Hasher.Hash("token", plain)))
	return hex.EncodeToString(sum[:4])
}

func newToken(id string) string {
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	return "turno_" + id + "_" + idAlphabet.EncodeToString(secret[:])
}
