package directory_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections/directory"
	"github.com/turno-desk/turno/projections/viewtest"
)

// fits says of a contact, as it is shown, whether a segment means it.
func fits(c directory.Contact, s setting.Contacts) bool {
	for _, t := range s.Tags {
		if !slices.Contains(c.Tags, t) {
			return false
		}
	}
	for id, v := range s.Fields {
		if c.Fields[id] != v {
			return false
		}
	}
	onChannel := slices.ContainsFunc(c.Identities, func(i directory.Identity) bool { return i.Channel == s.Channel })
	return (s.Channel == "" || onChannel) && (s.Blocked == nil || c.Blocked == *s.Blocked) && (s.Known == nil || c.Known == *s.Known) &&
		(s.FirstFrom == nil || c.FirstAt != nil && !c.FirstAt.Before(*s.FirstFrom)) && (s.FirstTo == nil || c.FirstAt != nil && c.FirstAt.Before(*s.FirstTo))
}

// F125: a segment finds exactly those whom it means by what is shown of them, merged or not.
func TestASegmentFindsWhomItMeans(t *testing.T) {
	ctx, found := context.Background(), 0
	for seed := range uint64(4) {
		log, _, _ := viewtest.Merging(seed, 120, false)
		q := queries(t, log)
		all, err := q.Contacts(ctx, "default", directory.ContactFilter{Range: directory.Range{Limit: 200}})
		if err != nil || all.HasMore {
			t.Fatal(all.HasMore, err)
		}
		yes, no := true, false
		segments := []setting.Contacts{{Blocked: &yes}, {Blocked: &no, Known: &yes}, {Known: &no}, {Channel: "nobodys"}}
		fields := map[string]bool{}
		for _, c := range all.Items {
			for _, t := range c.Tags {
				segments = append(segments, setting.Contacts{Tags: []string{t}}, setting.Contacts{Tags: []string{t, "vip"}})
			}
			for id, v := range c.Fields {
				fields[id] = true
				segments = append(segments, setting.Contacts{Fields: map[string]string{id: v}, Blocked: &no})
			}
			for _, i := range c.Identities {
				segments = append(segments, setting.Contacts{Channel: i.Channel, Known: &yes})
			}
			if c.FirstAt != nil {
				later := c.FirstAt.Add(time.Minute)
				segments = append(segments, setting.Contacts{FirstFrom: &c.FirstAt.Time}, setting.Contacts{FirstTo: &c.FirstAt.Time}, setting.Contacts{FirstFrom: &c.FirstAt.Time, FirstTo: &later})
			}
		}
		for _, s := range segments {
			page, err := q.Contacts(ctx, "default", directory.ContactFilter{All: []setting.Contacts{s}, Range: directory.Range{Limit: 200}})
			if err != nil {
				t.Fatal(err)
			}
			want := slices.DeleteFunc(slices.Clone(all.Items), func(c directory.Contact) bool { return !fits(c, s) })
			if diff := cmp.Diff(want, page.Items); diff != "" && len(want)+len(page.Items) > 0 {
				t.Fatalf("seed %d, %+v (-meant +found):\n%s", seed, s, diff)
			}
			found += len(want)
		}
		ids, err := q.FieldIDs(ctx, "default")
		if err != nil || !slices.Equal(ids, slices.Sorted(maps.Keys(fields))) {
			t.Fatalf("the fields are %v, %v; want %v", ids, err, fields)
		}
	}
	if found == 0 {
		t.Error("no segment meant anybody")
	}
}
