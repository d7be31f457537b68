package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/operator"
)

// maxToken is the longest token, in bytes.
const maxToken = 512

// showSignIn asks for a token.
func (c *Console) showSignIn(v *visit) error {
	if v.who.Principal != "" {
		return v.Redirect(http.StatusSeeOther, root)
	}
	if err := v.visitor(); err != nil {
		return err
	}
	return v.render(http.StatusOK, signInPage(v.frame(), v.address(), ""))
}

// signIn checks the token and keeps it, sealed, in the browser.
func (c *Console) signIn(v *visit) error {
	refuse := func(status int, key string) error {
		return v.render(status, signInPage(v.frame(), v.address(), key))
	}
	token := strings.TrimSpace(v.FormValue("token"))
	if token == "" || len(token) > maxToken {
		return refuse(http.StatusUnauthorized, "sign_in.unknown")
	}
	who, err := c.People.Authenticate(v.ctx(), token)
	switch {
	case errors.Is(err, command.ErrUnauthenticated):
		return refuse(http.StatusUnauthorized, "sign_in.unknown")
	case err != nil:
		return err
	case who.Role == operator.RoleService:
		return refuse(http.StatusForbidden, "sign_in.service")
	}
	if _, err := c.begin(v.Context, token); err != nil {
		return err
	}
	return v.Redirect(http.StatusSeeOther, root)
}

// signOut forgets the token in the browser; the operator is no longer there.
func (c *Console) signOut(v *visit) error {
	if v.acts(access.BePresent) {
		if _, err := c.People.Disconnect(v.ctx(), v.request(), v.who.Operator); err != nil {
			c.log.Warn("an operator signed out and is still taken for connected", zap.String("operator", v.who.Operator), zap.Error(err))
		}
	}
	if _, err := c.begin(v.Context, ""); err != nil {
		return err
	}
	v.Response().Header().Set("Clear-Site-Data", `"storage"`) // what was being written
	return v.Redirect(http.StatusSeeOther, signIn)
}

// chooseLanguage keeps the choice for a year, and goes back to where it was made.
func (c *Console) chooseLanguage(v *visit) error {
	if lang := v.FormValue("language"); c.catalogue[lang] != nil {
		v.SetCookie(&http.Cookie{Name: languageCookie, Value: lang, Path: root, MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true,
			Secure: encrypted(v.Request()), SameSite: http.SameSiteLaxMode})
	}
	back := v.FormValue("back")
	if u, err := url.Parse(back); err != nil || u.IsAbs() || u.Host != "" || u.Path != root && !strings.HasPrefix(u.Path, root+"/") {
		back = root
	}
	return v.Redirect(http.StatusSeeOther, back)
}

// address is where the API is, as the browser came to it: for lines to copy.
func (v *visit) address() string {
	scheme := "http"
	if encrypted(v.Request()) {
		scheme = "https"
	}
	return scheme + "://" + v.Request().Host
}
