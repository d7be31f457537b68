// Command report reads `go test -json` and prints what a reader needs: one line for each package, all that a failed test
// said, and at the end which tests were skipped and why and how many ran. It exits 1 when anything
// failed, or when no test ran at all.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type event struct {
	Action      string
	Package     string
	ImportPath  string
	Test        string
	Output      string
	Elapsed     float64
	FailedBuild string
}

type key struct{ pkg, test string }

type report struct {
	output  map[key][]string
	built   map[string][]string
	skipped []string
	passed  int
	failed  int
	broken  bool
}

func main() {
	r := report{output: map[key][]string{}, built: map[string][]string{}}
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) != nil {
				os.Stdout.Write(line) // go itself speaks: a broken build, a bad flag
			} else {
				r.take(e)
			}
		}
		if err != nil {
			break
		}
	}
	os.Exit(r.close())
}

func (r *report) take(e event) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.output[k] = append(r.output[k], e.Output)
	case "build-output":
		r.built[e.ImportPath] = append(r.built[e.ImportPath], e.Output)
	case "build-fail":
		r.broken = true
		fmt.Print(strings.Join(r.built[e.ImportPath], ""))
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endOfPackage(e)
		} else {
			r.endOfTest(e, k)
		}
	}
}

func (r *report) endOfTest(e event, k key) {
	switch e.Action {
	case "pass":
		r.passed++
	case "fail":
		r.failed++
		fmt.Print(strings.Join(r.output[k], ""))
	case "skip":
		r.skipped = append(r.skipped, strings.TrimPrefix(e.Package, "github.com/turno-desk/turno/")+" "+e.Test+": "+reason(r.output[k]))
	}
	delete(r.output, k)
}

// reason is the last thing that the test said before it was skipped, without file and line.
func reason(output []string) string {
	for i := len(output) - 1; i >= 0; i-- {
		o := strings.TrimSpace(output[i])
		if o == "" || strings.HasPrefix(o, "===") || strings.HasPrefix(o, "---") {
			continue
		}
		if _, said, ok := strings.Cut(o, ".go:"); ok {
			if _, said, ok = strings.Cut(said, ": "); ok {
				return said
			}
		}
		return o
	}
	return "no reason given"
}

func (r *report) endOfPackage(e event) {
	k := key{e.Package, ""}
	switch {
	case e.Action == "pass":
		fmt.Printf("ok  \t%s\t%.1fs\n", e.Package, e.Elapsed)
	case e.Action == "fail":
		r.broken = true
		fmt.Print(strings.Join(r.output[k], ""))
		for open, said := range r.output { // a panic or a timeout ends tests that never closed
			if open.pkg == e.Package && open.test != "" {
				fmt.Printf("unfinished: %s\n%s", open.test, strings.Join(said, ""))
			}
		}
	}
	delete(r.output, k)
}

func (r *report) close() int {
	if len(r.skipped) > 0 {
		fmt.Printf("\nskipped, and why:\n")
		for _, s := range r.skipped {
			fmt.Println("  " + s)
		}
	}
	fmt.Printf("\n%d passed, %d failed, %d skipped\n", r.passed, r.failed, len(r.skipped))
	if r.failed > 0 || r.broken || r.passed == 0 {
		return 1
	}
	return 0
}
