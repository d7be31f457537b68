package directory_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/identity"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/presence"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/viewtest"
)

const (
	lucia = "t00000000000000000000lucia"
	jose  = "t000000000000000000000jose"
)

// history is a desk's first morning: settings, two customers, and what was noted about them.
func history() (*viewtest.Log, *viewtest.Desk) {
	log := viewtest.NewLog("test")
	d := viewtest.NewDesk(log, 1)
	soporte := department.Definition{ID: "soporte", Name: "Soporte", Close: department.Guards{Category: true}, Settings: department.Settings{ReopenWithin: 60}}
	web := setting.Channel{ID: "web", Type: "generic", Name: "Sitio", Department: "soporte"}
	ana := operator.Definition{ID: "ana", Name: "Ana Ñandú", Email: "ana@turno.example", Role: operator.RoleOperator, Departments: []string{"soporte"}, Active: true}
	token := setting.Token{ID: "k1", Owner: "operator:ana", Name: "consola de Ana", Fingerprint: "00aabb11"}
	here := presence.Status{Operator: "ana", Connected: true, Available: true}
	away := presence.Status{Operator: "ana", Connected: true, Reason: "almuerzo"}
	step := func(category domain.Category, id, actor string, events ...domain.Event) {
		d.Now = d.Now.Add(time.Second)
		d.Settings(category, id, actor, events...)
	}
	step(domain.CategoryDepartment, "soporte", "admin", department.Created{Definition: soporte})
	step(domain.CategorySetting, "channel.web", "admin", setting.ChannelCreated{Channel: web})
	step(domain.CategoryOperator, "ana", "admin", operator.Registered{Definition: ana})
	step(domain.CategorySetting, "token.k1", "admin", setting.TokenIssued{Token: token})
	step(domain.CategoryPresence, "ana", "ana", presence.Connected{Status: here})
	step(domain.CategoryPresence, "ana", "ana", presence.BecameUnavailable{Status: away})
	for _, t := range []struct{ id, name, address, external string }{
		{lucia, "Lucía Gómez", "+54 11 5555-0101", "crm-1"}, {jose, "José", "+54 11 5555-0202", ""},
	} {
		step(domain.CategoryIdentity, "i"+t.id[1:], "contact", identity.Claimed{
			Thread: t.id, Contact: contact.ID(t.id), Channel: "web", Kind: "address", Address: domain.Personal(t.address), Cause: identity.CauseFirst})
		d.Now = d.Now.Add(time.Second)
		r := d.Receive(t.id, "web", "Hola")
		r.Name, r.Address, r.ExternalID = domain.Personal(t.name), domain.Personal(t.address), domain.Personal(t.external)
		d.Do("contact", t.id, 0, r)
	}
	c := contact.ID(lucia)
	step(domain.CategoryContact, c, "ana", contact.ProfileChanged{Name: "Lucía Gómez de Paz", Email: "Lucia@Paz.example", Fields: map[string]domain.Personal{"barrio": "Boedo"}})
	step(domain.CategoryContact, c, "ana", contact.Tagged{Tags: []string{"vip", "alta"}}, contact.Annotated{Annotation: "a1", Text: "Prefiere la tarde."})
	step(domain.CategoryContact, contact.ID(jose), "ana", contact.Blocked{Reason: "insultos"})
	return log, d
}

func erase(d *viewtest.Desk) {
	d.Settings(domain.CategoryContact, contact.ID(lucia), "adela", contact.Erased{Threads: []string{lucia}})
	d.Do("adela", lucia, 0, thread.Erase{})
	d.Settings(domain.CategoryIdentity, "i"+lucia[1:], "adela", identity.Released{Thread: lucia, Cause: identity.CauseErased})
	d.Settings(domain.CategoryOperator, "ana", "adela", operator.Erased{Definition: operator.Definition{ID: "ana", Name: "Ana Ñandú", Email: "x", Role: operator.RoleOperator}})
}

func queries(t *testing.T, log *viewtest.Log) *directory.Queries {
	t.Helper()
	store, err := viewtest.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	if err := projections.NewRunner(log, store, directory.New(), nil, projections.Options{}).RunToHead(context.Background()); err != nil {
		t.Fatal(err)
	}
	return directory.NewQueries(store.Reader(directory.Name))
}

func TestTheDirectoryOfAMorning(t *testing.T) {
	log, _ := history()
	viewtest.Golden(t, "morning", log, directory.New())
}

func TestTheDirectoryAfterAnErasure(t *testing.T) {
	log, d := history()
	erase(d)
	viewtest.Golden(t, "erased", log, directory.New())
}

