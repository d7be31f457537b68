package jetstream

import "context"

type committer struct{ s *Store }

func newCommitter(s *Store) *committer { return &committer{s} }
func (c *committer) stop()             {}
func (c *committer) append(ctx context.Context, w *write) (uint64, error) {
	return c.s.publish(ctx, w)
}
