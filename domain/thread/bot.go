package thread

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
)

// breath is how long after the bot's words nobody can have read them: what fits no choice and comes before is no wrong
// answer to them, and they are the answer to it. So an album, or a greeting in three messages, is answered once.
const breath = 3 * time.Second

// botBegins reports whether a bot gets the conversation that opens. A history from elsewhere has none: no effect would ever
// speak in it.
func (d decision) botBegins(channel string, o Opened) bool {
	_, talks := d.f.Image.MenuOf(channel)
	return talks && !o.BotOff && !d.f.Import
}

// bots refuses everybody but a bot, and Turno.
func (d decision) bots() *domain.Refusal {
	if d.f.Actor.Kind != domain.ActorBot && d.f.Actor.Kind != domain.ActorSystem {
		return forbidden("The bot speaks by itself.")
	}
	return nil
}

// converse is the bot's turn. Whatever the menu has become meanwhile, and whatever the contact said, it ends with words, with
// a person or with the close.
func (d decision) converse(c Converse) ([]Event, *domain.Refusal) {
	if r := d.bots(); r != nil {
		return nil, r
	}
	if d.c.State != StateBot {
		return nil, nil
	}
	talk := d.c.Bot
	said, waits := d.unanswered(c.Message)
	switch {
	case c.Message != "" && !waits, c.Message == "" && talk.Node != "":
		return nil, nil
	case talk.Node == "":
		return d.begin(c.Message, said), nil
	}
	menu, _ := d.f.Image.Menu(talk.Menu) // retired meanwhile: its texts are still there
	choice, fits := setting.ReadAnswer(string(said.Text), said.Button, talk.Choices, menu.Person.Words)
	if !fits && said.At.Sub(talk.At) < breath {
		return nil, nil
	}
	answered := MenuAnswered{Menu: talk.Menu, Node: talk.Node, Choice: choice.ID, Message: c.Message}
	if !fits {
		return append([]Event{answered}, d.wrong(menu, c.Message)...), nil
	}
	return append([]Event{answered}, d.chosen(menu, choice, c.Message)...), nil
}

// unanswered finds a message that the bot has heard and not answered.
func (d decision) unanswered(message string) (Said, bool) {
	k, ok := d.c.messageOrdinal(message)
	for _, s := range d.c.Bot.Heard {
		if ok && s.Message == k {
			return s, true
		}
	}
	return Said{}, false
}

// begin greets, unless the contact asks for a person at once.
func (d decision) begin(after string, said Said) []Event {
	menu, talks := d.f.Image.MenuOf(d.s.Channel)
	if !talks {
		return d.handOff(setting.Choice{})
	}
	if setting.AsksForPerson(string(said.Text), menu.Person.Words) {
		answered := MenuAnswered{Menu: menu.ID, Choice: setting.PersonChoice, Message: after}
		return append([]Event{answered}, d.handOff(menu.ToPerson())...)
	}
	first, _ := menu.Node("")
	return d.shows(menu, first, first.Text, 0, after)
}

// wrong repeats the choices, until it has been too often.
func (d decision) wrong(menu setting.Menu, after string) []Event {
	wrong := d.c.Bot.Wrong + 1
	node, there := menu.Node(d.c.Bot.Node)
	if !there || menu.Retired || wrong >= menu.Wrong() {
		return d.handOff(menu.ToPerson())
	}
	text := menu.Fallback.Text
	if text == "" {
		text = node.Text
	}
	return d.shows(menu, node, text, wrong, after)
}

// chosen does what a choice does. Where the menu has nothing left to show a person takes over.
func (d decision) chosen(menu setting.Menu, choice setting.Choice, after string) []Event {
	node, text := setting.Node{}, choice.Text
	there := false
	switch choice.Action {
	case setting.ActionHandOff:
		return d.handOff(choice)
	case setting.ActionClose:
		events := append(d.tagged(choice.Tags), d.says(choice.Text, nil)...)
		closed := Closed{Reason: ClosedResolved, Department: d.c.Department, Incomplete: d.requirements(Close{}, d.c.Classification, d.c.Linked != 0)}
		return append(events, d.ending(closed)...)
	case setting.ActionAnswer:
		node, there = menu.Node(d.c.Bot.Node)
	case setting.ActionOpen:
		node, there = menu.Node(choice.Node)
		text = node.Text
	case setting.ActionStart:
		node, there = menu.Node("")
		text = node.Text
	}
	if !there || menu.Retired {
		person := menu.ToPerson()
		if choice.Action == setting.ActionAnswer {
			person.Text = choice.Text
		}
		return d.handOff(person)
	}
	return d.shows(menu, node, text, 0, after)
}

// shows says a text with the choices of a node.
func (d decision) shows(menu setting.Menu, node setting.Node, text string, wrong int, after string) []Event {
	offered := menu.Offered(node)
	var choices []Choice
	for _, c := range offered {
		choices = append(choices, Choice{ID: c.ID, Title: domain.Personal(c.Title)})
	}
	return append(d.says(text, choices), MenuShown{
		Menu: menu.ID, Node: node.ID, Wrong: wrong, Choices: offered,
		Message: d.c.MessageID(d.c.Messages + 1), After: after, CloseAfter: menu.CloseAfter,
	})
}

