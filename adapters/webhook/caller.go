package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/turno-desk/turno/projections/deliveries"
)

// Limits of a call.
const (
	connectWithin = 5 * time.Second
	answerWithin  = 15 * time.Second // all of it, with the answer's body
	maxHead       = 32 << 10         // bytes of an answer's head
	maxBody       = 64 << 10         // bytes of an answer's body that are read, and passed over: with a longer one the connection ends
)

// Options say whom a Caller calls. The zero value calls the open internet over TLS alone.
type Options struct {
	AllowHTTP    bool           // without TLS
	AllowPrivate bool           // addresses inside the network, and of this machine
	Roots        *x509.CertPool // who may have signed a receiver's certificate; the system's when nil
	Within       time.Duration  // how long a call may take; 15 s when 0
	Now          func() time.Time
}

// Caller calls receivers. It is safe for concurrent use.
type Caller struct {
	client *http.Client
	http   bool
	now    func() time.Time
}

var _ deliveries.Caller = (*Caller)(nil)

// New makes a Caller. Proxies of the environment are not used: they would connect to what the Caller must not.
func New(o Options) *Caller {
	dialer := &net.Dialer{Timeout: connectWithin, KeepAlive: 30 * time.Second}
	if !o.AllowPrivate {
		dialer.Control = onlyOpen
	}
	if o.Within == 0 {
		o.Within = answerWithin
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Caller{http: o.AllowHTTP, now: o.Now, client: &http.Client{
		Timeout: o.Within,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots},
			TLSHandshakeTimeout: connectWithin, MaxResponseHeaderBytes: maxHead,
			MaxIdleConnsPerHost: 16, MaxIdleConns: 256, IdleConnTimeout: 30 * time.Second,
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Call makes one attempt. Why it failed is one of these words: address (not allowed), insecure (no TLS), name (not found),
// certificate, connect, timeout, answer (none that HTTP knows), url.
func (c *Caller) Call(ctx context.Context, call deliveries.Call) deliveries.Answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, call.URL, bytes.NewReader(call.Body))
	if err != nil {
		return deliveries.Answer{Error: "url"}
	}
	if req.URL.Scheme != "https" && !c.http {
		return deliveries.Answer{Error: "insecure"}
	}
	req.Header = http.Header{
		"Content-Type": {"application/cloudevents+json"}, "User-Agent": {"Turno"},
		// As Standard Webhooks spells them.
		"Webhook-Id": {call.ID}, "Webhook-Timestamp": {strconv.FormatInt(call.At.Unix(), 10)}, "Webhook-Signature": {Sign(call.Keys, call.ID, call.At, call.Body)},
	}
	answer, err := c.client.Do(req)
	if err != nil {
		return deliveries.Answer{Error: word(err)}
	}
	defer answer.Body.Close()
	// The status is the answer. What comes behind it is read so that the connection can be used again.
	_, _ = io.CopyN(io.Discard, answer.Body, maxBody)
	return deliveries.Answer{Status: answer.StatusCode, After: retryAfter(answer.Header.Get("Retry-After"), c.now())}
}

// word says in one word why no answer came. What an error says itself may hold what a receiver sent.
func word(err error) string {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var op *net.OpError
	var broken *url.Error
	switch {
	case errors.Is(err, errAddress):
		return "address"
	case errors.As(err, &dns):
		return "name"
	case errors.As(err, &certificate):
		return "certificate"
	case errors.As(err, &broken) && broken.Timeout():
		return "timeout"
	case errors.As(err, &op) && op.Op == "dial":
		return "connect"
	}
	return "answer"
}

// maxSeconds is the longest Retry-After, in seconds, that is told apart from a longer one.
const maxSeconds = 365 * 24 * 3600

// retryAfter reads the header: seconds, or a date of HTTP. What can't be read, and what is past, is 0.
func retryAfter(header string, now time.Time) time.Duration {
	if header == "" {
		return 0
	}
	if n, err := strconv.ParseUint(header, 10, 64); err == nil {
		return time.Duration(min(n, maxSeconds)) * time.Second
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxSeconds*time.Second)
}
