package main

import (
	"net/http"
	"testing"
)

func TestTheOriginsOfSurveyPagesAreAFlag(t *testing.T) {
	for _, command := range []string{"serve", "engine"} {
		refused(t, []string{command, "--data", t.TempDir(), "--survey-origin", "https://www.example.com/survey"}, "--survey-origin", "is no origin")
	}
	s := serveOn(t, t.TempDir(), "--survey-origin", "https://www.example.com", "--survey-origin", "http://localhost:80")
	for origin, want := range map[string]string{"https://www.example.com": "https://www.example.com", "http://localhost": "http://localhost", "https://elsewhere.example": ""} {
		req, err := http.NewRequest("OPTIONS", s.url+"/v1/surveys/any", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		req.Header.Set("Access-Control-Request-Method", "POST")
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("a page of %s is allowed %q", origin, got)
		}
	}
}
