package command

import (
	"context"
	"time"
)

// Sweep looks for lost operators once, as Watch does every few seconds.
func (s *Settings) Sweep(ctx context.Context) { s.sweep(ctx) }

// SetWithin changes how old an image may be. Call it before the image is used.
func (i *Image) SetWithin(d time.Duration) { i.within = d }

// SetBlock changes how many numbers a reservation takes. Call it before the first Next.
func (n *Numbers) SetBlock(size int64) { n.size = size }

// Asked is how many loads were asked for so far.
func (i *Image) Asked() uint64 { return i.asked.Load() }
