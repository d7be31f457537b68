package codec

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatWasEncodedIsDecodedAsItWas(t *testing.T) {
	c := New(goldenKeys())
	for name, e := range samples() {
		k := c.kinds.read[name].kind
		if k == nil {
			t.Fatalf("%s is not registered", name)
		}
		commit := sampleCommit(k, e)
		data, err := c.Encode(context.Background(), &commit)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Decode(context.Background(), data, true)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if d := cmp.Diff(commit, got); d != "" {
			t.Errorf("%s (-written +read)\n%s\n%s", name, d, data)
		}
	}
}
