package command_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/memory"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/access"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/projections"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(context.Background())
}

func (b *bureau) put(t *testing.T, id, role, departmentID string) {
	t.Helper()
	if _, err := b.settings.PutDepartment(t.Context(), admin, department.Put{ID: departmentID, Name: departmentID}); err != nil {
		t.Fatal(err)
	}
	_, err := b.settings.PutOperator(t.Context(), admin, operator.Put{ID: id, Name: "N", Role: operator.Role(role), Departments: []string{departmentID}})
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bureau) issue(t *testing.T, order command.TokenOrder) command.IssuedToken {
	t.Helper()
	token, err := b.settings.IssueToken(t.Context(), admin, order)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func unauthenticated(t *testing.T, s *command.Settings, bearer string) {
	t.Helper()
	if p, err := s.Authenticate(t.Context(), bearer); !errors.Is(err, command.ErrUnauthenticated) {
		t.Errorf("%q is %+v, %v", bearer, p, err)
	}
}

func TestATokenSaysWhoItsHolderIs(t *testing.T) {
	b := newBureau(t)
	other := b.process(t, b.log)
	for owner, c := range map[string]struct {
		scopes []string
		want   access.Viewer
		actor  string
	}{
		"operator:sara": {want: access.Viewer{Operator: "sara", Role: "supervisor", Departments: []string{"soporte"}}, actor: "operator:sara"},
		"service:crm":   {scopes: []string{"stats:read"}, want: access.Viewer{Role: "service", Scopes: []string{"stats:read"}}, actor: "service:crm"},
		"admin":         {want: access.Viewer{Role: "admin"}, actor: "admin"},
	} {
		token := b.issue(t, command.TokenOrder{Owner: owner, Name: "x", Scopes: c.scopes})
		if !strings.HasPrefix(token.Plain, "turno_"+token.ID+"_") || len(token.Plain) != len("turno_"+token.ID+"_")+52 {
			t.Errorf("the token is %q", token.Plain)
		}
		for _, s := range []*command.Settings{b.settings, other, other} { // the second time from memory
			p, err := s.Authenticate(t.Context(), token.Plain)
			if err != nil || !cmp.Equal(p.Viewer(), c.want) || p.Actor.String() != c.actor || p.Principal != owner || p.TokenID != token.ID || p.Workspace != "default" {
				t.Errorf("%s is %+v, %v", owner, p, err)
			}
		}
		flipped := token.Plain[:len(token.Plain)-2] + strings.Map(func(r rune) rune { return 'a' + (r-'a'+1)%3 }, token.Plain[len(token.Plain)-2:])
		for _, bearer := range []string{"", "turno_", "turno__", "turno_" + token.ID + "_", flipped, token.Plain + "a", token.ID, "turno_nope_" + token.Plain[len(token.Plain)-52:]} {
			unauthenticated(t, b.settings, bearer)
		}
	}
}

func TestNoTokenIsInTheLogOrInTheVault(t *testing.T) {
	b := newBureau(t)
	token := b.issue(t, command.TokenOrder{Owner: "operator:ana", Name: "laptop"})
	secret := token.Plain[strings.LastIndexByte(token.Plain, '_')+1:]
	err := b.log.Read(t.Context(), 0, projections.ReadOptions{ToHead: true, Open: true}, func(commits []domain.Commit) error {
		for _, c := range commits {
			if s := strings.ToLower(cmp.Diff(nil, c.Events)); strings.Contains(s, secret) {
				t.Errorf("the commit at %d has it: %s", c.Position, s)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	b.secrets.Range(func(name, value any) bool {
		if strings.Contains(name.(string)+string(value.([]byte)), secret) || len(value.([]byte)) != 32 {
			t.Errorf("the vault has %q under %s", value, name)
		}
		return true
	})
	if names := b.secrets.names(); len(names) != 1 || !strings.HasPrefix(names[0], "token/"+token.ID) {
		t.Errorf("the vault has %v", names)
	}
}

func TestARevokedTokenIsRefusedEverywhere(t *testing.T) {
	b := newBureau(t)
	other := b.process(t, b.log)
	token := b.issue(t, command.TokenOrder{Owner: "operator:ana"})
	if _, err := other.Authenticate(t.Context(), token.Plain); err != nil {
		t.Fatal(err)
	}
	revoked, err := b.settings.RevokeToken(t.Context(), admin, token.ID)
	if err != nil || len(revoked.Commit.Events) != 1 {
		t.Fatalf("got %+v, %v", revoked, err)
	}
	knows(t, other, revoked.Position)
	unauthenticated(t, other, token.Plain)
	unauthenticated(t, other, token.Plain)
	if again, err := b.settings.RevokeToken(t.Context(), admin, token.ID); err != nil || len(again.Commit.Events) != 0 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if names := b.secrets.names(); len(names) != 0 {
		t.Errorf("the vault still has %v", names)
	}
	for _, id := range []string{"nope", "", "A"} {
		_, err = b.settings.RevokeToken(t.Context(), admin, id)
		refused(t, err, domain.CodeNotFound)
	}
}

// knows waits until a process knows the settings up to a position.
func knows(t *testing.T, s *command.Settings, p domain.Position) {
	t.Helper()
	req := admin
	req.After = p
	if _, err := s.SetAvailability(t.Context(), req, "beto", true, ""); err != nil {
		t.Fatal(err)
	}
}

func TestATokenEndsWithItsOperatorsAccess(t *testing.T) {
	b := newBureau(t)
	token := b.issue(t, command.TokenOrder{Owner: "operator:ana"})
	if _, err := b.settings.Authenticate(t.Context(), token.Plain); err != nil {
		t.Fatal(err)
	}
	gone, err := b.settings.DeactivateOperator(t.Context(), admin, "ana")
	if err != nil {
		t.Fatal(err)
	}
	knows(t, b.settings, gone.Position)
	unauthenticated(t, b.settings, token.Plain)
	_, err = b.settings.IssueToken(t.Context(), admin, command.TokenOrder{Owner: "operator:ana"})
	refused(t, err, domain.CodeRetired)
	if _, err := b.settings.ReactivateOperator(t.Context(), admin, "ana"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.settings.Authenticate(t.Context(), token.Plain); err != nil {
		back, err := b.process(t, b.log).Authenticate(t.Context(), token.Plain)
		t.Errorf("who came back is refused; elsewhere %+v, %v", back, err)
	}
}

func TestTheSameKeyIssuesOneTokenAndTellsItOnce(t *testing.T) {
	b := newBureau(t)
	other := b.process(t, b.log)
	order := command.TokenOrder{Owner: "service:crm", Scopes: []string{"stats:read"}}
	tokens := make([]command.IssuedToken, 8)
	var wg sync.WaitGroup
	for i := range tokens {
		s := []*command.Settings{b.settings, other}[i%2]
		wg.Go(func() {
			var err error
			if tokens[i], err = s.IssueToken(context.Background(), keyed(admin, "k", "h"), order); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	told := 0
	for _, token := range tokens {
		if token.ID != tokens[0].ID || token.Position != tokens[0].Position {
			t.Errorf("%+v and %+v", token, tokens[0])
		}
		if token.Plain == "" {
			continue
		}
		told++
		if _, err := other.Authenticate(t.Context(), token.Plain); err != nil {
			t.Errorf("the token that was told is refused: %v", err)
		}
	}
	if told != 1 {
		t.Errorf("it was told %d times", told)
	}
	if names := b.secrets.names(); len(names) != 1 {
		t.Errorf("the vault has %v", names)
	}
	_, err := b.settings.IssueToken(t.Context(), keyed(admin, "k", "other"), order)
	refused(t, err, domain.CodeKeyReused)
}

func TestTheFirstAdministratorsTokenIsMadeOnce(t *testing.T) {
	b := newBureau(t)
	processes := []*command.Settings{b.settings, b.process(t, b.log), b.process(t, b.log)}
	printed := make([]string, len(processes))
	var wg sync.WaitGroup
	for i, s := range processes {
		wg.Go(func() {
			var err error
			if printed[i], err = s.EnsureAdmin(context.Background(), ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	printed = slices.DeleteFunc(printed, func(s string) bool { return s == "" })
	if len(printed) != 1 {
		t.Fatalf("printed %v", printed)
	}
	for _, s := range processes {
		if p, err := s.Authenticate(t.Context(), printed[0]); err != nil || p.Principal != "admin" || p.TokenID != "admin" {
			t.Errorf("got %+v, %v", p, err)
		}
	}
	if again, err := b.process(t, b.log).EnsureAdmin(t.Context(), ""); again != "" || err != nil {
		t.Errorf("a later start prints %q, %v", again, err)
	}
	if names := b.secrets.names(); len(names) != 1 {
		t.Errorf("the vault has %v", names)
	}
}

func TestAGivenTokenReplacesTheAdministrators(t *testing.T) {
	b := newBureau(t)
	made, err := b.settings.EnsureAdmin(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	last := made
	for _, given := range []string{"correct-horse-battery", "turno_looks_like_one"} {
		for range 2 {
			if printed, err := b.settings.EnsureAdmin(t.Context(), given); printed != "" || err != nil {
				t.Fatalf("%q, %v", printed, err)
			}
		}
		if p, err := b.settings.Authenticate(t.Context(), given); err != nil || p.Role != operator.RoleAdmin {
			t.Errorf("the new one is %+v, %v", p, err)
		}
		unauthenticated(t, b.settings, last)
		last = given
	}
	if n := len(b.commits(t, domain.CategorySetting, "token.admin")); n != 3 {
		t.Errorf("there are %d commits", n)
	}
	b.secrets.Clear() // a vault that was lost
	if _, err := b.settings.EnsureAdmin(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if _, err := b.process(t, b.log).Authenticate(t.Context(), last); err != nil {
		t.Errorf("given again to an empty vault: %v", err)
	}
	for _, bad := range []string{"short", "with a space in it", "with-a-newline-in-it\n", "contraseña-larga-larga"} {
		if _, err := b.settings.EnsureAdmin(t.Context(), bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestActingForOthers(t *testing.T) {
	b := newBureau(t)
	of := func(owner string, scopes ...string) command.Principal {
		t.Helper()
		p, err := b.settings.Authenticate(t.Context(), b.issue(t, command.TokenOrder{Owner: owner, Scopes: scopes}).Plain)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	crm, boss := of("service:crm", "conversations:write"), of("admin")

	p, err := b.settings.ActFor(t.Context(), crm, "operator:sara")
	if err != nil || p.Actor != (domain.Actor{Kind: domain.ActorOperator, ID: "sara", Via: "service:crm"}) || p.Principal != "service:crm" {
		t.Fatalf("got %+v, %v", p, err)
	}
	if v := p.Viewer(); v.Operator != "sara" || v.Role != operator.RoleSupervisor || !v.Member("soporte") {
		t.Errorf("the sight is %+v", v)
	}
	for action, want := range map[access.Action]bool{access.Converse: true, access.Supervise: true, access.BePresent: true, access.EditContacts: false, access.Hide: false, access.EditSettings: false} {
		if got := p.MayDo(action); got != want {
			t.Errorf("a service acting for a supervisor may %s: %t", action, got)
		}
	}
	if _, err := b.settings.ActFor(t.Context(), p, "operator:ana"); err == nil {
		t.Error("who acts for another acts for a third")
	}

	p, err = b.settings.ActFor(t.Context(), boss, "contact")
	if err != nil || p.Actor != (domain.Actor{Kind: domain.ActorContact, Via: "admin"}) || p.Viewer().Role != operator.RoleAdmin || !p.MayDo(access.Receive) {
		t.Errorf("got %+v, %v", p, err)
	}
	if p, err = b.settings.ActFor(t.Context(), boss, "operator:ana"); err != nil || p.MayDo(access.EditSettings) || !p.MayDo(access.Converse) {
		t.Errorf("got %+v, %v", p, err)
	}

	_, err = b.settings.ActFor(t.Context(), of("operator:sara"), "operator:ana")
	refused(t, err, domain.CodeForbidden)
	_, err = b.settings.ActFor(t.Context(), boss, "operator:zoe")
	refused(t, err, domain.CodeUnknownSetting)
	for _, actor := range []string{"", "operator:", "system", "admin", "service:x", "ana"} {
		_, err = b.settings.ActFor(t.Context(), boss, actor)
		refused(t, err, domain.CodeInvalid)
	}
	if _, err := b.settings.DeactivateOperator(t.Context(), admin, "ana"); err != nil {
		t.Fatal(err)
	}
	knows(t, b.settings, b.commits(t, domain.CategoryOperator, "ana")[1].Position)
	_, err = b.settings.ActFor(t.Context(), boss, "operator:ana")
	refused(t, err, domain.CodeRetired)
}

func TestATokensNameIsSealed(t *testing.T) {
	b := newBureau(t)
	carla, err := b.settings.PutOperator(t.Context(), admin, person("carla", ""))
	if err != nil {
		t.Fatal(err)
	}
	hers := b.issue(t, command.TokenOrder{Owner: "operator:carla", Name: "Carla's phone"})
	its := b.issue(t, command.TokenOrder{Owner: "service:crm", Name: "Carla's CRM", Scopes: []string{"stats:read"}})
	if hers.Commit.Key != carla.Commit.Key || its.Commit.Key == "" || its.Commit.Key == carla.Commit.Key {
		t.Errorf("keys %q, %q, %q", carla.Commit.Key, hers.Commit.Key, its.Commit.Key)
	}
	if revoked, err := b.settings.RevokeToken(t.Context(), admin, its.ID); err != nil || revoked.Commit.Key != its.Commit.Key {
		t.Errorf("revoked: %+v, %v", revoked, err)
	}
	if got := b.commits(t, domain.CategorySetting, "token."+hers.ID)[0].Events[0].(setting.TokenIssued).Name; got != "Carla's phone" {
		t.Errorf("it reads %q", got)
	}
}

func TestWhatIsUnknownHereIsLookedUpInTheLogAndGuessingCostsNoMore(t *testing.T) {
	b := newBureau(t)
	log := &settingsLog{Store: b.log}
	image := command.NewImage(log, "default", command.ImageOptions{}) // nobody keeps it
	image.SetWithin(time.Minute)
	if err := image.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	settings := command.NewSettings(command.SettingsOptions{Log: b.log, Image: image, Keys: b.keys, Secrets: b.secrets, Hasher: hasher{}})
	token := b.issue(t, command.TokenOrder{Owner: "operator:ana"}).Plain
	knows := func() {
		t.Helper()
		if p, err := settings.Authenticate(t.Context(), token); err != nil || p.Operator != "ana" {
			t.Errorf("got %+v, %v", p, err)
		}
	}
	knows()
	if _, err := b.settings.DeactivateOperator(t.Context(), admin, "ana"); err != nil {
		t.Fatal(err)
	}
	if err := image.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	unauthenticated(t, settings, token)
	if _, err := b.settings.ReactivateOperator(t.Context(), admin, "ana"); err != nil {
		t.Fatal(err)
	}
	knows()
	if _, err := b.settings.EnsureAdmin(t.Context(), "correct-horse-battery"); err != nil {
		t.Fatal(err)
	}
	if p, err := settings.Authenticate(t.Context(), "correct-horse-battery"); err != nil || p.Principal != "admin" {
		t.Errorf("got %+v, %v", p, err)
	}
	reads := log.reads.Load()
	for _, guess := range []string{"", "x", token + "x", "turno_admin_x", "turno_" + strings.Repeat("x", 100) + "_y", "turno_a.b_c", "turno_>_c"} {
		unauthenticated(t, settings, guess)
	}
	if log.reads.Load() != reads {
		t.Errorf("guessing read all settings %d times", log.reads.Load()-reads)
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	log := memory.New(codec.New(&keys{}))
	image := command.NewImage(log, "default", command.ImageOptions{})
	image.SetWithin(time.Hour)
	settings := command.NewSettings(command.SettingsOptions{Log: log, Image: image, Keys: &keys{}, Secrets: &secrets{}, Hasher: hasher{}})
	if _, err := settings.EnsureAdmin(b.Context(), "correct-horse-battery"); err != nil {
		b.Fatal(err)
	}
	for name, bearer := range map[string]string{"known": "correct-horse-battery", "guess": "turno_abc_def"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := settings.Authenticate(b.Context(), bearer); (err == nil) != (name == "known") {
					b.Fatal(err)
				}
			}
		})
	}
}
