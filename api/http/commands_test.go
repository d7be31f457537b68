package http_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain/thread"
)

func TestOfManyWhoTakeAtOnceOneWinsAndTheOthersLearnWho(t *testing.T) {
	d := newDesk(t)
	c := d.customer("a", "hola")
	answers := make([]answer, 40)
	var all sync.WaitGroup
	for i := range answers {
		all.Add(1)
		go func() {
			defer all.Done()
			answers[i] = d.do([]string{"ana", "beto"}[i%2], "POST", "/v1/conversations/"+c+"/take", "")
		}()
	}
	all.Wait()
	owner := d.get("admin", "/v1/conversations/"+c).text("operator")
	for i, a := range answers {
		who := []string{"ana", "beto"}[i%2]
		switch {
		case who == owner && a.status == 200:
		case who != owner && a.status == 409 && a.text("owner.id") == owner && strings.EqualFold(a.text("owner.name"), owner):
		default:
			t.Errorf("%s was answered %d while %s has it: %s", who, a.status, owner, a.body)
		}
	}
	if taken := strings.Count(strings.Join(d.since(0), " "), "conversation.taken"); taken != 1 {
		t.Errorf("it was taken %d times", taken)
	}
}

func TestTheSameKeyAtOnceIsDoneOnce(t *testing.T) {
	d := newDesk(t)
	c := d.customer("a", "hola")
	before := d.head()
	positions := make([]string, 20)
	var all sync.WaitGroup
	for i := range positions {
		all.Add(1)
		go func() {
			defer all.Done()
			a := d.do("ana", "POST", "/v1/conversations/"+c+"/messages", `{"text":"una vez"}`, "Idempotency-Key", "once")
			positions[i] = fmt.Sprint(a.status, a.value("position"), a.text("message"), a.text("events.1.data.text"))
		}()
	}
	all.Wait()
	for _, p := range positions {
		if p != positions[0] || !strings.HasPrefix(p, "200 ") || !strings.HasSuffix(p, "una vez") {
			t.Errorf("one of them was answered %q, another %q", p, positions[0])
		}
	}
	if got := strings.Join(d.since(before), " "); got != "conversation.taken conversation.message_sent" {
		t.Errorf("appended %s", got)
	}
}

// failing stands before the engine and answers in its place.
type failing struct {
	http.Conversations
	err error
}

func (f *failing) Do(context.Context, command.Request, string, thread.Command) (command.Result, error) {
	return command.Result{}, f.err
}

func TestWhatIsNotARefusalIsAnsweredTruthfullyAndTellsNothingPersonal(t *testing.T) {
	engine := &failing{}
	d := newDesk(t, func(p *http.Parts, _ *http.Options) { engine.Conversations, p.Conversations = p.Conversations, engine })
	c := d.customer("a", "hola")
	for err, want := range map[error]struct {
		status int
		code   string
	}{
		fmt.Errorf("append: %w", command.ErrUncertain):     {503, "outcome_unknown"},
		fmt.Errorf("append: %w", command.ErrUnavailable):   {503, "log_unavailable"},
		fmt.Errorf("append: %w", command.ErrFull):          {503, "log_full"},
		fmt.Errorf("append: %w", context.DeadlineExceeded): {503, "log_unavailable"},
		errors.New("Clara's telephone is +34600111222"):    {500, "internal"},
	} {
		engine.err = err
		a := d.do("ana", "POST", "/v1/conversations/"+c+"/take", "")
		if a.status != want.status || a.text("code") != want.code || (a.header.Get("Retry-After") == "") != (want.status == 500) {
			t.Errorf("%v was answered %d %s", err, a.status, a.body)
		}
		if strings.Contains(string(a.body), "Clara") {
			t.Errorf("the answer tells of the inside: %s", a.body)
		}
	}
}

func TestABodyThatIsTooLargeIsRefusedWhetherItsLengthIsToldOrNot(t *testing.T) {
	d := newDesk(t)
	c := d.customer("a", "hola")
	before := d.head()
	large := `{"text":"` + strings.Repeat("a", http.MaxBody) + `"}`
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/messages", large), 413)
	d.must(d.chunked("ana", "POST", "/v1/conversations/"+c+"/messages", large), 413)
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/messages", `{"text":"`+strings.Repeat("a", thread.MaxText+1)+`"}`), 413)
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/messages", strings.Repeat(`{"location":`, 100)+"1"+strings.Repeat("}", 100)), 400)
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/tags", `{"add":[`+strings.Repeat(`"a",`, 30_000)+`"a"]}`), 400)
	if got := d.since(before); len(got) != 0 {
		t.Errorf("appended %v", got)
	}
}

func TestAnAnswerAsOfATimeIsAsOfTheLastPositionBeforeIt(t *testing.T) {
	now := time.Date(2040, 1, 5, 9, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	pass := func(by time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(by) }
	d := newDeskAt(t, clock)
	pass(time.Hour)
	c := d.customer("a", "hola") // at 10:00
	opened := d.head()
	pass(time.Hour)
	taken := d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/take", ""), 200).position() // at 11:00
	pass(time.Hour)
	d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/close", ""), 200) // at 12:00
	for at, want := range map[string]struct {
		position uint64
		state    string
	}{
		"2040-01-05T10:00:00.000Z":    {uint64(opened), "waiting"},
		"2040-01-05T10:59:59.999Z":    {uint64(opened), "waiting"},
		"2040-01-05T12:00:00%2B01:00": {uint64(taken), "attending"},
		"2040-01-05T11:59:59Z":        {uint64(taken), "attending"},
		"2050-01-01T00:00:00Z":        {uint64(d.head()), "closed"},
		fmt.Sprint(uint64(opened)):    {uint64(opened), "waiting"},
		fmt.Sprint(uint64(d.head())):  {uint64(d.head()), "closed"},
	} {
		a := d.must(d.get("ada", "/v1/conversations/"+c+"?as_of="+at), 200)
		if uint64(a.position()) != want.position || a.text("state") != want.state {
			t.Errorf("as of %s it is at %d and %s, want %d and %s", at, a.position(), a.text("state"), want.position, want.state)
		}
	}
	d.must(d.get("ada", "/v1/conversations/"+c+"?as_of=1999-01-01T00:00:00Z"), 400)
	d.must(d.get("ada", "/v1/conversations/"+c+"?as_of=2040-01-05T09:59:59.999Z"), 404)
}

// TestARepeatedCallIsAnsweredWithItsEventsHoweverLongAgo repeats a command after more commits than are looked at first.
func TestARepeatedCallIsAnsweredWithItsEventsHoweverLongAgo(t *testing.T) {
	d := newDesk(t)
	c := d.customer("a", "hola")
	send := func() answer {
		return d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/messages", `{"text":"una vez"}`, "Idempotency-Key", "once"), 200)
	}
	first := send()
	for i := range 40 {
		d.must(d.do("ana", "POST", "/v1/conversations/"+c+"/tags", fmt.Sprintf(`{"add":["t%d"]}`, i)), 200)
	}
	again := send()
	if again.value("replayed") != true || fmt.Sprint(again.value("events")) != fmt.Sprint(first.value("events")) || again.value("position") != first.value("position") {
		t.Errorf("first %s\nagain %s", first.body, again.body)
	}
}
