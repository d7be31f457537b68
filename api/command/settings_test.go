package command_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

// secrets are the test's vault for hashes.
type secrets struct{ sync.Map }

func (s *secrets) PutSecret(_ context.Context, name string, value []byte) error {
	s.Store(name, slices.Clone(value))
	return nil
}

func (s *secrets) Secret(_ context.Context, name string) ([]byte, error) {
	v, _ := s.Load(name)
	value, _ := v.([]byte)
	return value, nil
}

func (s *secrets) DeleteSecret(_ context.Context, name string) error {
	s.Delete(name)
	return nil
}

func (s *secrets) names() []string {
	var names []string
	s.Range(func(k, _ any) bool { names = append(names, k.(string)); return true })
	slices.Sort(names)
	return names
}

// clock is a clock that a test turns.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) turn(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// bureau is an office with somebody who configures it.
type bureau struct {
	*office
	secrets  *secrets
	clock    *clock
	settings *command.Settings
}

func newBureau(t *testing.T) *bureau {
	t.Helper()
	b := &bureau{office: newOffice(t), secrets: &secrets{}, clock: &clock{now: time.Date(2030, 3, 4, 9, 0, 0, 0, time.UTC)}}
	b.settings = b.process(t, b.log)
	return b
}

// process is the settings of another process on the same log, with an image of its own.
func (b *bureau) process(t *testing.T, log command.Log) *command.Settings {
	t.Helper()
	image := command.NewImage(b.log, "default", command.ImageOptions{})
	run(t, image)
	return command.NewSettings(command.SettingsOptions{
		Log: log, Image: image, Keys: b.keys, Secrets: b.secrets, Hasher: hasher{}, Heartbeats: command.HeartbeatsOver(b.log, "default"), Now: b.clock.read,
	})
}

var admin = command.Request{Workspace: "default", Principal: "admin", Actor: domain.Actor{Kind: domain.ActorAdmin}}

func keyed(r command.Request, key, body string) command.Request {
	r.Key, r.BodyHash = key, body
	return r
}

func person(id, extension string) operator.Put {
	return operator.Put{ID: id, Name: "Nombre", Role: "operator", Departments: []string{"soporte"}, Extension: extension}
}

