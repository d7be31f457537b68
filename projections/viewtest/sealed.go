package viewtest

import (
	"context"
	"fmt"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/domain"
)

// Sealed is the log as one that seals: every thread with a key of its own, every commit encoded. The
// codec opens it.
func Sealed(ctx context.Context, l *Log) (*memory.Store, *codec.Codec, error) {
	keys := vault.NewMemory("default")
	sealing := codec.New(keys)
	sealed := memory.New(sealing)
	of := map[domain.Aggregate]string{}
	versions := map[domain.Aggregate]domain.Version{}
	for _, c := range l.Commits() {
		if of[c.Aggregate] == "" {
			key, err := keys.NewKey(ctx)
			if err != nil {
				return nil, nil, fmt.Errorf("seal the log: %w", err)
			}
			of[c.Aggregate] = key
		}
		c.Key = of[c.Aggregate]
		if c.Opened != 0 {
			c.Opened++ // a log begins with a commit of its own
		}
		_, version, err := sealed.Append(ctx, c, versions[c.Aggregate])
		if err != nil {
			return nil, nil, fmt.Errorf("seal the log: %w", err)
		}
		versions[c.Aggregate] = version
	}
	return sealed, sealing, nil
}