// says is the bot's message; nothing to say is no message.
func (d decision) says(text string, choices []Choice) []Event {
	if text = d.filled(text); text == "" {
		return nil
	}
	return []Event{MessageSent{
		Message: d.c.MessageID(d.c.Messages + 1), Sender: SenderMachine,
		Content: Content{Kind: KindText, Text: domain.Personal(text), Choices: choices},
	}}
}

// filled puts values in the place of the variables. One of which nothing is known vanishes, with the space before it.
func (d decision) filled(text string) string {
	value := func(name string) string {
		switch name {
		case setting.VarContactName:
			return string(d.s.Name)
		case setting.VarTicketNumber:
			if d.c.Linked != 0 {
				return strconv.FormatInt(d.c.Linked, 10)
			}
			return strconv.FormatInt(d.c.Ticket, 10)
		case setting.VarDepartmentName:
			return d.f.Image.Departments[d.c.Department].Name
		case setting.VarOperatorName:
			return string(d.f.Image.Operators[cmp.Or(d.c.Owner, d.operator())].Name)
		case setting.VarChannelName:
			return d.f.Image.Channels[d.s.Channel].Name
		}
		return ""
	}
	return strings.TrimSpace(setting.FillWhole(text, value))
}

// handOff gives the conversation to the people of a department: the one that the choice names, while there is one of that
// name, else the one that has it.
func (d decision) handOff(choice setting.Choice) []Event {
	department := choice.Department
	if d.departmentOpen(department) != nil {
		department = d.c.Department
	}
	events := append(d.tagged(choice.Tags), d.says(choice.Text, nil)...)
	return append(events, Queued{Department: department, List: d.peoples(department), Cause: CauseHandedOff})
}

// peoples is the list on which a bot leaves a conversation. A bot has none of an import's, so nobody has to say which it was.
func (d decision) peoples(department string) string {
	if list, r := d.list(department); r == nil {
		return list
	}
	return StateWaiting
}

// tagged adds the tags that are missing, as far as there is room.
func (d decision) tagged(tags []string) []Event {
	add := without(tags, d.c.Tags)
	if len(add) == 0 || len(add)+len(d.c.Tags) > MaxTags {
		return nil
	}
	return []Event{Tagged{Tags: add}}
}

// fallSilent closes what the contact has left lying, if nothing was said since.
func (d decision) fallSilent(c FallSilent) ([]Event, *domain.Refusal) {
	if r := d.bots(); r != nil {
		return nil, r
	}
	if d.c.State != StateBot || c.Message != d.c.MessageID(d.c.Messages) || d.c.Bot.Shown != d.c.Messages {
		return nil, nil
	}
	return d.close(Close{Reason: ClosedInactive})
}

// pauseBot silences the bot. Whoever may work on the conversation may, and every machine of the company's.
func (d decision) pauseBot() ([]Event, *domain.Refusal) {
	if r := d.turnsBot(); r != nil {
		return nil, r
	}
	var events []Event
	if !d.s.BotOff {
		events = append(events, BotPaused{})
	}
	if d.c.State == StateBot {
		events = append(events, Queued{Department: d.c.Department, List: d.peoples(d.c.Department), Cause: CauseBotPaused})
	}
	return events, nil
}

// resumeBot lets it speak again: at once in what waits, where the channel has a menu, and in the thread's next conversation.
func (d decision) resumeBot() ([]Event, *domain.Refusal) {
	if r := d.turnsBot(); r != nil {
		return nil, r
	}
	if d.c.Owner != "" {
		return nil, notAllowed(d.c, "Release it first: the bot gets what nobody has.")
	}
	var events []Event
	if d.s.BotOff {
		events = append(events, BotResumed{})
	}
	if d.c.State != StateWaiting && d.c.State != StateOutOfHours {
		return events, nil
	}
	if _, talks := d.f.Image.MenuOf(d.s.Channel); !talks {
		return nil, &domain.Refusal{
			Code: CodeNoMenu, Detail: "The channel has no menu in use for a bot to talk by.", Missing: []string{"menu"}, OnSettings: true,
		}
	}
	return append(events, Queued{Department: d.c.Department, List: StateBot, Cause: CauseBotResumed}), nil
}

// turnsBot refuses who may not turn the bot on and off, and an earlier conversation of the thread.
func (d decision) turnsBot() *domain.Refusal {
	if !d.works() {
		return forbidden("Only its owner, who may take it, or a supervisor turns its bot on and off.")
	}
	if d.c.Number != d.s.Latest {
		return &domain.Refusal{Code: CodeNewerConversation, State: d.c.State, Detail: "A newer conversation of this contact has begun."}
	}
	return nil
}

// pressed refuses a button that was pressed by somebody else than the contact.
func pressed() *domain.Refusal {
	return invalid("Only a contact presses a choice.", "choice")
}
