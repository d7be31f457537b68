package codec

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
)

var (
	update = flag.Bool("update", false, "write the golden files that are missing")
	force  = flag.Bool("force", false, "with -update: write all of them anew. What is in logs already is not changed by that")
)

// newGolden returns a codec that writes the same bytes each time, which none but these tests may do.
func newGolden() *Codec {
	c := New(goldenKeys())
	c.nonce = func(b []byte) { clear(b) }
	return c
}

func goldenFile(typeName string) string {
	return filepath.Join("testdata", "golden", typeName+".json")
}

func TestEveryVersionThatWasEverWrittenIsReadAsItWasMeant(t *testing.T) {
	c := newGolden()
	all := samples()
	for name, r := range c.kinds.read {
		t.Run(name, func(t *testing.T) {
			e, ok := all[name]
			if !ok {
				t.Fatal("no sample says what it means")
			}
			want := sampleCommit(r.kind, e)
			written, err := c.Encode(context.Background(), &want)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(goldenFile(name)); *update && (err != nil || *force) {
				if r.version != r.kind.version() {
					t.Fatal("this version is not written any more: its file can't be made anew")
				}
				if err := os.WriteFile(goldenFile(name), append(written, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(goldenFile(name))
			if err != nil {
				t.Fatalf("%v; go test ./adapters/codec -update writes it", err)
			}
			got, err := c.Decode(context.Background(), golden, true)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-meant +read)\n%s", d)
			}
			if r.version == r.kind.version() && !bytes.Equal(append(written, '\n'), golden) {
				t.Errorf("it is written otherwise today, under the same version:\n%s\nand was\n%s", written, golden)
			}
		})
	}
	for name := range all {
		if _, ok := c.kinds.read[name]; !ok {
			t.Errorf("the sample %s is of no registered type", name)
		}
	}
}

func TestThereIsNoGoldenFileWithoutATypeThatReadsIt(t *testing.T) {
	files, err := filepath.Glob(goldenFile("*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files, %v", err)
	}
	read := New(goldenKeys()).kinds.read
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".json"); read[name].kind == nil {
			t.Errorf("%s can't be read any more", f)
		}
	}
}

func TestTheSamplesUseEveryField(t *testing.T) {
	// A golden file protects only what is in it: each field of each event is set in at least one.
	c := New(goldenKeys())
	all := samples()
	for _, k := range kinds() {
		var versions []string
		for v := 1; v <= k.version(); v++ {
			versions = append(versions, k.typeName(v))
		}
		for _, field := range leaves(k.goType) {
			set := false
			for _, v := range versions {
				set = set || isSet(all[v], field)
			}
			// What a later event of the same definition shows is enough.
			for name, other := range c.kinds.read {
				set = set || other.category == k.category && shares(other.goType, k.goType) && isSet(all[name], field)
			}
			if !set {
				t.Errorf("no sample of %s sets %s", k.name, strings.Join(field, "."))
			}
		}
	}
}

func TestWhatIsPersonalIsNowhereInTheBytes(t *testing.T) {
	c, looked := New(goldenKeys()), 0
	for name, e := range samples() {
		k := c.kinds.read[name].kind
		commit := sampleCommit(k, e)
		data, err := c.Encode(context.Background(), &commit)
		if err != nil {
			t.Fatal(err)
		}
		texts := personalTexts(t, k, e)
		looked += len(texts)
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				t.Errorf("%s: %q is in clear in %s", name, text, data)
			}
		}
	}
	if looked < 40 {
		t.Errorf("only %d personal texts were looked for", looked)
	}
}

// personalTexts collects what is personal in e.
func personalTexts(t *testing.T, k *kind, e domain.Event) (texts []string) {
	t.Helper()
	_, _, err := New(goldenKeys()).data(&domain.Commit{Aggregate: domain.Aggregate{Category: k.category}}, e, func(s string) (string, error) {
		texts = append(texts, s)
		return s, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sort.Strings(texts)
	return texts
}

func TestEveryAttributeIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	commit := sampleCommit(New(goldenKeys()).kinds.read["turno.conversation.taken.v1"].kind, samples()["turno.conversation.taken.v1"])
	every := &domain.Sight{State: "s", Department: "d", Owner: "o", OwnerAtClose: "c", Mentioned: []string{"m"}, Archived: true, Hidden: true}
	commit.Position, commit.Before, commit.After = 1, every, every
	all, err := New(goldenKeys()).Structured(&commit)
	if err != nil {
		t.Fatal(err)
	}
	var attributes map[string]json.RawMessage
	if err := json.Unmarshal(all[0], &attributes); err != nil {
		t.Fatal(err)
	}
	if len(attributes) != 37 {
		t.Errorf("%d attributes, and the commit sets all 37", len(attributes))
	}
	for name := range attributes {
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("docs/events.md does not explain %s", name)
		}
	}
}
