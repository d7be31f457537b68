package http_test

import (
	"encoding/json"
	nethttp "net/http"
	"net/url"
	"regexp"
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

// FuzzRequest: whatever stands in the place of an id, a parameter, a header or a body of any route, nothing is answered
// with a 500.
func FuzzRequest(f *testing.F) {
	routes := http.Routes()
	for k, seed := range [][4]string{
		{"tabc-1", "1", "{}", "1"}, {"..", "\x00", `{"name":"x"}`, `"1"`}, {"turno.default.>", "waiting,paused", `{"text":"x"}`, "operator:ana"}, {"*", "*", "", "contact"},
		{"ana", "2026-01-05T09:00:00Z", `{"operator":"ana"}`, "bot"}, {"a/b", "9999-12-31T23:59:59Z", `{"score":1}`, "\"18446744073709551615\""}, {"\xff", "\xff", `{"add":["a"]}`, "-1"},
		{"1", `"a b" c* -d OR NEAR(e)`, `{"from":{"address":"a"},"text":"x"}`, "9007199254740991"}, {"soporte", "true", `{"ids":["tabc-1"],"action":"take"}`, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
		{"%2e%2e", "received", `{"available":true}`, ""}, {"web", "0001-01-01T00:00:00Z", `{"service":"x","scopes":["stats:read"]}`, "W/\"1\""}, {"' OR 1=1 --", "' OR 1=1 --", "[", "x y"},
	} {
		for i := k % 4; i < len(routes); i += 4 { // a quarter of the routes each
			f.Add(uint8(i), seed[0], seed[1], seed[2], seed[3])
		}
	}
	d := newDesk(f)
	d.customer("a", "hola")
	f.Fuzz(func(t *testing.T, n uint8, id, value, body, header string) {
		r := routes[int(n)%len(routes)]
		if r.Path == "/v1/stream" {
			return // it goes on
		}
		path := regexp.MustCompile(`:[a-z]+`).ReplaceAllLiteralString(r.Path, strings.ReplaceAll(url.PathEscape(id), ".", "%2e"))
		query := url.Values{}
		for i, p := range r.Params {
			if p != "stream" && (int(n)/len(routes)+i)%2 == 0 {
				query.Set(p, value)
			}
		}
		for _, who := range []string{adminToken, d.tokens["ana"]} {
			for _, headers := range [][]string{{"Idempotency-Key", "traceparent"}, {"If-Match"}, {"Turno-Position"}, {"Turno-Actor"}} {
				req, err := nethttp.NewRequest(r.Method, d.url+path+"?"+query.Encode(), strings.NewReader(body))
				if err != nil {
					return
				}
				req.Header.Set("Authorization", "Bearer "+who)
				req.Header.Set("Content-Type", "application/json")
				for _, h := range headers {
					req.Header.Set(h, header)
				}
				resp, err := d.client.Do(req)
				if err != nil {
					return // a client can't send it
				}
				resp.Body.Close()
				if resp.StatusCode == 500 {
					t.Errorf("%s %s with %q and %v: %q is answered with a 500", r.Method, req.URL, body, headers, header)
				}
			}
		}
	})
}
