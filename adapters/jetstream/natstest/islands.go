package natstest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Islands are network namespaces on one bridge, whose lines a test can cut. A test reaches each of them by a second line that
// stays: what is asked there is answered while the island is cut off from the others.
type Islands struct {
	t     testing.TB
	name  string // what everything is called that was made
	net   string // the first three bytes of the addresses on the bridge
	count int
}

// NewIslands makes so many namespaces, which go with the test. Where that is not allowed, or there is no ip, the test is
// skipped and says why.
func NewIslands(t testing.TB, count int) *Islands {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("no partitions: there is no ip on this machine (apt-get install iproute2)")
	}
	if os.Getuid() != 0 {
		t.Skip("no partitions: only root makes network namespaces")
	}
	w := &Islands{t: t, name: fmt.Sprintf("tn%05d", rand.IntN(100_000)), net: fmt.Sprintf("198.18.%d", rand.IntN(256)), count: count}
	t.Cleanup(w.remove)
	steps := []string{
		fmt.Sprintf("link add %s type bridge", w.name),
		fmt.Sprintf("addr add %s.254/24 dev %s", w.net, w.name),
		fmt.Sprintf("link set %s up", w.name),
	}
	for i := range count {
		ns := w.namespace(i)
		steps = append(steps,
			"netns add "+ns,
			fmt.Sprintf("-n %s link set lo up", ns),
			fmt.Sprintf("link add %s type veth peer name sea netns %s", w.line(i), ns),
			fmt.Sprintf("link set %s master %s up", w.line(i), w.name),
			fmt.Sprintf("-n %s addr add %s/24 dev sea", ns, w.Host(i)),
			fmt.Sprintf("-n %s link set sea up", ns),
			fmt.Sprintf("link add %sc%d type veth peer name air netns %s", w.name, i, ns),
			fmt.Sprintf("addr add %s/30 dev %sc%d", w.air(i, 1), w.name, i),
			fmt.Sprintf("link set %sc%d up", w.name, i),
			fmt.Sprintf("-n %s addr add %s/30 dev air", ns, w.air(i, 2)),
			fmt.Sprintf("-n %s link set air up", ns),
		)
	}
	for _, step := range steps {
		if out, err := exec.Command("ip", strings.Fields(step)...).CombinedOutput(); err != nil {
			t.Skipf("no partitions: this machine makes no network namespaces: ip %s: %v: %s", step, err, out)
		}
	}
	return w
}

// Host is the address of an island for the others.
func (w *Islands) Host(i int) string { return fmt.Sprintf("%s.%d", w.net, i+1) }

// Outside is the address of an island for the test alone. It is never cut.
func (w *Islands) Outside(i int) string { return w.air(i, 2) }

// Prefix is what a command line begins with to run on an island.
func (w *Islands) Prefix(i int) []string { return []string{"ip", "netns", "exec", w.namespace(i)} }

// Cut takes an island off the bridge: it reaches nobody, and nobody reaches it, but for the test by Outside.
func (w *Islands) Cut(i int) { w.ip("link set %s down", w.line(i)) }

// Join puts it back.
func (w *Islands) Join(i int) { w.ip("link set %s up", w.line(i)) }

// Mute has an island send nothing to another any more, while what the other sends arrives.
func (w *Islands) Mute(from, to int) {
	w.ip("-n %s route add blackhole %s/32", w.namespace(from), w.Host(to))
}

// Unmute ends that.
func (w *Islands) Unmute(from, to int) {
	w.ip("-n %s route del blackhole %s/32", w.namespace(from), w.Host(to))
}

func (w *Islands) namespace(i int) string { return fmt.Sprintf("%s-%d", w.name, i+1) }
func (w *Islands) line(i int) string      { return fmt.Sprintf("%sv%d", w.name, i) }
func (w *Islands) air(i, end int) string {
	return fmt.Sprintf("198.19%s.%d", w.net[len("198.18"):], 4*i+end)
}
func (w *Islands) ip(step string, a ...any) {
	w.t.Helper()
	step = fmt.Sprintf(step, a...)
	if out, err := exec.Command("ip", strings.Fields(step)...).CombinedOutput(); err != nil {
		w.t.Fatalf("ip %s: %v: %s", step, err, out)
	}
}

// remove takes away whatever was made; the lines go with their namespaces.
func (w *Islands) remove() {
	for i := range w.count {
		_ = exec.Command("ip", "netns", "del", w.namespace(i)).Run()
		_ = exec.Command("ip", "link", "del", w.line(i)).Run()
		_ = exec.Command("ip", "link", "del", fmt.Sprintf("%sc%d", w.name, i)).Run()
	}
	_ = exec.Command("ip", "link", "del", w.name).Run()
}
