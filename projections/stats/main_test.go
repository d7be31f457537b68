package stats

import (
	"flag"
	"os"
	"testing"

	"github.com/turno-desk/turno/projections/viewtest"
)

// TestMain makes properties that write files run less often than others; -rapid.checks says how often.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "8"); err != nil {
			panic(err)
		}
	}
	os.Exit(viewtest.Main(m))
}
