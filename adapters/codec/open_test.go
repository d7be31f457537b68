package codec

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
)

func TestOpeningASealedCommitGivesWhatDecodingItOpenGives(t *testing.T) {
	for _, keys := range []ring{goldenKeys(), {}} { // there, and destroyed
		c, writer := New(keys), New(goldenKeys())
		for name, e := range samples() {
			read, ok := writer.kinds.read[name]
			if !ok || read.version != read.kind.version() {
				continue
			}
			commit := sampleCommit(read.kind, e)
			data, err := writer.Encode(t.Context(), &commit)
			if err != nil {
				t.Fatal(err)
			}
			want, err := c.Decode(t.Context(), data, true)
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := c.Decode(t.Context(), data, false)
			if err != nil {
				t.Fatal(err)
			}
			before, _ := c.Decode(t.Context(), data, false)
			got, err := c.Open(t.Context(), sealed)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s (-decoded open +opened)\n%s", name, d)
			}
			if d := cmp.Diff(before, sealed); d != "" {
				t.Errorf("%s: what was opened has changed\n%s", name, d)
			}
			if got := c.TypeOf(sealed.Events[0]); got != name {
				t.Errorf("the type of %s is %q", name, got)
			}
		}
	}
	if got := New(goldenKeys()).TypeOf(domain.Commit{}); got != "" {
		t.Errorf("what is no event has the type %q", got)
	}
}
