package effects_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/routing"
	"github.com/turno-desk/turno/domain/thread"
)

var offering = department.Settings{OfferTo: 2}

// offered is an offer's round, to exactly these.
func offered(conversation string, round int, joined ...string) func(domain.Commit) bool {
	return func(c domain.Commit) bool {
		e, ok := event[thread.Offered](c)
		return ok && c.Conversation == conversation && e.Round == round && slices.Equal(e.Joined, joined)
	}
}

func ended(conversation string, cause thread.OfferEnd) func(domain.Commit) bool {
	return func(c domain.Commit) bool {
		e, ok := event[thread.OfferEnded](c)
		return ok && c.Conversation == conversation && e.Cause == cause
	}
}

// wakes lets the worker look at the clock.
func (d *desk) wakes(after time.Duration) {
	d.t.Helper()
	d.clock.advance(after)
	d.operator("zoe")
}

// refusedTo says that the operator may not take it.
func (d *desk) refusedTo(id, conversation string) {
	d.t.Helper()
	var refusal *domain.Refusal
	if _, err := d.engine.Do(d.t.Context(), as(id), conversation, thread.Take{}); !errors.As(err, &refusal) || refusal.Code != thread.CodeNotOffered || refusal.Until.IsZero() {
		d.t.Errorf("%s is refused with %v, want not_offered and until when", id, err)
	}
}

// TestTheFirstTwoAreAskedThenTheNextThenItIsEverybodys is F011 and D8: the longest idle first, who was asked stays, and when
// nobody is left to ask everybody may take it.
func TestTheFirstTwoAreAskedThenTheNextThenItIsEverybodys(t *testing.T) {
	d := newDesk(t)
	d.staffed(offering, 0, "ana", "beto", "carla", "dora", "eva")
	id := d.writes("soporte", "1")
	c := d.happens("the longest idle are asked", 0, offered(id, 1, "ana", "beto"))
	e, _ := event[thread.Offered](c)
	if e.Until.Sub(c.Time) != 30*time.Second || e.Assignment.Rule != routing.LongestIdle || len(e.Assignment.Candidates) != 5 || c.Actor.Via != "effect:distribution" {
		t.Errorf("offered as %+v via %s", e, c.Actor.Via)
	}
	if again, same := must(thread.Explain(e)).Again(); !same {
		t.Errorf("asked again it is %v", again)
	}
	d.refusedTo("carla", id)
	d.wakes(30 * time.Second)
	c = d.happens("the next join", 0, offered(id, 2, "carla", "dora"))
	if e, _ := event[thread.Offered](c); !slices.Equal(e.Operators, []string{"ana", "beto", "carla", "dora"}) {
		t.Errorf("it is offered to %v", e.Operators)
	}
	d.refusedTo("eva", id)
	d.wakes(30 * time.Second)
	d.happens("the last joins", 0, offered(id, 3, "eva"))
	d.wakes(30 * time.Second)
	d.happens("nobody is left", 0, ended(id, thread.OfferExhausted))
	d.operator("felix", "soporte")
	d.connect("felix")
	d.do(as("felix"), id, thread.Take{})
	d.none("an offer of what everybody may take", func(c domain.Commit) bool { return offered(id, 4, "felix")(c) })
}

// TestWhenAllHaveDeclinedTheNextAreAskedAtOnce is D8.
func TestWhenAllHaveDeclinedTheNextAreAskedAtOnce(t *testing.T) {
	d := newDesk(t)
	d.staffed(offering, 0, "ana", "beto", "carla")
	id := d.writes("soporte", "1")
	d.happens("two are asked", 0, offered(id, 1, "ana", "beto"))
	d.do(as("beto"), id, thread.Decline{})
	d.do(as("ana"), id, thread.Decline{})
	c := d.happens("the third is asked", 0, offered(id, 2, "carla"))
	if e, _ := event[thread.Offered](c); !slices.Equal(e.Operators, []string{"carla"}) {
		t.Errorf("it is offered to %v", e.Operators)
	}
	d.do(as("carla"), id, thread.Decline{})
	d.happens("and then everybody may have it", 0, ended(id, thread.OfferExhausted))
	d.do(as("ana"), id, thread.Take{})
}

