package pgstore

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// usualReaders is how many reading connections a view may have in one process.
	usualReaders = 4
	// connectWithin is how long connecting may take, unless the URL or PGCONNECT_TIMEOUT says otherwise.
	connectWithin = 5 * time.Second
)

// address is where views are kept: what a URL says.
type address struct {
	config  *pgx.ConnConfig
	prefix  string // schema of the catalogue, and beginning of the names of the views' schemas
	readers int
}

// validPrefix keeps room for the rest of a schema's name: PostgreSQL cuts names after 63 bytes.
var validPrefix = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,23}$`)

// parseAddress reads postgres://USER@HOST/DATABASE?… . Of its parameters `schema` and `readers` are ours, all others
// PostgreSQL's or pgx's. No error of it holds the password.
func parseAddress(raw string) (address, error) {
	a := address{prefix: "turno", readers: usualReaders}
	u, err := url.Parse(raw)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // without the URL, which may hold a password
		}
		return a, fmt.Errorf("the URL of the views' database: %w", err)
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return a, errors.New("the URL of the views' database: want postgres://USER@HOST/DATABASE")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, fmt.Errorf("the URL of the views' database: its parameters: %w", err)
	}
	if q.Has("schema") {
		a.prefix = q.Get("schema")
		if !validPrefix.MatchString(a.prefix) || strings.HasPrefix(a.prefix, "pg_") {
			return a, fmt.Errorf("the URL of the views' database: schema=%s: want at most 24 of a-z, 0-9 and _, no digit first", a.prefix)
		}
	}
	if q.Has("readers") {
		if a.readers, err = strconv.Atoi(q.Get("readers")); err != nil || a.readers < 1 {
			return a, fmt.Errorf("the URL of the views' database: readers=%s: want a number from 1 on", q.Get("readers"))
		}
	}
	q.Del("schema")
	q.Del("readers")
	u.RawQuery = q.Encode()
	if a.config, err = pgx.ParseConfig(u.String()); err != nil {
		return a, fmt.Errorf("the URL of the views' database: %w", err) // pgx blanks the password
	}
	if a.config.ConnectTimeout == 0 {
		a.config.ConnectTimeout = connectWithin
	}
	if a.config.RuntimeParams["application_name"] == "" {
		a.config.RuntimeParams["application_name"] = "turno"
	}
	// A host that vanished is noticed within half a minute, not within the hours that systems take by themselves.
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	a.config.DialFunc = dialer.DialContext
	return a, nil
}

// String names the database for people: without user, password and parameters.
func (a address) String() string {
	return "postgres://" + net.JoinHostPort(a.config.Host, strconv.Itoa(int(a.config.Port))) + "/" + a.config.Database + "?schema=" + a.prefix
}