func TestASearchFindsByPartsOfNameAddressAndMail(t *testing.T) {
	log, _ := history()
	q := queries(t, log)
	l, j := contact.ID(lucia), contact.ID(jose)
	for _, c := range []struct {
		filter directory.ContactFilter
		want   []string
	}{
		{directory.ContactFilter{}, []string{j, l}},
		{directory.ContactFilter{Q: "lucia"}, []string{l}},
		{directory.ContactFilter{Q: "LUCÍA paz"}, []string{l}},
		{directory.ContactFilter{Q: "lucia jose"}, nil},
		{directory.ContactFilter{Q: "jose"}, []string{j}},
		{directory.ContactFilter{Q: "paz.example"}, []string{l}},
		{directory.ContactFilter{Q: "5555"}, []string{j, l}},
		{directory.ContactFilter{Q: "5555-0202"}, []string{j}},
		{directory.ContactFilter{Q: "%"}, nil},
		{directory.ContactFilter{Q: "_"}, nil},
		{directory.ContactFilter{Address: "+54 11 5555-0101"}, []string{l}},
		{directory.ContactFilter{Address: "+54 11 5555"}, nil},
		{directory.ContactFilter{ExternalID: "crm-1"}, []string{l}},
		{directory.ContactFilter{Tag: "vip"}, []string{l}},
		{directory.ContactFilter{Tag: "vi"}, nil},
		{directory.ContactFilter{Tag: "vip", Q: "jose"}, nil},
	} {
		page, err := q.Contacts(context.Background(), "default", c.filter)
		if err != nil {
			t.Fatalf("%+v: %v", c.filter, err)
		}
		var got []string
		for _, item := range page.Items {
			got = append(got, item.ID)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.filter, diff)
		}
		if other, err := q.Contacts(context.Background(), "another", c.filter); err != nil || len(other.Items) > 0 {
			t.Errorf("%+v finds %v in another workspace (%v)", c.filter, other.Items, err)
		}
	}
}

func TestAContactReadsBackWhole(t *testing.T) {
	log, _ := history()
	got, at, found, err := queries(t, log).Contact(context.Background(), "default", contact.ID(lucia))
	if err != nil || !found || at != domain.Position(len(log.Commits())) {
		t.Fatalf("found %t at %d: %v", found, at, err)
	}
	morning := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	want := directory.Contact{
		ID: contact.ID(lucia), Name: "Lucía Gómez de Paz", Email: "Lucia@Paz.example", Fields: map[string]string{"barrio": "Boedo"},
		Tags: []string{"alta", "vip"}, Known: true, FirstAt: &projections.Time{Time: morning.Add(8 * time.Second)}, Revision: 12,
		Identities: []directory.Identity{{ID: "i" + lucia[1:], Channel: "web", Address: "+54 11 5555-0101", ExternalID: "crm-1", Thread: lucia}},
		Annotations: []directory.Annotation{
			{ID: "a1", Text: "Prefiere la tarde.", Author: "operator:ana", At: projections.Time{Time: morning.Add(12 * time.Second)}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAnErasedContactIsFoundByNothingThatItWas(t *testing.T) {
	log, d := history()
	erase(d)
	q := queries(t, log)
	for _, f := range []directory.ContactFilter{
		{Q: "lucia"}, {Q: "paz"}, {Q: "0101"}, {Q: "erased"}, {Address: "+54 11 5555-0101"}, {Address: "[erased]"}, {ExternalID: "crm-1"}, {ExternalID: "[erased]"},
	} {
		if page, err := q.Contacts(context.Background(), "default", f); err != nil || len(page.Items) > 0 {
			t.Errorf("%+v finds %+v (%v)", f, page.Items, err)
		}
	}
}

func TestListsComeInPages(t *testing.T) {
	log := viewtest.NewLog("test")
	d := viewtest.NewDesk(log, 1)
	var want []string
	for i := range 7 {
		id := fmt.Sprintf("t%025d", i)
		d.Do("contact", id, 0, d.Receive(id, "web", "hola"))
		d.Settings(domain.CategoryDepartment, fmt.Sprint("d", i), "admin", department.Created{Definition: department.Definition{ID: fmt.Sprint("d", i)}})
		want = append([]string{contact.ID(id)}, want...)
	}
	q := queries(t, log)
	var got []string
	for r := (directory.Range{Limit: 3}); ; {
		page, err := q.Contacts(context.Background(), "default", directory.ContactFilter{Range: r})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Items {
			got = append(got, c.ID)
		}
		if r.Cursor = page.Next; !page.HasMore {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contacts (-want +got):\n%s", diff)
	}
	first, err := q.Departments(context.Background(), "default", directory.Range{Limit: 4})
	if err != nil || len(first.Items) != 4 || !first.HasMore {
		t.Fatalf("%+v %v", first, err)
	}
	rest, err := q.Departments(context.Background(), "default", directory.Range{Limit: 4, Cursor: first.Next})
	if err != nil || len(rest.Items) != 3 || rest.HasMore || rest.Items[0].ID != "d4" {
		t.Fatalf("%+v %v", rest, err)
	}
	for _, bad := range []string{"x", "!", first.Next} {
		if _, err := q.Operators(context.Background(), "default", directory.Range{Cursor: bad}); err != directory.ErrCursor {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

func TestAnyBatchesMakeTheSameRows(t *testing.T) {
	log, d := history()
	d.Erases = true
	d.Random(600, 20)
	erase(d)
	digests := map[string]bool{}
	for _, size := range []int{5000, 7, 1} {
		digest, err := viewtest.Rebuild(log, directory.New(), projections.Options{CatchUp: size, Batch: size})
		if err != nil {
			t.Fatal(err)
		}
		digests[digest] = true
	}
	digest, err := viewtest.Rebuild(viewtest.Forgotten(log), directory.New(), projections.Options{})
	if err != nil {
		t.Fatal(err)
	}
	digests[digest] = true
	if len(digests) != 1 {
		t.Errorf("%d different views came of one log", len(digests))
	}
}

func BenchmarkCatchUp(b *testing.B) { viewtest.CatchUp(b, directory.New(), 5000, 500) }
