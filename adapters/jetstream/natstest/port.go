package natstest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

var (
	handing sync.Mutex
	handed  = map[int]bool{}
)

// FreePort finds a port of the loopback that nobody listens on and that it has told nobody before. It is below those that
// the system hands out to connections, so that nobody takes it while its server is down.
func FreePort(t testing.TB) int {
	t.Helper()
	handing.Lock()
	defer handing.Unlock()
	for range 1000 {
		port := 10_000 + rand.IntN(20_000)
		if handed[port] {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		l.Close()
		handed[port] = true
		return port
	}
	t.Fatal("no port is free")
	return 0
}