// TestWhatIsOfferedAtOnceIsOfferedToOthers is D8: an offer counts as if one had it already, and who has no room is not asked.
func TestWhatIsOfferedAtOnceIsOfferedToOthers(t *testing.T) {
	d := newDesk(t)
	s := department.Settings{OfferTo: 1, AtCapacityMessage: "Hay mucha gente"}
	d.staffed(s, 1, "ana", "beto")
	first, second, third := d.writes("soporte", "1"), d.writes("soporte", "2"), d.writes("soporte", "3")
	d.happens("ana is asked", 0, offered(first, 1, "ana"))
	d.happens("beto is asked", 0, offered(second, 1, "beto"))
	d.do(as("ana"), first, thread.Accept{})
	d.do(as("beto"), second, thread.Accept{})
	d.happens("everybody has enough, and the contact is told so (F015)", 0, says(third, "Hay mucha gente"))
	d.do(as("ana"), first, thread.Close{})
	d.happens("ana has room again and is asked", 0, offered(third, 1, "ana"))
}

// TestNobodyIsAskedWhoIsNotThere is D8, F019: while nobody is there it waits like any other, and the first who comes is asked.
func TestNobodyIsAskedWhoIsNotThere(t *testing.T) {
	d := newDesk(t)
	d.staffed(offering, 0, "ana", "beto")
	d.available("ana", false)
	d.disconnect("beto")
	id := d.writes("soporte", "1")
	d.available("ana", true)
	d.happens("ana is asked", 0, offered(id, 1, "ana"))
	d.do(as("ana"), id, thread.Take{})
	d.do(as("ana"), id, thread.Release{})
	d.happens("as it is on its list anew, she is asked again", d.head()-1, offered(id, 1, "ana"))
}

// TestATransferThatMustBeAcceptedIsGivenBackToTheList is D4: by its time, and at once when it is declined.
func TestATransferThatMustBeAcceptedIsGivenBackToTheList(t *testing.T) {
	d := newDesk(t)
	d.department("ventas", department.Settings{TransferAccept: true, OfferTimeout: 60}, 0)
	d.operator("vera", "ventas")
	d.operator("victor", "ventas")
	d.staffed(department.Settings{}, 0, "ana")
	d.connect("vera")
	for _, end := range []thread.OfferEnd{thread.OfferExpired, thread.OfferRefused} {
		id := d.writes("soporte", string(end))
		d.do(as("ana"), id, thread.Take{})
		d.do(as("ana"), id, thread.Transfer{Department: "ventas", Operator: "vera"})
		d.refusedTo("victor", id)
		if end == thread.OfferRefused {
			d.do(as("vera"), id, thread.Decline{})
		} else {
			d.wakes(60 * time.Second)
		}
		d.happens("it is on the common list", 0, ended(id, end))
		d.do(as("victor"), id, thread.Take{})
	}
}

// TestAfterATransfersOfferTheDepartmentGoesOnAsItDoes is D4, D8 and F021: by a rule, or with an offer of its own to others.
func TestAfterATransfersOfferTheDepartmentGoesOnAsItDoes(t *testing.T) {
	for name, s := range map[string]department.Settings{
		"by a rule": {TransferAccept: true, Distribution: department.Automatic}, "with offers": {TransferAccept: true, OfferTo: 1},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.department("otra", department.Settings{}, 0)
			d.operator("olga", "otra")
			d.staffed(s, 0, "ana", "beto")
			id := d.writes("otra", "1")
			d.do(as("olga"), id, thread.Take{})
			d.do(as("olga"), id, thread.Transfer{Department: "soporte", Operator: "beto"})
			d.do(as("beto"), id, thread.Decline{})
			c := d.happens("beto's offer is over", 0, ended(id, thread.OfferRefused))
			if s.Automatic() {
				d.happens("ana has it", c.Position, given(id, "ana"))
				return
			}
			d.happens("ana is asked", c.Position, offered(id, 2, "ana"))
		})
	}
}

// TestOffersGoOnAfterAChangeOfTheWorker: the next are asked by whoever leads then, from the rows of the floor.
func TestOffersGoOnAfterAChangeOfTheWorker(t *testing.T) {
	d := newDesk(t)
	w := d.staffed(department.Settings{OfferTo: 1}, 0, "ana", "beto")
	id := d.writes("soporte", "1")
	d.happens("ana is asked", 0, offered(id, 1, "ana"))
	w.stop()
	d.project()
	d.clock.advance(time.Hour)
	d.work()
	d.happens("beto joins", 0, offered(id, 2, "beto"))
}

