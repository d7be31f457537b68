package eventstoredb_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"

	"github.com/turno-desk/turno/adapters/eventstoredb"
	"github.com/turno-desk/turno/adapters/storetest"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/setting"
)

// changed is a commit of a department.
func changed(id, name string) domain.Commit {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return domain.Commit{
		ID:        strings.ToLower(rand.Text()),
		Aggregate: domain.Aggregate{Workspace: "default", Category: domain.CategoryDepartment, ID: id},
		Recorded:  now, Time: now, Origin: domain.OriginLive, Actor: domain.Actor{Kind: domain.ActorAdmin},
		Events: []domain.Event{department.Created{Definition: department.Definition{ID: id, Name: name}}},
	}
}

func set(t testing.TB, s *eventstoredb.Store, id string, v domain.Version) domain.Position {
	t.Helper()
	p, _, err := s.Append(t.Context(), changed(id, id), v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheNewestSettingIsKnownWhateverWasAppendedSince(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	writer, reader := b.open(t, b.server.URL(), quick), b.open(t, b.server.URL(), quick)
	newest := func(want domain.Position) {
		t.Helper()
		got, upTo, err := reader.Newest(t.Context(), "default", setting.Categories()...)
		if err != nil || got != want || upTo < want {
			t.Errorf("the newest is said to be %d up to %d, %v; want %d", got, upTo, err, want)
		}
		head, err := reader.Head(t.Context())
		if err != nil || upTo != head {
			t.Errorf("it is so up to %d, the head is %d, %v", upTo, head, err)
		}
	}
	newest(0)
	p := set(t, writer, "a", 0)
	newest(p)
	fill(t, writer, 1, 0, 20)
	newest(p)
	p = set(t, writer, "b", 0)
	newest(p)
	long := strings.Repeat("x", 150<<10) // more than is read to catch up: every setting is asked instead
	for i := range 40 {
		if _, _, err := writer.Append(t.Context(), storetest.Note(2, long), domain.Version(i)); err != nil {
			t.Fatal(err)
		}
		if i == 20 {
			p = set(t, writer, "a", 1)
		}
	}
	newest(p)
	newest(p)
}

func TestAnIndexEntryWhoseCommitNeverCameIsNothing(t *testing.T) {
	t.Parallel()
	b := newDouble(t)
	s := b.open(t, b.server.URL(), quick)
	set(t, s, "a", 0)
	config, err := esdb.ParseConnectionString(b.server.URL())
	if err != nil {
		t.Fatal(err)
	}
	config.Logger = esdb.NoopLogging()
	client, err := esdb.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, name := range []string{"crashed", "a"} { // the second is there already, under another id
		_, err = client.AppendToStream(t.Context(), "turno-index.default.department", esdb.AppendToStreamOptions{},
			esdb.EventData{EventType: "turno.aggregate.v1", ContentType: esdb.ContentTypeJson, Data: []byte(`{"aggregate":"turno.default.department.` + name + `"}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, _, err := s.Latest(t.Context(), "default", domain.CategoryDepartment)
	if err != nil || len(got) != 1 || got[0].Aggregate.ID != "a" {
		t.Errorf("the newest settings are %v, %v; want department a alone", got, err)
	}
	set(t, s, "crashed", 0)
	if got, _, err = s.Latest(t.Context(), "default", domain.CategoryDepartment); err != nil || len(got) != 2 {
		t.Errorf("the newest settings are %v, %v; want two", got, err)
	}
}

func TestWhatIsNotIndexedIsRefused(t *testing.T) {
	t.Parallel()
	s := newDouble(t).Store(t)
	if _, _, err := s.Latest(t.Context(), "default", domain.CategoryThread); err == nil {
		t.Error("the newest commit of every thread was said to be known")
	}
	if _, _, err := s.Newest(t.Context(), "default", domain.CategoryThread); err == nil {
		t.Error("the newest thread was said to be known")
	}
	if err := s.Follow(t.Context(), "a b", 0, setting.Categories(), nil, nil); err == nil {
		t.Error("a workspace that is none was followed")
	}
}