// commits are those of one aggregate, with personal fields as the keys allow.
func (b *bureau) commits(t *testing.T, category domain.Category, id string) []domain.Commit {
	t.Helper()
	got, _, err := b.log.Load(t.Context(), domain.Aggregate{Workspace: "default", Category: category, ID: id}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestPuttingTheSameOperatorAgainAppendsNothing(t *testing.T) {
	b := newBureau(t)
	first, err := b.settings.PutOperator(t.Context(), admin, person("carla", "41"))
	if err != nil || len(first.Commit.Events) != 1 || first.Commit.Key == "" {
		t.Fatalf("got %+v, %v", first, err)
	}
	again, err := b.settings.PutOperator(t.Context(), admin, person("carla", "41"))
	if err != nil || len(again.Commit.Events) != 0 || again.Position != first.Position {
		t.Errorf("again: %+v, %v", again, err)
	}
	changed, err := b.settings.PutOperator(t.Context(), admin, person("carla", ""))
	if err != nil || changed.Commit.Key != first.Commit.Key || changed.Commit.Prev != first.Position {
		t.Errorf("changed: %+v, %v", changed, err)
	}
	for _, id := range []string{"", "Carla", "a.b", strings.Repeat("a", 65)} {
		_, err := b.settings.PutOperator(t.Context(), admin, person(id, ""))
		refused(t, err, domain.CodeInvalid)
		_, err = b.settings.DeactivateOperator(t.Context(), admin, id)
		refused(t, err, domain.CodeNotFound)
	}
}

func TestARefusalThatRestsOnTheSettingsIsConfirmedFirst(t *testing.T) {
	b := newBureau(t)
	image := command.NewImage(b.log, "default", command.ImageOptions{}) // nobody keeps it: it knows what it is told to look up
	image.SetWithin(time.Minute)
	if err := image.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	settings := command.NewSettings(command.SettingsOptions{Log: b.log, Image: image, Keys: b.keys, Secrets: b.secrets, Hasher: hasher{}})
	if _, err := b.settings.PutDepartment(t.Context(), admin, department.Put{ID: "ventas", Name: "Ventas"}); err != nil {
		t.Fatal(err)
	}
	p := person("carla", "")
	p.Departments = []string{"ventas"}
	if _, err := settings.PutOperator(t.Context(), admin, p); err != nil {
		t.Errorf("a department that the log holds was refused: %v", err)
	}
	p.Departments = []string{"luna"}
	_, err := settings.PutOperator(t.Context(), admin, p)
	refused(t, err, domain.CodeUnknownSetting)
}

func TestADepartmentInUseIsNotRetired(t *testing.T) {
	b := newBureau(t)
	_, err := b.settings.RetireDepartment(t.Context(), admin, "soporte")
	r := refused(t, err, domain.CodeInUse)
	if !slices.Equal(r.Missing, []string{"channel:web", "operator:ana", "operator:beto", "operator:sara"}) {
		t.Errorf("in the way are %v", r.Missing)
	}
	if _, err := b.settings.PutDepartment(t.Context(), admin, department.Put{ID: "ventas", Name: "Ventas"}); err != nil {
		t.Fatal(err)
	}
	if got, err := b.settings.RetireDepartment(t.Context(), admin, "ventas"); err != nil || len(got.Commit.Events) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	_, err = b.settings.PutChannel(t.Context(), admin, setting.PutChannel{ID: "tel", Type: "generic", Name: "Tel", Department: "ventas"})
	refused(t, err, domain.CodeRetired)
	if _, err := b.settings.PutDepartment(t.Context(), admin, department.Put{ID: "ventas", Name: "Ventas"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.settings.PutChannel(t.Context(), admin, setting.PutChannel{ID: "tel", Type: "generic", Name: "Tel", Department: "ventas"}); err != nil {
		t.Errorf("a department that came back: %v", err)
	}
	if got, err := b.settings.RetireChannel(t.Context(), admin, "tel"); err != nil || len(got.Commit.Events) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = b.settings.RetireChannel(t.Context(), admin, "nope")
	refused(t, err, domain.CodeNotFound)
}

func TestOneKeyIsOneSuccessHoweverMuchHappensAfterIt(t *testing.T) {
	b := newBureau(t)
	set := func(key string, available bool) (command.SettingResult, error) {
		return b.settings.SetAvailability(t.Context(), keyed(as("ana"), key, fmt.Sprint(available)), "ana", available, "")
	}
	away, err := set("k1", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set("k2", true); err != nil {
		t.Fatal(err)
	}
	again, err := set("k1", false)
	if err != nil || !again.Replayed || again.Position != away.Position || !cmp.Equal(again.Commit.Events, away.Commit.Events) {
		t.Errorf("again: %+v, %v", again, err)
	}
	_, err = set("k1", true)
	refused(t, err, domain.CodeKeyReused)
	if n := len(b.commits(t, domain.CategoryPresence, "ana")); n != 2 {
		t.Errorf("there are %d commits", n)
	}
	other := keyed(as("beto"), "k1", "false") // a key is its principal's
	if got, err := b.settings.SetAvailability(t.Context(), other, "beto", false, ""); err != nil || got.Replayed {
		t.Errorf("another's key: %+v, %v", got, err)
	}
}

func TestAStaleIfMatchIsRefused(t *testing.T) {
	b := newBureau(t)
	first, err := b.settings.PutDepartment(t.Context(), admin, department.Put{ID: "ventas", Name: "1"})
	if err != nil {
		t.Fatal(err)
	}
	req := admin
	req.IfMatch = first.Position
	second, err := b.settings.PutDepartment(t.Context(), req, department.Put{ID: "ventas", Name: "2"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.settings.PutDepartment(t.Context(), req, department.Put{ID: "ventas", Name: "3"})
	refused(t, err, domain.CodeStale)
	if second.Commit.Prev != first.Position {
		t.Errorf("the second is %+v", second.Commit)
	}
}

func TestTimesNeverRunBackwardsWithinAnAggregate(t *testing.T) {
	b := newBureau(t)
	first, err := b.settings.PutDepartment(t.Context(), admin, department.Put{ID: "ventas", Name: "1"})
	if err != nil {
		t.Fatal(err)
	}
	b.clock.turn(-time.Hour)
	second, err := b.settings.PutDepartment(t.Context(), admin, department.Put{ID: "ventas", Name: "2"})
	if err != nil || second.Commit.Recorded.Before(first.Commit.Recorded) || second.Commit.Time.Before(first.Commit.Time) {
		t.Errorf("the second is %+v, %v", second.Commit, err)
	}

	imported := as("ana")
	imported.Import, imported.At = true, time.Date(2020, 1, 2, 10, 0, 0, 0, time.UTC)
	got, err := b.settings.SetAvailability(t.Context(), imported, "ana", false, "comida")
	if err != nil || got.Commit.Origin != domain.OriginImport || !got.Commit.Time.Equal(imported.At) || got.Commit.Recorded.Equal(imported.At) {
		t.Errorf("imported: %+v, %v", got.Commit, err)
	}
	imported.At = imported.At.Add(-time.Second)
	_, err = b.settings.SetAvailability(t.Context(), imported, "ana", true, "")
	refused(t, err, domain.CodeOutOfOrder)
}

func TestAnExtensionGoesFromOneOperatorToAnother(t *testing.T) {
	b := newBureau(t)
	ok := func(_ command.SettingResult, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(b.settings.PutOperator(t.Context(), admin, person("ana", "41")))
	_, err := b.settings.PutOperator(t.Context(), admin, person("beto", "41"))
	if r := refused(t, err, operator.CodeExtensionTaken); r.Owner != "ana" {
		t.Errorf("it is taken by %q", r.Owner)
	}
	ok(b.settings.PutOperator(t.Context(), admin, person("ana", "42"))) // moves away
	ok(b.settings.PutOperator(t.Context(), admin, person("beto", "41")))
	ok(b.settings.DeactivateOperator(t.Context(), admin, "beto"))
	ok(b.settings.PutOperator(t.Context(), admin, person("sara", "41"))) // takes it from an inactive one
	ok(b.settings.ReactivateOperator(t.Context(), admin, "beto"))
	b.checkExtensions(t)
	commits := b.commits(t, domain.CategoryOperator, "beto")
	last, _ := commits[len(commits)-1].Events[0].(operator.Event)
	if d := operator.DefinitionOf(last); !d.Active || d.Extension != "" {
		t.Errorf("beto came back as %+v", d)
	}
}

// checkExtensions reads the whole log: at no position do two active operators have the same extension.
func (b *bureau) checkExtensions(t *testing.T) (most int) {
	t.Helper()
	img := &setting.Image{Workspace: "default"}
	err := b.log.Read(t.Context(), 0, projections.ReadOptions{ToHead: true}, func(commits []domain.Commit) error {
		for _, c := range commits {
			img = img.Apply(c)
			holder, held := map[string]string{}, 0
			for id, d := range img.Operators {
				if !d.Active || d.Extension == "" {
					continue
				}
				if other, taken := holder[d.Extension]; taken {
					t.Fatalf("at %d %s and %s both have %s", c.Position, other, id, d.Extension)
				}
				holder[d.Extension] = id
				held++
			}
			most = max(most, held)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return most
}

func TestRacingPutsNeverGiveAnExtensionTwice(t *testing.T) {
	b := newBureau(t)
	processes := []*command.Settings{b.settings, b.process(t, b.log), b.process(t, b.log)}
	ids := []string{"ana", "beto", "sara", "dora"}
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 7))
			for range 60 {
				s, id := processes[r.IntN(len(processes))], ids[r.IntN(len(ids))]
				var err error
				switch r.IntN(6) {
				case 0:
					_, err = s.DeactivateOperator(context.Background(), admin, id)
				case 1:
					_, err = s.ReactivateOperator(context.Background(), admin, id)
				default:
					_, err = s.PutOperator(context.Background(), admin, person(id, []string{"", "41", "41", "42"}[r.IntN(4)]))
				}
				var refusal *domain.Refusal
				if err != nil && !errors.As(err, &refusal) && !errors.Is(err, command.ErrUnavailable) {
					t.Errorf("%s: %v", id, err)
				}
			}
		})
	}
	wg.Wait()
	if b.checkExtensions(t) == 0 {
		t.Error("nobody ever had an extension")
	}
}

func TestAnExtensionThatIsTakenBackInTheLastMomentIsNotGivenAway(t *testing.T) {
	b := newBureau(t)
	for _, extension := range []string{"41", ""} { // ana gives it up, and still has the claim
		if _, err := b.settings.PutOperator(t.Context(), admin, person("ana", extension)); err != nil {
			t.Fatal(err)
		}
	}
	log := &troubled{Store: b.log}
	log.fault = func(try int, do appending) (domain.Position, domain.Version, error) {
		if try == 2 { // ana has yielded, and beto is about to claim
			if _, err := b.settings.PutOperator(context.Background(), admin, person("ana", "41")); err != nil {
				t.Error(err)
			}
		}
		return do()
	}
	_, err := b.process(t, log).PutOperator(t.Context(), admin, person("beto", "41"))
	if r := refused(t, err, operator.CodeExtensionTaken); r.Owner != "ana" {
		t.Errorf("it is taken by %q", r.Owner)
	}
	b.checkExtensions(t)
}

func TestDeactivationEndsThePresenceToo(t *testing.T) {
	b := newBureau(t)
	if _, err := b.settings.Heartbeat(t.Context(), as("ana"), "ana"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := b.settings.DeactivateOperator(t.Context(), admin, "ana"); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.happened(t, domain.CategoryPresence, "ana"); !slices.Equal(got, []string{"Connected", "Disconnected deactivated"}) {
		t.Errorf("presence is %v", got)
	}
	_, err := b.settings.Heartbeat(t.Context(), as("ana"), "ana")
	refused(t, err, domain.CodeRetired)
}
