package metric

var kindNames = [...]string{
	Received: "received", Outbound: "outbound", Reopened: "reopened", Taken: "taken", Released: "released", TransferOut: "transfer_out",
	TransferIn: "transfer_in", MessageIn: "message_in", MessageOut: "message_out", FirstResponse: "first_response",
	FirstResponseFromTake: "first_response_from_take", Reply: "reply", OwnReply: "own_reply", Unanswered: "unanswered", Wait: "wait",
	WaitFirst: "wait_first", WaitTotal: "wait_total", FirstAssignment: "first_assignment", Attending: "attending",
	Unattended: "unattended", Pause: "pause", Handle: "handle", HandleConversation: "handle_conversation", Episode: "episode",
	CustomerWaiting: "customer_waiting", Abandoned: "abandoned", OwnedAtClose: "owned_at_close", OneTouch: "one_touch",
	Rating: "rating", Satisfied: "satisfied", Available: "available", Away: "away", OutOfHours: "out_of_hours",
	Offered: "offered", OfferMissed: "offer_missed", OfferLost: "offer_lost", OfferDeclined: "offer_declined", Surveyed: "survey",
	Bot: "bot", Contained: "contained", HandedOff: "handed_off", HandedOver: "handed_over", FirstResponseFromHandOff: "first_response_from_hand_off",
}

// String is the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}
