package metric

import "github.com/turno-desk/turno/domain/thread"

// apart: ignored and superseded closes are counted apart from every other.
func apart(s *Sample) bool {
	return s.Detail == string(thread.ClosedIgnored) || s.Detail == string(thread.ClosedSuperseded)
}

func ended(s *Sample) bool { return s.Kind != Episode || !apart(s) }

func detail(want ...string) func(*Sample) bool {
	return func(s *Sample) bool {
		for _, w := range want {
			if s.Detail == w {
				return true
			}
		}
		return false
	}
}

const (
	wall   = "wall"
	none   = "none"
	theEnd = "the end event"
	inside = "every period that the span reaches into, the part inside it"
)

var catalogue = []Definition{
	{
		Name: "received", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the department and channel of the opening; no operator",
		Formula: "conversations opened by a customer", Details: "new, returning: whether it is the thread's first conversation",
		shape: counted, kinds: []Kind{Received},
	}, {
		Name: "outbound", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator who opened it, and the department", Actors: true,
		Formula: "conversations opened by us; not among the received",
		shape:   counted, kinds: []Kind{Outbound},
	}, {
		Name: "reopened", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator who reopened it, if one did, and the department",
		Formula: "closed conversations that went on under their number", Details: "by whom: contact, operator, transfer",
		shape: counted, kinds: []Kind{Reopened},
	}, {
		Name: "offered", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "each operator who was asked, and the department",
		Formula: "offers of a waiting conversation to an operator, by the department's rule or by a transfer that must be accepted; the common list is no offer",
		shape:   counted, kinds: []Kind{Offered},
	}, {
		Name: "missed", Version: 1, Unit: Count, Clock: none, Cohort: "the end of the offer's time", Attribution: "the operator who was asked, and the department",
		Formula: "of `offered`, those whose time was over before anybody took the conversation; who took it later has missed the offer all the same",
		shape:   counted, kinds: []Kind{OfferMissed},
	}, {
		Name: "lost_to_another", Version: 1, Unit: Count, Clock: none, Cohort: "the take", Attribution: "the operator who was asked and did not get it, and the department",
		Formula: "of `offered`, those whose conversation somebody else got while the operator had time to answer",
		shape:   counted, kinds: []Kind{OfferLost},
	}, {
		Name: "declined", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator who declined, and the department",
		Formula: "of `offered`, those that the operator declined in time",
		shape:   counted, kinds: []Kind{OfferDeclined},
	}, {
		Name: "taken", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator who has it from then on, and the department",
		Formula: "times that an operator became the owner, in whatever way", Details: "how: manual, reply, assigned, transfer, taken_over, outbound, reopened; by a rule: automatic, sticky, direct, dedicated",
		shape: counted, kinds: []Kind{Taken},
	}, {
		Name: "assigned", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator who has it from then on, and the department",
		Formula: "of `taken`, those that somebody else decided: a supervisor's assignment, or a transfer that named the operator", Details: "how: assigned, transfer",
		shape: counted, kinds: []Kind{Taken}, keep: detail(string(thread.TakenAssigned), string(thread.TakenTransfer)),
	}, {
		Name: "assigned", Version: 2, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator who has it from then on, and the department",
		Formula: "of `taken`, those that the operator did not decide: a rule's assignment, a supervisor's, or a transfer that named the operator",
		Details: "how: by a person assigned, transfer; by a rule automatic, sticky, direct, dedicated",
		shape:   counted, kinds: []Kind{Taken}, keep: detail(string(thread.TakenAssigned), string(thread.TakenTransfer), string(thread.TakenByRule),
			string(thread.TakenSticky), string(thread.TakenDirect), string(thread.TakenDedicated)),
	}, {
		Name: "unassigned", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator who lost it, and the department",
		Formula: "releases of an open conversation from its owner, transfers apart", Details: "cause: manual, by_supervisor, taken_over, assigned, unattended, deactivated, left_department",
		shape: counted, kinds: []Kind{Released},
	}, {
		Name: "time_to_first_assignment", Version: 1, Unit: Seconds, Clock: wall, Cohort: theEnd, Attribution: "the operator who got it, and the department", Pauses: true,
		Formula: "from the opening (or the reopening by the contact) to the episode's first owner; outbound ones and those that an operator reopened have none",
		shape:   timed, kinds: []Kind{FirstAssignment},
	}, {
		Name: "wait", Version: 1, Unit: Seconds, Clock: wall, Cohort: theEnd, Attribution: "the department that it waited in, and the operator who ended it by having it", Pauses: true,
		Formula: "per queue entry: from entering waiting or out of hours to leaving it; several per conversation", Details: "how it ended: take (a rule's assignment too), assignment (a supervisor's), transfer, abandonment, close, bot",
		shape: timed, kinds: []Kind{Wait}, calls: map[string]string{byRule: "take"},
	}, {
		Name: "wait", Version: 2, Unit: Seconds, Clock: wall, Cohort: theEnd, Attribution: "the department that it waited in, and the operator who ended it by having it", Pauses: true,
		Formula: "per queue entry: from entering waiting or out of hours to leaving it; several per conversation",
		Details: "how it ended: take, assignment (a rule's or a supervisor's), transfer, abandonment, close, bot",
		shape:   timed, kinds: []Kind{Wait}, calls: map[string]string{byRule: "assignment"},
	}, {
		Name: "wait_first", Version: 1, Unit: Seconds, Clock: wall, Cohort: theEnd, Attribution: "as `wait`", Pauses: true,
		Formula: "of `wait`, the first queue entry of each episode", Details: "as `wait` of version 1",
		shape: timed, kinds: []Kind{WaitFirst}, calls: map[string]string{byRule: "take"},
	}, {
		Name: "wait_first", Version: 2, Unit: Seconds, Clock: wall, Cohort: theEnd, Attribution: "as `wait`", Pauses: true,
		Formula: "of `wait`, the first queue entry of each episode", Details: "as `wait` of version 2",
		shape: timed, kinds: []Kind{WaitFirst}, calls: map[string]string{byRule: "assignment"},
	}, {
		Name: "wait_total", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the close", Attribution: "the actor of the close, and the department that had it", Pauses: true,
		Formula: "the sum of an episode's queue entries; none for an episode that never queued", Details: "the close's reason",
		shape: timed, kinds: []Kind{WaitTotal},
	}, {
		Name: "abandoned", Version: 1, Unit: Count, Clock: none, Cohort: "the close", Attribution: "the department that it waited in; no operator",
		Formula: "closed while it queued and before any public human message of the episode; ignored, superseded and outbound ones excluded",
		shape:   counted, kinds: []Kind{Abandoned},
	}, {
		Name: "contained", Version: 1, Unit: Count, Clock: none, Cohort: "the close", Attribution: "the department that it was in; no operator",
		Formula: "episodes that a customer began and the bot closed, in which nobody was ever owed a person or wrote; ignored and superseded ones excluded", Details: "the close's reason: resolved, or inactive when the customer fell silent",
		shape: counted, kinds: []Kind{Contained},
	}, {
		Name: "handed_off", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the department that got it; no operator",
		Formula: "times that a conversation went from the bot to a department's list, transfers apart", Details: "cause: handed_off by a choice, a wish or wrong answers; bot_paused",
		shape: counted, kinds: []Kind{HandedOff},
	}, {
		Name: "bot_time", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the end of the span", Attribution: "the department that it was in; no operator",
		Formula: "one sample for each time that the bot had a conversation; no part of a wait",
		shape:   timed, kinds: []Kind{Bot},
	}, {
		Name: "first_response_from_hand_off", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the reply", Attribution: "who replied, and the department that had it", Pauses: true,
		Formula: "of `first_response`, those of conversations that a bot had: from the last time that it left the bot for a list",
		shape:   timed, kinds: []Kind{FirstResponseFromHandOff},
	}, {
		Name: "first_response", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the reply", Attribution: "who replied, and the department that had it", Pauses: true,
		Formula: "the first customer message of the episode to the first public human message; notes, bots and automatic messages don't count; outbound ones have none; a reopening starts a new one",
		shape:   timed, kinds: []Kind{FirstResponse},
	}, {
		Name: "first_response_from_take", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the reply", Attribution: "who replied, and the department that had it", Pauses: true,
		Formula: "one sample per take or assignment: from it to that operator's own next public message while still the owner; the take of an outbound one has none",
		shape:   timed, kinds: []Kind{FirstResponseFromTake},
	}, {
		Name: "reply_time", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the reply", Attribution: "who replied, and the department that had it", Pauses: true,
		Formula: "for each run of unanswered customer messages: its first message to the next public human message; a second customer message does not restart it",
		shape:   timed, kinds: []Kind{Reply},
	}, {
		Name: "own_reply_time", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the reply", Attribution: "who replied, being the owner, and the department", Pauses: true,
		Formula: "as `reply_time`, from the later of the run's start and the operator's own take",
		shape:   timed, kinds: []Kind{OwnReply},
	}, {
		Name: "unanswered", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the close", Attribution: "the actor of the close, and the department that had it", Pauses: true,
		Formula: "runs of customer messages that the close ended, from their first message; ignored and superseded ones excluded", Details: "the close's reason",
		shape: timed, kinds: []Kind{Unanswered},
	}, {
		Name: "customer_waiting", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the close", Attribution: "the actor of the close, and the department that had it", Pauses: true,
		Formula: "per episode, the sum of all runs of unanswered customer messages, one that the close ended included; none where the customer never wrote; ignored and superseded ones excluded", Details: "the close's reason",
		shape: timed, kinds: []Kind{CustomerWaiting},
	}, {
		Name: "handle", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the event by which the operator last lost it", Attribution: "that operator, and the department that had it",
		Formula: "one sample per conversation and operator: the time that they attended it, pauses, waits and unattended time excluded",
		shape:   timed, kinds: []Kind{Handle},
	}, {
		Name: "handle_conversation", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the last close", Attribution: "the actor of the close, and the department that had it",
		Formula: "one sample per conversation that somebody attended: the handle time of all its operators", Details: "the close's reason",
		shape: timed, kinds: []Kind{HandleConversation},
	}, {
		Name: "unattended", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the end of the attending span", Attribution: "the owner, and the department that had it",
		Formula: "of an attending span, the time between a `disconnected` and the next `connected` of its owner",
		shape:   timed, kinds: []Kind{Unattended},
	}, {
		Name: "paused", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the end of the pause", Attribution: "the owner, and the department that had it",
		Formula: "one sample per pause: n is the number of pauses, the sum the paused time",
		shape:   timed, kinds: []Kind{Pause},
	}, {
		Name: "resolution", Version: 1, Unit: Seconds, Clock: wall, Cohort: "the close", Attribution: "the actor of the close, and the department that had it", Pauses: true,
		Formula: "per episode, from the opening or reopening to the close; without paused time it is the net one; ignored and superseded ones excluded", Details: "the close's reason",
		shape: timed, kinds: []Kind{Episode}, keep: ended,
	}, {
		Name: "closed", Version: 1, Unit: Count, Clock: none, Cohort: "the close", Attribution: "the actor of the close, and the department that had it", Actors: true,
		Formula: "closes; ignored and superseded ones excluded; a customer is no machine", Details: "the close's reason",
		shape: counted, kinds: []Kind{Episode}, keep: ended,
	}, {
		Name: "closed_state", Version: 1, Unit: Count, Clock: none, Cohort: "the period's end", Attribution: "the actor of the last close, and the department that had it",
		Formula: "conversations closed in the period and not reopened before its end; ignored and superseded ones excluded", Details: "the close's reason",
		shape: lastClosed, kinds: []Kind{Episode, Reopened}, keep: ended,
	}, {
		Name: "ignored", Version: 1, Unit: Count, Clock: none, Cohort: "the close", Attribution: "the actor of the close, and the department that had it",
		Formula: "conversations that were closed as ignored",
		shape:   counted, kinds: []Kind{Episode}, keep: detail(string(thread.ClosedIgnored)),
	}, {
		Name: "superseded", Version: 1, Unit: Count, Clock: none, Cohort: "the close", Attribution: "the actor of the close, and the department that had it",
		Formula: "conversations that were closed because another thread of the same person goes on",
		shape:   counted, kinds: []Kind{Episode}, keep: detail(string(thread.ClosedSuperseded)),
	}, {
		Name: "owned_at_close", Version: 1, Unit: Count, Clock: none, Cohort: "the close", Attribution: "the owner at the close, and the department",
		Formula: "distinct conversations that were closed while the operator owned them, whoever closed; ignored and superseded ones excluded", Details: "the close's reason",
		shape: distinct, kinds: []Kind{OwnedAtClose},
	}, {
		Name: "participated", Version: 1, Unit: Count, Clock: none, Cohort: "the message", Attribution: "who wrote, and the department that had it",
		Formula: "distinct conversations with a public human message of the operator in the period", Details: "the sender: human, other_device",
		shape: distinct, kinds: []Kind{MessageOut}, keep: func(s *Sample) bool { return !s.Machine },
	}, {
		Name: "attended", Version: 1, Unit: Count, Clock: none, Cohort: inside, Attribution: "the owner, and the department that had it",
		Formula: "distinct conversations that the operator attended within the period, also in silence",
		shape:   touched, kinds: []Kind{Attending},
	}, {
		Name: "one_touch", Version: 1, Unit: Ratio, Clock: none, Cohort: "the last close", Attribution: "the actor of the close, and the department that had it",
		Formula: "conversations closed with exactly one public human message, over those closed; ignored and superseded ones excluded; the sum is how many, the mean their share", Details: "the close's reason",
		shape: shared, kinds: []Kind{OneTouch},
	}, {
		Name: "transfers_out", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the operator and the department that it left",
		Formula: "transfers to a department or an operator", Details: "whether it named one: department, operator",
		shape: counted, kinds: []Kind{TransferOut},
	}, {
		Name: "transfers_in", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "the department always, the operator only when named",
		Formula: "transfers to a department or an operator", Details: "whether it named one: department, operator",
		shape: counted, kinds: []Kind{TransferIn},
	}, {
		Name: "messages_in", Version: 1, Unit: Count, Clock: none, Cohort: "the message", Attribution: "the owner at that moment, and the department that had it",
		Formula: "messages of the contact; answers to a survey are ratings",
		shape:   counted, kinds: []Kind{MessageIn},
	}, {
		Name: "messages_out", Version: 1, Unit: Count, Clock: none, Cohort: "the message", Attribution: "who wrote, and the department that had it", Actors: true,
		Formula: "messages to the contact; notes are none, and invitations to a survey are surveys", Details: "the sender: human, other_device, machine",
		shape: counted, kinds: []Kind{MessageOut},
	}, {
		Name: "backlog", Version: 1, Unit: Count, Clock: none, Cohort: "the period's end", Attribution: "the owner at that instant, and the department that had it", Details: "waiting (out of hours too), attending, paused, bot",
		Formula: "conversations open at the instant at which the period ends; an instant that has not come is answered as of the report's now",
		shape:   stocked, kinds: []Kind{Wait, Attending, Pause, Bot},
	}, {
		Name: "backlog_flow", Version: 1, Unit: Count, Clock: none, Cohort: theEnd, Attribution: "of each event, its own",
		Formula: "received + outbound + transferred in + handed off to it + reopened, less closed (for whatever reason), transferred out and handed over by a bot; n is how many events, the sum the difference, which is that of `backlog`",
		shape:   flowed, kinds: []Kind{Received, Outbound, Reopened, TransferIn, HandedOff, Episode, TransferOut, HandedOver},
	}, {
		Name: "concurrency", Version: 1, Unit: Count, Clock: wall, Cohort: inside, Attribution: "the owner, and the department that had it",
		Formula: "conversations attended at once: the mean, weighted by time, while at least one was attended, and the maximum; n is how many conversations",
		shape:   together, kinds: []Kind{Attending},
	}, {
		Name: "connected", Version: 1, Unit: Seconds, Clock: wall, Cohort: inside, Attribution: "the operator",
		Formula: "time between `connected` and `disconnected`; n is how many operators, the mean that of an operator",
		shape:   connected, kinds: []Kind{Available, Away},
	}, {
		Name: "available", Version: 1, Unit: Seconds, Clock: wall, Cohort: inside, Attribution: "the operator",
		Formula: "of `connected`, the time in which the operator took new conversations",
		shape:   available, kinds: []Kind{Available, Away},
	}, {
		Name: "away", Version: 1, Unit: Seconds, Clock: wall, Cohort: inside, Attribution: "the operator",
		Formula: "of `connected`, the time in which the operator took none: connected less available",
		shape:   away, kinds: []Kind{Available, Away},
	}, {
		Name: "occupied", Version: 1, Unit: Seconds, Clock: wall, Cohort: inside, Attribution: "the operator",
		Formula: "of `connected`, the time in which the operator attended at least one conversation",
		shape:   occupied, kinds: []Kind{Available, Away, Attending},
	}, {
		Name: "idle", Version: 1, Unit: Seconds, Clock: wall, Cohort: inside, Attribution: "the operator",
		Formula: "connected less occupied",
		shape:   idle, kinds: []Kind{Available, Away, Attending},
	}, {
		Name: "occupancy", Version: 1, Unit: Ratio, Clock: wall, Cohort: inside, Attribution: "the operator",
		Formula: "the length of the union of attending spans within available time, over available time; of a team the sums of both; n is how many operators were available",
		shape:   occupancied, kinds: []Kind{Available, Attending},
	}, {
		Name: "satisfaction", Version: 1, Unit: Score, Clock: none, Cohort: "the rating", Attribution: "the human owner at the close; without one, the last person who wrote; else the department",
		Formula: "ratings from 1 to 5: mean, distribution, and share of 4 and 5; a second rating replaces the first",
		shape:   scored, kinds: []Kind{Rating},
	}, {
		Name: "satisfaction_yes", Version: 1, Unit: Ratio, Clock: none, Cohort: "the rating", Attribution: "as `satisfaction`",
		Formula: "ratings by yes or no: the sum is how many yes, the mean their share; never mixed with those from 1 to 5",
		shape:   shared, kinds: []Kind{Satisfied},
	}, {
		Name: "surveys", Version: 1, Unit: Count, Clock: none, Cohort: "the sending", Attribution: "as `satisfaction`, as of the sending",
		Formula: "surveys that were accepted, answered or not", Details: "the scale: 1-5, yes_no",
		shape: counted, kinds: []Kind{Surveyed},
	}, {
		Name: "response_rate", Version: 1, Unit: Ratio, Clock: none, Cohort: "the sending", Attribution: "as `satisfaction`, as of the sending",
		Formula: "answered surveys over those that were accepted; only of surveys that have expired at the report's now; the sum is how many were answered, the mean their share", Details: "the scale: 1-5, yes_no",
		shape: responded, kinds: []Kind{Surveyed},
	},
}
