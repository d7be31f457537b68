package http

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// preflightFor is how long a browser may remember what a page of another origin is allowed.
const preflightFor = 10 * time.Minute

// Origin reads the origin of a page as browsers write it: a scheme, a host in lower case, and a port that is not the scheme's own.
func Origin(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.ForceQuery ||
		strings.ContainsAny(s, "#*") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%q is no origin: https://, a host (in punycode) and perhaps a port, and nothing behind it", s)
	}
	host := strings.ToLower(u.Host)
	if own := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; strings.HasSuffix(host, own) {
		host = strings.TrimSuffix(host, own)
	}
	return u.Scheme + "://" + strings.TrimSuffix(host, ":"), nil
}

// fromPages lets scripts of pages of s.origins read what a route answers, its problems too. No cookie and no credential goes with
// it: what the route gives is given to whoever has the token in its path.
func (s *Server) fromPages(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Add(echo.HeaderVary, echo.HeaderOrigin)
		if s.mayRead(c.Request()) {
			h.Set(echo.HeaderAccessControlAllowOrigin, c.Request().Header.Get(echo.HeaderOrigin))
			h.Set(echo.HeaderAccessControlExposeHeaders, echo.HeaderRetryAfter)
		}
		return next(c)
	}
}

// preflight answers a browser that asks whether a page may call. Another origin's is told nothing, and so may not.
func (s *Server) preflight(c echo.Context) error {
	h := c.Response().Header()
	h.Add(echo.HeaderVary, echo.HeaderAccessControlRequestMethod)
	h.Add(echo.HeaderVary, echo.HeaderAccessControlRequestHeaders)
	if s.mayRead(c.Request()) {
		h.Set(echo.HeaderAccessControlAllowMethods, http.MethodGet+", "+http.MethodPost)
		h.Set(echo.HeaderAccessControlAllowHeaders, echo.HeaderContentType)
		h.Set(echo.HeaderAccessControlMaxAge, fmt.Sprint(int(preflightFor.Seconds())))
	}
	return c.NoContent(http.StatusNoContent)
}

// mayRead reports whether the request comes from a page of one of the origins.
func (s *Server) mayRead(r *http.Request) bool {
	from := r.Header.Values(echo.HeaderOrigin)
	return len(from) == 1 && slices.Contains(s.origins, from[0])
}
