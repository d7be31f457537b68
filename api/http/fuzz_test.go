package http_test

import (
	"bytes"
	"encoding/json"
	nethttp "net/http"
	"strings"
	"testing"

	"github.com/turno-desk/turno/api/http"
)

// FuzzDecodeBody: whatever comes as a body, every command's decoder either says what is wrong with a 4xx problem or takes a
// body that says the same when it is written anew.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"text":"hola"}`, `{"reason":"x"}`, `{"operator":"ana"}`, `{"add":["a"],"remove":["b"]}`, `{"score":5}`, `{"satisfied":true}`,
		`{"until":"2026-01-05T09:00:00+01:00"}`, `{"classify":{"fields":{"a":"b"}}}`, `{"location":{"latitude":"1","longitude":"2"}}`,
		`{"attachments":[{"url":"u","type":"image/png","size":1}]}`, `{"text":"a","text":"b"}`, `{"ids":["a"],"action":"take","body":{}}`,
		`{"from":{"address":"a"},"text":"x"}`, `{"name":"n","departments":["a"]}`, "{\"text\":\"\xff\"}", `{"text":"\ud800"}`, `{"a":` + strings.Repeat("[", 99),
		`{"size":1e999}`, `{"capacity":-9223372036854775809}`, `{"TEXT":"x"}`, `{"":1}`, `[]`, `null`, `{"text":"x"}{}`,
	} {
		f.Add([]byte(seed))
	}
	decoders := http.Decoders()
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, decode := range decoders {
			got, err := decode(data)
			if err != nil {
				if status := http.StatusOf(err); status < 400 || status > 422 {
					t.Fatalf("%s: %q gives %d: %v", name, data, status, err)
				}
				continue
			}
			if !json.Valid(data) {
				t.Fatalf("%s took %q", name, data)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Fatalf("%s: what it made of %q can't be written: %v", name, data, err)
			}
		}
	})
}

// FuzzRequest: whatever comes as a path, a query, a header or a body, nothing is answered with a 500.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][4]string{
		{"GET", "/v1/conversations/x-1", "as_of=1", ""}, {"POST", "/v1/conversations/x-1/take", "", "{}"}, {"PUT", "/v1/operators/%2e%2e", "", `{"name":"x"}`},
		{"GET", "/v1/queues/soporte", "state=waiting&limit=1&cursor=%00", ""}, {"GET", "/v1/tickets", "q=%22a%20b%22%20c*", ""}, {"POST", "/v1/channels/web/messages", "", `{"from":{"address":"a"},"text":"x"}`},
		{"GET", "/v1/contacts", "q=%25_&tag=a", ""}, {"GET", "/v1/events", "types=*,a&to=1", ""}, {"GET", "/v1/stats/operators", "metric=received&tz=UTC&bucket=hour", ""},
		{"GET", "/v1/stats/samples", "metric=wait&cursor=abc", ""}, {"GET", "/v1/operators/ana/presence", "from=0001-01-01T00:00:00Z", ""}, {"GET", "/v1/conversations", "cursor=eyJ9&from=9999-12-31T23:59:59Z", ""},
		{"POST", "/v1/conversations/bulk", "", `{"ids":["a"],"action":"read"}`}, {"PATCH", "/v1/contacts/c1", "", `{"name":null}`}, {"GET", "/v1/conversations/a\x00b-1/timeline", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], "1", "k")
	}
	d := newDesk(f)
	d.customer("a", "hola")
	f.Fuzz(func(t *testing.T, method, path, query, body, after, key string) {
		req, err := nethttp.NewRequest(method, d.url+"/", bytes.NewReader([]byte(body)))
		if err != nil || method == "CONNECT" || strings.Contains(query, "stream") || strings.HasSuffix(path, "/stream") {
			return
		}
		req.URL.Opaque = "//" + req.URL.Host + "/" + strings.TrimPrefix(path, "/")
		req.URL.RawQuery = query
		if strings.ContainsAny(path+query, " \r\n\x00\x7f") || strings.ContainsAny(path, "?#") {
			return // a client can't send it
		}
		req.Header.Set("Authorization", "Bearer "+adminToken)
		for name, value := range map[string]string{"Content-Type": "application/json", "Turno-Position": after, "If-Match": after, "Idempotency-Key": key, "Turno-Actor": key, "traceparent": key} {
			if value != "" {
				req.Header.Set(name, value)
			}
		}
		for range 2 { // with and without acting for another
			resp, err := d.client.Do(req)
			if err != nil {
				return // a client can't send it
			}
			resp.Body.Close()
			if resp.StatusCode == 500 {
				t.Fatalf("%s %s?%s with %q, after %q, key %q: 500", method, path, query, body, after, key)
			}
			req.Header.Del("Turno-Actor")
			req.Body, _ = req.GetBody()
		}
	})
}