// TestAChannelLeadsToAnExtension is F007: to who holds it while they are there and have room, else into the department.
func TestAChannelLeadsToAnExtension(t *testing.T) {
	d := newDesk(t)
	d.staffed(automatic, 1, "beto", "carla")
	d.answers("ana", "204", "soporte")
	d.connect("ana")
	d.line("linea", "soporte", "204")
	first := d.writes("linea", "1")
	c := d.happens("it goes to who holds the extension, though others are idle for longer", 0, given(first, "ana"))
	if e, _ := event[thread.Taken](c); e.How != thread.TakenDirect || e.Assignment.Rule != routing.Direct || len(e.Assignment.Candidates) != 1 {
		t.Errorf("taken as %+v", e)
	}
	d.happens("she has no room: the department's rule decides", 0, given(d.writes("linea", "2"), "beto"))
	d.do(as("ana"), first, thread.Close{})
	d.disconnect("ana")
	d.happens("she is away", 0, given(d.writes("linea", "3"), "carla"))
	d.connect("ana")
	ok[command.SettingResult](t)(d.settings.DeactivateOperator(t.Context(), admin, "ana"))
	fourth := d.writes("linea", "4")
	d.do(admin, fourth, thread.Tag{Add: []string{"x"}})
	d.answers("dora", "204", "soporte") // the extension has no holder until now
	d.connect("dora")
	d.happens("it waited, and goes to who holds the extension now", 0, given(fourth, "dora"))
}

// TestAnOwnerIsAlertedWhenTheirPauseIsOver is D2: once, also when it was due while nobody worked, and nothing resumes.
func TestAnOwnerIsAlertedWhenTheirPauseIsOver(t *testing.T) {
	d := newDesk(t)
	w := d.staffed(department.Settings{}, 0, "ana")
	id, other := d.writes("soporte", "1"), d.writes("soporte", "2")
	for _, conversation := range []string{id, other} {
		d.do(as("ana"), conversation, thread.Take{})
		until := d.clock.now().Add(time.Hour)
		d.do(as("ana"), conversation, thread.Pause{Until: &until})
	}
	d.do(as("ana"), other, thread.Resume{})
	w.stop()
	d.project()
	d.clock.advance(2 * time.Hour)
	d.leads(d.work())
	c := d.happens("ana is alerted", 0, alerted(id, thread.AlertPauseOver))
	if e, _ := event[thread.Alerted](c); e.Operator != "ana" || e.Role != "" || c.After.State != thread.StatePaused || c.Actor.Via != "effect:reminder" {
		t.Errorf("alerted as %+v via %s, it is %+v", e, c.Actor.Via, c.After)
	}
	until := d.clock.now().Add(time.Hour)
	d.do(as("ana"), id, thread.Pause{Until: &until})
	d.wakes(time.Hour)
	d.happens("the next pause has its own", c.Position, alerted(id, thread.AlertPauseOver))
	d.none("an alert of what goes on", alerted(other, thread.AlertPauseOver))
}

// TestSupervisorsAreAlertedOfWhatIsPausedAndUnattended is D13: it stays with its owner; each absence has its own alert.
func TestSupervisorsAreAlertedOfWhatIsPausedAndUnattended(t *testing.T) {
	d := newDesk(t)
	d.staffed(department.Settings{ReassignAfter: 60}, 0, "ana")
	waits, quiet := d.writes("soporte", "1"), d.writes("soporte", "2")
	for _, id := range []string{waits, quiet} {
		d.do(as("ana"), id, thread.Take{})
		d.do(as("ana"), id, thread.Send{Content: thread.Content{Kind: thread.KindText, Text: "Un momento"}})
		d.do(as("ana"), id, thread.Pause{})
	}
	d.writes("soporte", "1")
	d.disconnect("ana")
	d.wakes(60 * time.Second)
	c := d.happens("the supervisors hear of it", 0, alerted(waits, thread.AlertUnattended))
	if e, _ := event[thread.Alerted](c); e.Role != "supervisor" || e.Operator != "" || c.After.Owner != "ana" || c.After.State != thread.StatePaused {
		t.Errorf("alerted as %+v, it is %+v", e, c.After)
	}
	d.connect("ana")
	d.disconnect("ana")
	d.wakes(60 * time.Second)
	d.happens("and of her next absence", c.Position, alerted(waits, thread.AlertUnattended))
	d.none("an alert of what waits for nothing", alerted(quiet, thread.AlertUnattended))
	d.none("a release", released(waits, thread.CauseUnattended))
}

func alerted(conversation string, cause thread.AlertCause) func(domain.Commit) bool {
	return func(c domain.Commit) bool {
		e, ok := event[thread.Alerted](c)
		return ok && c.Conversation == conversation && e.Cause == cause
	}
}

// none fails when there is such a commit once the worker has seen all that was said.
func (d *desk) none(what string, is func(domain.Commit) bool) {
	d.t.Helper()
	d.department("marker", automatic, 0)
	d.operator("mark", "marker")
	d.connect("mark")
	d.happens("the worker has come so far", 0, given(d.writes("marker", what), "mark"))
	for _, c := range d.commits() {
		if is(c) {
			d.t.Errorf("there is %s, at %d", what, c.Position)
		}
	}
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("there is none")
	}
	return v
}
