package http

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/thread"
)

// act is the handler of one action on one conversation.
func (s *Server) act(a action) func(*call) error {
	return func(c *call) error {
		data, err := readBody(c.Context)
		if err != nil {
			return err
		}
		cmd, err := a.decode(data)
		if err != nil {
			return err
		}
		id, err := c.conversation()
		if err != nil {
			return err
		}
		r, err := c.request(cmd)
		if err != nil {
			return err
		}
		if cmd, err = s.written(c, id, cmd); err != nil {
			if earlier, done := s.sent(c, r, id); done {
				return s.answer(c, http.StatusOK, earlier)
			}
			return err
		}
		result, err := s.doing(c.ctx(), a.name, func(ctx context.Context) (command.Result, error) {
			return s.Conversations.Do(ctx, r, id, cmd)
		})
		if err != nil {
			return err
		}
		return s.answer(c, http.StatusOK, result)
	}
}

// conversation is the path's id, which must be able to be one.
func (c *call) conversation() (string, error) {
	id := c.Param("id")
	if _, _, ok := thread.SplitConversationID(id); !ok {
		return "", notFound()
	}
	return id, nil
}

type inboundBody struct {
	MessageID string `json:"message_id"`
	From      struct {
		Address    string `json:"address"`
		Name       string `json:"name"`
		ExternalID string `json:"external_id"`
		IP         string `json:"ip"`
	} `json:"from"`
	thread.Content
	SentAt *time.Time `json:"sent_at"`
}

// receive takes in a message of a contact.
func (s *Server) receive(c *call) error {
	var b inboundBody
	if err := c.bind(&b); err != nil {
		return err
	}
	in, err := b.inbound(c.Param("channel"))
	if err != nil {
		return err
	}
	r, err := c.request(b)
	if err != nil {
		return err
	}
	r.Actor = domain.Actor{Kind: domain.ActorContact, Via: c.who.Principal}
	result, err := s.doing(c.ctx(), "receive", func(ctx context.Context) (command.Result, error) { return s.Conversations.Receive(ctx, r, in) })
	if err != nil {
		return err
	}
	return s.answer(c, http.StatusAccepted, result)
}

func (b inboundBody) inbound(channel string) (command.Inbound, error) {
	if !domain.ValidID(channel) {
		return command.Inbound{}, notFound()
	}
	if b.From.Address == "" {
		return command.Inbound{}, missing("from.address")
	}
	content, err := complete(b.Content)
	return command.Inbound{
		Channel: channel, Address: b.From.Address, Name: b.From.Name, ExternalID: b.From.ExternalID, IP: b.From.IP, MessageID: b.MessageID,
		Content: content, SentAt: instant(b.SentAt),
	}, err
}

type outboundBody struct {
	Channel    string `json:"channel"`
	Address    string `json:"address"`
	Contact    string `json:"contact"`
	Name       string `json:"name"`
	Department string `json:"department"`
	Template   string `json:"template"` // instead of a text
	thread.Content
}

// open begins a conversation with a message of ours.
func (s *Server) open(c *call) error {
	var b outboundBody
	if err := c.bind(&b); err != nil {
		return err
	}
	out, err := s.outbound(c, b)
	if err != nil {
		return err
	}
	r, err := c.request(b)
	if err != nil {
		return err
	}
	result, err := s.doing(c.ctx(), "open", func(ctx context.Context) (command.Result, error) { return s.Conversations.Open(ctx, r, out) })
	if err != nil {
		return err
	}
	return s.answer(c, http.StatusCreated, result)
}

// outbound finds the address of a contact that is named by its id.
func (s *Server) outbound(c *call, b outboundBody) (command.Outbound, error) {
	if b.Template != "" {
		var err error
		if b.Content, err = s.firstWords(c, b); err != nil {
			return command.Outbound{}, err
		}
	}
	content, err := complete(b.Content)
	if err != nil {
		return command.Outbound{}, err
	}
	out := command.Outbound{Channel: b.Channel, Address: b.Address, Name: b.Name, Department: b.Department, Content: content}
	switch {
	case b.Channel == "":
		return out, missing("channel")
	case b.Address != "" && b.Contact != "":
		return out, invalid("contact", "Give an address or a contact, not both.")
	case b.Address == "" && b.Contact == "":
		return out, missing("address")
	case b.Address != "":
		return out, nil
	case !domain.ValidID(b.Contact):
		return out, invalid("contact", "This is no id.")
	}
	contact, _, found, err := s.Directory.Contact(c.ctx(), s.workspace, b.Contact)
	if err != nil {
		return out, err
	}
	for _, i := range contact.Identities {
		own := i.Contact == b.Contact || i.Contact == "" && contact.ID == b.Contact
		if i.Channel == b.Channel && (out.Address == "" || own) { // of several that were merged, the one that was named
			out.Address = i.Address
		}
	}
	if found && out.Address != "" {
		return out, nil
	}
	return out, &Problem{Status: http.StatusUnprocessableEntity, Code: "no_address", Field: "contact", Detail: "There is no address of this contact on this channel."}
}

// kindOfMedia says which kind of message an attachment makes.
func kindOfMedia(mediaType string) thread.Kind {
	t, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return thread.KindDocument
	}
	switch kind, _, _ := strings.Cut(t, "/"); kind {
	case "image":
		return thread.KindImage
	case "audio":
		return thread.KindAudio
	case "video":
		return thread.KindVideo
	}
	return thread.KindDocument
}
