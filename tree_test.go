// Package turno_test holds the rules of the tree: who may import whom, and what the core never touches.
package turno_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/turno-desk/turno/"

// pure is all that the core may import of the standard library: arithmetic on values, and nothing that reads a clock, a
// file, the network or randomness, or that writes a log.
var pure = []string{
	"bytes", "cmp", "container/heap", "crypto/hmac", "crypto/sha256", "encoding", "encoding/base32", "encoding/base64",
	"encoding/binary", "encoding/hex", "encoding/json", "errors", "fmt", "hash", "hash/fnv", "iter", "maps", "math",
	"math/big", "math/bits", "net/url", "reflect", "regexp", "slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8",
}

// clocks are the functions of package time that read the clock or wait for it.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// source is one Go file of the repository.
type source struct {
	path    string // from the root, with slashes
	dir     string
	test    bool
	syntax  *ast.File
	imports []string
}

// forTests reports whether the file is a test's, or of a package that serves tests alone: storetest, viewtest.
func (s source) forTests() bool { return s.test || strings.HasSuffix(s.dir, "test") }

func (s source) in(dir string) bool { return s.dir == dir || strings.HasPrefix(s.dir, dir+"/") }

// sources is every Go file below the root, parsed once for all tests.
func sources(t *testing.T) []source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 20 {
		t.Fatalf("found %d Go files: this test must run at the root of the repository", len(all))
	}
	return all
}

var parsed = sync.OnceValues(func() ([]source, error) {
	var all []source
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); p != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "turno-data") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parser.ParseFile(set, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s := source{path: filepath.ToSlash(p), test: strings.HasSuffix(p, "_test.go"), syntax: f}
		s.dir = path.Dir(s.path)
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, name)
		}
		all = append(all, s)
		return nil
	})
	return all, err
})

func below(imported, dir string) bool {
	return imported == module+dir || strings.HasPrefix(imported, module+dir+"/")
}

func TestTheDomainImportsNothingButArithmetic(t *testing.T) {
	for _, s := range sources(t) {
		if !s.in("domain") || s.test {
			continue
		}
		for _, i := range s.imports {
			if !slices.Contains(pure, i) && !below(i, "domain") {
				t.Errorf("%s imports %q: the domain imports the standard library's arithmetic and itself, nothing else", s.path, i)
			}
		}
	}
}

func TestTheDomainReadsNoClock(t *testing.T) {
	for _, s := range sources(t) {
		if !s.in("domain") || s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clocks, sel.Sel.Name) {
				t.Errorf("%s uses time.%s: time arrives in the domain as an argument", s.path, sel.Sel.Name)
			}
			return true
		})
	}
}

func TestTheAPIKnowsNoNATS(t *testing.T) {
	for _, s := range sources(t) {
		if !s.in("api") || s.test {
			continue
		}
		for _, i := range s.imports {
			if strings.HasPrefix(i, "github.com/nats-io/") {
				t.Errorf("%s imports %q: the API knows ports, not the log behind them", s.path, i)
			}
		}
	}
}

func TestWhatDecidesAndWhatProjectsKnowsNoAdapter(t *testing.T) {
	for _, s := range sources(t) {
		if s.forTests() || !s.in("api") && !s.in("projections") {
			continue
		}
		for _, i := range s.imports {
			if below(i, "adapters") {
				t.Errorf("%s imports %q: adapters are chosen in cmd", s.path, i)
			}
			if s.in("projections") && below(i, "api") {
				t.Errorf("%s imports %q: views know the domain, not the API", s.path, i)
			}
		}
	}
}

func TestAdaptersNeverImportEachOtherSaveTheCodec(t *testing.T) {
	for _, s := range sources(t) {
		if s.forTests() || !s.in("adapters") {
			continue
		}
		own := strings.Join(strings.SplitN(s.dir, "/", 3)[:2], "/")
		for _, i := range s.imports {
			if below(i, "adapters") && !below(i, own) && !below(i, "adapters/codec") {
				t.Errorf("%s imports %q", s.path, i)
			}
		}
	}
}

func TestTheCommandAloneKnowsAll(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.imports {
			if below(i, "cmd") && !s.in("cmd") {
				t.Errorf("%s imports %q: nothing but cmd imports cmd", s.path, i)
			}
		}
	}
}

func TestWhatServesTestsIsInNoProgram(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.imports {
			if strings.HasPrefix(i, module) && strings.HasSuffix(i, "test") && !s.forTests() {
				t.Errorf("%s imports %q, which is for tests alone", s.path, i)
			}
		}
	}
}

func TestNothingRunsBeforeMain(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has a func init", s.path)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := map[string]bool{}
	for _, s := range sources(t) {
		if s.test && !said[s.dir] {
			continue
		}
		said[s.dir] = said[s.dir] || s.syntax.Doc != nil
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("package %s has no doc comment", dir)
		}
	}
}

func TestNoPackageIsADrawer(t *testing.T) {
	for _, s := range sources(t) {
		switch name := path.Base(s.dir); name {
		case "utils", "util", "common", "helpers", "models", "types", "misc", "shared":
			t.Errorf("%s: a package called %s says nothing", s.path, name)
		}
	}
}
