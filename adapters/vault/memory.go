package vault

import (
	"context"
	"slices"
	"sync"
)

// memory is a keeper in memory.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
}

func newMemory() *memory { return &memory{values: map[string][]byte{}} }

func (m *memory) add(ctx context.Context, values []sealed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, v := range values {
		if m.values[v.subject] != nil {
			return errExists
		}
	}
	for _, v := range values {
		m.values[v.subject] = slices.Clone(v.value)
	}
	return nil
}

func (m *memory) replace(ctx context.Context, v sealed) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[v.subject] = slices.Clone(v.value)
	return nil
}

// get knows no other workspace: there is one to each memory.
func (m *memory) get(ctx context.Context, subject string) (sealed, error) {
	if err := ctx.Err(); err != nil {
		return sealed{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return sealed{subject, slices.Clone(m.values[subject])}, nil
}

func (m *memory) erase(ctx context.Context, subject string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.values[subject])
	delete(m.values, subject)
	return nil
}
