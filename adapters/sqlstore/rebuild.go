package sqlstore

import (
	"context"
	"fmt"
	"os"

	"github.com/turno-desk/turno/projections"
)

// Rebuild builds the view of p from the whole log in a folder of its own, and gives the view's digest. It fails on the
// first commit that p can't digest. It is what a view is compared with.
func Rebuild(ctx context.Context, log projections.Source, p projections.Projection, o projections.Options) (digest string, err error) {
	dir, err := os.MkdirTemp("", "turno-rebuild-")
	if err != nil {
		return "", fmt.Errorf("rebuild %s: %w", p.Name(), err)
	}
	defer os.RemoveAll(dir)
	s, err := Open(dir, Options{})
	if err != nil {
		return "", fmt.Errorf("rebuild %s: %w", p.Name(), err)
	}
	defer s.Close()
	if err := projections.NewRunner(log, s, p, nil, o).RunToHead(ctx); err != nil {
		return "", fmt.Errorf("rebuild %s: %w", p.Name(), err)
	}
	return Digest(ctx, s.Reader(p.Name()))
}
