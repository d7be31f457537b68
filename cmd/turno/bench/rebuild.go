package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/projections"
)

// Rebuild is a bench of building every view anew beside the active ones while a desk is asked.
type Rebuild struct {
	Views  string  `placeholder:"URL" help:"A PostgreSQL database to keep the views in, under a schema of the bench's own that it drops again; SQLite without."`
	Events int     `default:"1000000" help:"Events of the log, about."`
	Rate   float64 `default:"200" help:"Queries a second, over HTTP."`
	Keep   string  `name:"data" type:"path" placeholder:"DIR" help:"Use this data folder, and keep it; a filled one is used as it is."`

	Program     string                                                               `kong:"-"` // path of the binary
	Projections func(*jetstream.Store, projections.Dialect) []projections.Projection `kong:"-"`
}

// Run fills a log, lets `turno serve` build its views, and then has every view built anew and switched to, by this process,
// while that one is asked. Last it inserts the rows of each view once more, bare.
func (b Rebuild) Run(ctx context.Context, out io.Writer) error {
	dir := b.Keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "turno-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	commits, events, took, err := b.prepare(ctx, dir)
	if err != nil {
		return err
	}
	where := place(b.Views)
	engine, err := where.engine(ctx)
	if err != nil {
		return err
	}
	header(out, "rebuild: every view built anew beside, on "+engine, fmt.Sprintf("%d events in %d commits, filled in %s", events, commits, took.Round(time.Second)))
	views, err := where.open(ctx, dir, "rebuild")
	if err != nil {
		return err
	}
	defer views.Close()
	serve, err := startServe(ctx, b.Program, dir, "off", views.flags()...)
	if err != nil {
		return err
	}
	defer serve.stop()
	caught, err := serve.ready(ctx, time.Hour)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  serve ready in %s, its views in step\n", caught.Round(100*time.Millisecond))
	a, err := newAsking(ctx, serve.url)
	if err != nil {
		return err
	}
	quiet := a.run(ctx, b.Rate)
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
	}
	fmt.Fprintf(out, "  queries before it %s\n", quiet())
	during := a.run(ctx, b.Rate)
	all, err := b.rebuild(ctx, dir, views)
	fmt.Fprintf(out, "  queries during it %s\n", during())
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "  %-12s %10s %12s %10s %10s %8s %10s  %s\n", "view", "took", "events/s", "rows", "bare", "ratio", "switch", "digests")
	for _, r := range all {
		rows, bare, err := views.copyBare(ctx, r.Projection)
		if err != nil {
			return err
		}
		digests := "differ"
		if d := r.Compared.Digests; d[0] != "" && d[0] == d[1] {
			digests = "equal"
		}
		fmt.Fprintf(out, "  %-12s %10s %12.0f %10d %10s %8.2f %10s  %s, compared in %s\n", r.Projection, r.Built.Round(time.Millisecond),
			float64(r.Events)/r.Built.Seconds(), rows, bare.Round(time.Millisecond), bare.Seconds()/r.Built.Seconds(),
			r.Fenced.Round(100*time.Microsecond), digests, r.Compared.Took.Round(time.Millisecond))
	}
	return nil
}

// prepare fills the log where it is not yet.
func (b Rebuild) prepare(ctx context.Context, dir string) (commits, events int, took time.Duration, err error) {
	began := time.Now()
	w, err := host(ctx, dir, jetstream.SyncOff)
	if err != nil {
		return 0, 0, 0, err
	}
	defer w.close()
	head, err := w.store.Head(ctx)
	if err != nil {
		return 0, 0, 0, err
	}
	if want := b.Events * 3 / 4; int(head) < want { // about 1.3 events a commit
		if err := w.desk(ctx, 20); err != nil {
			return 0, 0, 0, err
		}
		if _, err := fill(ctx, w, want, 8); err != nil {
			return 0, 0, 0, fmt.Errorf("fill the log: %w", err)
		}
	}
	commits, events, err = count(ctx, w.store)
	return commits, events, time.Since(began), err
}

// rebuild builds the views anew, one after the other, on the log that another process hosts.
func (b Rebuild) rebuild(ctx context.Context, dir string, views sink) (all []projections.Rebuilt, err error) {
	conn, err := jetstream.Join(dir)
	if err != nil {
		return nil, err
	}
	master, err := vault.LoadMasterKey(filepath.Join(dir, "master.key"))
	if err != nil {
		conn.Close()
		return nil, err
	}
	w, err := on(ctx, conn, master, jetstream.Options{Dir: dir})
	if err != nil {
		conn.Close()
		return nil, err
	}
	defer w.close()
	for _, p := range b.Projections(w.store, place(b.Views).dialect()) {
		done, err := projections.Rebuild(ctx, w.store, views, p, w.store, projections.RebuildOptions{})
		if err != nil {
			return nil, err
		}
		all = append(all, done)
	}
	return all, nil
}

// asking asks a desk what its people ask all day.
type asking struct {
	url    string
	paths  []string
	client *http.Client
}

// answeredWithin is after how long a query has failed, so that those that wait do not pile up without end.
const answeredWithin = 30 * time.Second

// newAsking looks up what there is to ask for.
func newAsking(ctx context.Context, url string) (*asking, error) {
	lines := &http.Transport{MaxIdleConnsPerHost: 64}
	a := &asking{url: url, client: &http.Client{Transport: lines, Timeout: answeredWithin}, paths: []string{
		"/v1/queues", "/v1/queues/bench", "/v1/conversations?limit=20", "/v1/stats/live", "/v1/queues/bench?state=waiting",
	}}
	body, err := a.get(ctx, "/v1/conversations?limit=20")
	if err != nil {
		return nil, err
	}
	var page struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	for _, c := range page.Items {
		a.paths = append(a.paths, "/v1/conversations/"+c.ID, "/v1/conversations/"+c.ID+"/messages")
	}
	return a, nil
}

func (a *asking) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+benchToken)
	res, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %.200s", path, res.Status, body)
	}
	return body, err
}

// run asks so many times a second, whether the answers come or not, until what it returns is called, which sums up.
func (a *asking) run(ctx context.Context, rate float64) (stop func() string) {
	ctx, cancel := context.WithCancel(ctx)
	s := newSample()
	var all sync.WaitGroup
	var mu sync.Mutex
	failed, first := 0, error(nil)
	all.Go(func() {
		began := time.Now()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(began.Add(time.Duration(float64(n) / rate * float64(time.Second))))):
			}
			all.Go(func() {
				began := time.Now()
				_, err := a.get(context.WithoutCancel(ctx), a.paths[n%len(a.paths)])
				s.add([]time.Duration{time.Since(began)})
				if err != nil {
					mu.Lock()
					failed, first = failed+1, err
					mu.Unlock()
				}
			})
		}
	})
	return func() string {
		cancel()
		all.Wait()
		said := fmt.Sprintf("n %d, %.0f/s, failed %d, p50 %s, p99 %s", len(s.took), s.rate(), failed, short(s.quantile(0.5)), short(s.quantile(0.99)))
		if first != nil {
			said += fmt.Sprintf(" (%v)", first)
		}
		return said
	}
}
