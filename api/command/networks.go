package command

import (
	"context"
	"net/netip"
	"time"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/contact"
	"github.com/turno-desk/turno/domain/identity"
	"github.com/turno-desk/turno/domain/thread"
)

// networkOf is what is blocked of an IP address: an IPv4 address itself, and of an IPv6 one its /64, within which a device changes
// its own as it likes.
func networkOf(ip string) (string, bool) {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return "", false
	}
	if a = a.Unmap().WithZone(""); a.Is4() {
		return a.String(), true
	}
	return netip.PrefixFrom(a, 64).Masked().String(), true
}

// network is the keyed hash of the network address that a message came from, and whether that is blocked on its channel. What is blocked
// claims no address: a refusal then, unless the message may have been taken in before.
func (e *Engine) network(ctx context.Context, req Request, in Inbound) (hash string, barred bool, err error) {
	address, ok := networkOf(in.IP)
	if !ok {
		return "", false, nil
	}
	hash = e.o.Hasher.Hash(req.Workspace, in.Channel, "network", address)
	s, _, _, err := e.loadIdentity(ctx, domain.Aggregate{Workspace: req.Workspace, Category: domain.CategoryIdentity, ID: hash})
	if err != nil || len(s.Barred) == 0 {
		return hash, false, err
	}
	if _, found, err := e.lookUp(ctx, e.identityOf(req.Workspace, in.Channel, in.Address)); err != nil || found {
		return hash, true, err
	}
	return hash, true, &domain.Refusal{Code: thread.CodeNetworkBlocked, Detail: "The network address is blocked on this channel: nothing is taken in from it."}
}

// BlockNetwork blocks the contact and the network address that it, or one that is merged into it, wrote from last: nothing more is
// taken in from there on that channel, whoever writes. The same call again finishes what a failure left undone.
func (c *Contacts) BlockNetwork(ctx context.Context, req Request, id string, reason domain.Personal) (SettingResult, error) {
	if err := c.exists(ctx, id); err != nil {
		return SettingResult{}, err
	}
	s, err := c.load(ctx, id)
	if err != nil {
		return SettingResult{}, err
	}
	seen, err := c.networkSeen(ctx, append([]string{id}, s.Order...))
	if err != nil {
		return SettingResult{}, err
	}
	if seen.Network == "" {
		return SettingResult{}, &domain.Refusal{Code: contact.CodeNoNetwork, Detail: "Nothing that this contact wrote came with an IP address."}
	}
	result, err := c.change(ctx, req, id, "block", func(s contact.State) ([]contact.Event, *domain.Refusal) {
		return contact.DecideBlockNetwork(s, seen, reason)
	})
	if err != nil {
		return result, err
	}
	return result, c.onNetwork(ctx, req, seen, "bar", func(s identity.State) []identity.Event {
		return identity.DecideBar(s, seen.Channel, id)
	})
}

// unbar takes back what is blocked on account of a contact.
func (c *Contacts) unbar(ctx context.Context, req Request, id string, networks []contact.NetworkBlocked) error {
	for _, n := range networks {
		err := c.onNetwork(ctx, req, n, "unbar", func(s identity.State) []identity.Event { return identity.DecideUnbar(s, n.Channel, id) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Contacts) onNetwork(ctx context.Context, req Request, n contact.NetworkBlocked, action string, decide func(identity.State) []identity.Event) error {
	_, err := change(ctx, c.w, edit[identity.State]{
		req: part(req), action: action, tail: true,
		aggregate: domain.Aggregate{Workspace: c.o.Image.workspace, Category: domain.CategoryIdentity, ID: n.Network},
		evolve:    evolveIdentity,
		decide:    func(s *identity.State, _ time.Time) ([]domain.Event, error) { return events(decide(*s), nil) },
	})
	return err
}

func evolveIdentity(s *identity.State, c *domain.Commit) {
	for _, e := range c.Events {
		if e, ok := e.(identity.Event); ok {
			*s = s.Evolve(e)
		}
	}
}

// networkSeen is the network address that the newest message of the contacts with one came from; empty for none.
func (c *Contacts) networkSeen(ctx context.Context, ids []string) (contact.NetworkBlocked, error) {
	var newest contact.NetworkBlocked
	at := domain.Position(0)
	for _, id := range ids {
		threadID, _ := contact.Thread(id)
		a := domain.Aggregate{Workspace: c.o.Image.workspace, Category: domain.CategoryThread, ID: threadID}
		_, _, err := c.o.Log.Load(ctx, a, 0, func(commit *domain.Commit) bool { // from the newest commit back
			for _, e := range commit.Events {
				if e, ok := e.(thread.NetworkSeen); ok {
					if commit.Position > at {
						newest, at = contact.NetworkBlocked{Channel: commit.Channel, Network: e.Network}, commit.Position
					}
					return true
				}
			}
			return false
		})
		if err != nil {
			return newest, err
		}
	}
	return newest, nil
}
