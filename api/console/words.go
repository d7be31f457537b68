package console

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

//go:embed words/*.json
var wordFiles embed.FS

// languages are those that the console speaks; the first is for who asks for none of them.
func languages() []string { return []string{"es", "en", "pt"} }

// words are all strings of one language, by key.
type words struct {
	Language string
	says     map[string]string
}

// catalogue has the words of every language.
type catalogue map[string]*words

func readCatalogue() (catalogue, error) {
	all := catalogue{}
	for _, lang := range languages() {
		data, err := wordFiles.ReadFile(path.Join("words", lang+".json"))
		if err != nil {
			return nil, err
		}
		w := &words{Language: lang}
		if err := json.Unmarshal(data, &w.says); err != nil {
			return nil, fmt.Errorf("%s: %w", lang, err)
		}
		all[lang] = w
	}
	return all, nil
}

// T is what the key says, with {name} replaced by the value behind the name. A key that is missing is its own text: a test
// holds that none is.
func (w *words) T(key string, pairs ...string) string {
	text, ok := w.says[key]
	if !ok {
		return key
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}

// Has reports whether there is such a key.
func (w *words) Has(key string) bool { _, ok := w.says[key]; return ok }

// of are the words for a request: by choice, else by what the browser prefers.
func (c catalogue) of(r *http.Request) *words {
	if cookie, err := r.Cookie(languageCookie); err == nil && c[cookie.Value] != nil {
		return c[cookie.Value]
	}
	return c[preferred(r.Header.Get("Accept-Language"))]
}

// preferred is the language of the console that the header likes most.
func preferred(header string) string {
	best, most := languages()[0], 0.0
	for _, part := range strings.Split(header, ",") {
		tag, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if given, ok := strings.CutPrefix(strings.TrimSpace(weight), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(given, 64); err != nil {
				continue
			}
		}
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if q > most && slices.Contains(languages(), primary) {
			best, most = primary, q
		}
	}
	return best
}
