package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
)

// visit is one request of a browser.
type visit struct {
	echo.Context
	c *Console
	*words

	session session
	who     command.Principal // zero before the sign-in
	viewer  access.Viewer
}

func (v *visit) ctx() context.Context { return v.Request().Context() }

// maxForm is the largest body of a form: a message of 64 KiB, every byte of it escaped, and the rest.
const maxForm = 256 << 10

// policy allows what the console itself serves, and nothing inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers that every answer of the console has.
func secure(x echo.Context) {
	h := x.Response().Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// guarded is a route's handler behind the questions whose browser it is and whether the form was ours.
func (c *Console) guarded(r route) echo.HandlerFunc {
	return func(x echo.Context) error {
		secure(x)
		x.Response().Header().Set("Cache-Control", "no-store")
		v := &visit{Context: x, c: c, words: c.catalogue.of(x.Request())}
		x.Request().Body = http.MaxBytesReader(x.Response(), x.Request().Body, maxForm)
		err := v.enter(r)
		if err == nil {
			err = r.handle(v)
		}
		if err != nil {
			return v.fail(err)
		}
		return nil
	}
}

// Errors of a visit that ends before its handler.
var (
	errSignedOut = errors.New("nobody is signed in")
	errForged    = errors.New("the form is not of this session")
)

// enter opens the session, and asks whose token it holds.
func (v *visit) enter(r route) error {
	var ok bool
	if v.session, ok = v.c.carried(v.Request()); !ok {
		v.session = session{}
	}
	if r.method == http.MethodPost {
		if !sameOrigin(v.Request()) || !v.c.seal.genuine(v.session, v.csrfSent()) {
			if !r.anyone && v.session.Token == "" {
				return errSignedOut
			}
			return errForged
		}
	}
	if v.session.Token != "" {
		who, err := v.c.People.Authenticate(v.ctx(), v.session.Token)
		switch {
		case err == nil && who.Role != operator.RoleService:
			v.who, v.viewer = who, who.Viewer()
		case err == nil, errors.Is(err, command.ErrUnauthenticated):
			v.session.Token = ""
		default:
			return err
		}
	}
	if !r.anyone && v.session.Token == "" {
		return errSignedOut
	}
	return nil
}

// csrfSent is the token of the form, or of the script that sends it.
func (v *visit) csrfSent() string {
	if h := v.Request().Header.Get("X-CSRF-Token"); h != "" {
		return h
	}
	return v.Request().PostFormValue("csrf")
}

// acts reports whether the visitor may do such a thing at all. The administrator's token acts as nobody here: it looks.
func (v *visit) acts(a access.Action) bool { return v.who.Operator != "" && v.who.MayDo(a) }

// request is what a command is told of the visitor.
func (v *visit) request() command.Request {
	return command.Request{Workspace: v.c.workspace, Principal: v.who.Principal, Actor: v.who.Actor}
}

// parts are the parts of the page that a script asks for; none is the whole page.
func (v *visit) parts() []string {
	if h := v.Request().Header.Get("Turno-Parts"); h != "" {
		return strings.Split(h, ",")
	}
	return nil
}

func (v *visit) wants(part string) bool {
	return len(v.parts()) == 0 || slices.Contains(v.parts(), part)
}

// viewWithin is how long a page waits for the views to reach what was just done.
const viewWithin = 2 * time.Second

// reached waits until the view has come to p, for viewWithin at most: then the page shows what there is, and the push that
// follows brings the rest.
func (v *visit) reached(view string, p domain.Position) {
	if p == 0 || v.c.Progress.Position(view) >= p {
		return
	}
	wait, cancel := context.WithTimeout(v.ctx(), viewWithin)
	defer cancel()
	if err := v.c.Progress.Wait(wait, view, p); err != nil {
		v.c.log.Debug("a page did not wait any longer for its view", zap.String("view", view), zap.Error(err))
	}
}

// render writes a component.
func (v *visit) render(status int, t templ.Component) error {
	h := v.Response().Header()
	h.Set(echo.HeaderContentType, "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Language, Cookie, Turno-Parts")
	v.Response().WriteHeader(status)
	return t.Render(v.ctx(), v.Response())
}

// frame is what every page stands in.
func (v *visit) frame() frame {
	return frame{words: v.words, Assets: v.c.assets.base, CSRF: v.c.seal.csrf(v.session), Path: v.Request().URL.RequestURI()}
}

// fail answers what did not succeed as a page; a script gets the status, and knows what to do.
func (v *visit) fail(err error) error {
	if v.Response().Committed {
		return err
	}
	script := len(v.parts()) > 0 || v.Request().Header.Get("X-CSRF-Token") != "" || strings.HasPrefix(v.Request().Header.Get("Accept"), "text/event-stream")
	switch {
	case errors.Is(err, errSignedOut) && script:
		return v.NoContent(http.StatusUnauthorized)
	case errors.Is(err, errSignedOut):
		return v.Redirect(http.StatusSeeOther, signIn)
	case errors.Is(err, errForged):
		if script {
			return v.NoContent(http.StatusForbidden)
		}
		if err := v.visitor(); err != nil {
			return err
		}
		return v.render(http.StatusForbidden, trouble(v.frame(), "trouble.forged"))
	}
	p, logged := apihttp.ProblemOf(err)
	if logged {
		v.c.log.Error("a page failed", zap.String("route", v.Path()), zap.Int("status", p.Status), zap.Error(err))
	}
	key := "trouble.internal"
	switch {
	case p.Status == http.StatusNotFound:
		key = "trouble.not_found"
	case p.Status == http.StatusServiceUnavailable:
		key = "trouble.unavailable"
	case p.Status < http.StatusInternalServerError:
		key = "trouble.malformed"
	}
	return v.render(p.Status, trouble(v.frame(), key))
}

// visitor makes sure that there is a session for the forms of who has not signed in.
func (v *visit) visitor() error {
	if v.session.ID != "" {
		return nil
	}
	var err error
	v.session, err = v.c.begin(v.Context, "")
	return err
}

// sameOrigin is false when the browser says that another site sent the form. On plain HTTP it may say nothing, or "null"
// because of our Referrer-Policy: then the CSRF token alone decides.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin" || site == "none"
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}
