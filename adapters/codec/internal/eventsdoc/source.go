package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

const module = "github.com/turno-desk/turno/"

// comments are what the source says, by "import path.Type" and "import path.Type.Field"; a package stands under its path.
type comments map[string]string

// readComments reads the packages of these types.
func readComments(root string, types []reflect.Type) (comments, error) {
	c := comments{}
	for _, t := range types {
		if path := t.PkgPath(); strings.HasPrefix(path, module) {
			if _, ok := c[path]; !ok {
				if err := c.readPackage(root, path); err != nil {
					return nil, err
				}
			}
		}
	}
	return c, nil
}

func (c comments) readPackage(root, path string) error {
	dir := filepath.Join(root, filepath.FromSlash(strings.TrimPrefix(path, module)))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	files, set := []*ast.File(nil), token.NewFileSet()
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	p, err := doc.NewFromFiles(set, files, path, doc.AllDecls|doc.PreserveAST)
	if err != nil {
		return err
	}
	c[path] = oneLine(p.Doc)
	for _, t := range p.Types {
		c[path+"."+t.Name] = oneLine(t.Doc)
		for _, s := range t.Decl.Specs {
			spec, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			if st, ok := spec.Type.(*ast.StructType); ok {
				c.readFields(path+"."+t.Name, st)
			}
		}
	}
	return nil
}

func (c comments) readFields(of string, st *ast.StructType) {
	for _, f := range st.Fields.List {
		text := f.Comment.Text()
		if text == "" {
			text = f.Doc.Text()
		}
		for _, name := range f.Names {
			c[of+"."+name.Name] = oneLine(text)
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
