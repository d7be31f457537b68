package console

import (
	"bytes"
	"go/format"
	"os"
	"path/filepath"
	"testing"

	"github.com/a-h/templ/generator"
	templ "github.com/a-h/templ/parser/v2"
)

func TestTheGeneratedPagesAreFresh(t *testing.T) {
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no pages: %v", err)
	}
	for _, name := range files {
		page, err := templ.Parse(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var b bytes.Buffer
		if _, err := generator.Generate(page, &b, generator.WithFileName(name), generator.WithVersion("v0.3.977")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, err := format.Source(b.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := os.ReadFile(name[:len(name)-len(".templ")] + "_templ.go")
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s was changed and not generated: run go generate ./api/console", name)
		}
	}
}
