package directory_test

import (
	"os"
	"testing"

	"github.com/turno-desk/turno/projections/viewtest"
)

func TestMain(m *testing.M) { os.Exit(viewtest.Main(m)) }
