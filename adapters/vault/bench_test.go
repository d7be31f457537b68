package vault

import (
	"testing"
)

// BenchmarkKey reads keys that are in memory, and keys that are not.
func BenchmarkKey(b *testing.B) {
	v := openVault(b, runServer(b, b.TempDir()), Options{MasterKey: masterKey()})
	ids := make([]string, 1000)
	for i := range ids {
		var err error
		if ids[i], err = v.NewKey(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	for name, forget := range map[string]bool{"hit": false, "miss": true} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				id := ids[i%len(ids)]
				if forget {
					v.cache.Remove(id)
				}
				if _, err := v.Key(b.Context(), id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewKey(b *testing.B) {
	v := openVault(b, runServer(b, b.TempDir()), Options{MasterKey: masterKey()})
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := v.NewKey(b.Context()); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkHash(b *testing.B) {
	v := NewMemory("default")
	defer v.Close()
	b.ReportAllocs()
	for b.Loop() {
		v.Hash("web", "address", "+5491155550123")
	}
}
