package main

import (
	"context"

	"github.com/turno-desk/turno/adapters/webhook"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/projections/deliveries"
	"github.com/turno-desk/turno/projections/effects"
)

// webhookFlags say whom outgoing webhooks may go to.
type webhookFlags struct {
	WebhookAllowHTTP    bool `name:"webhook-allow-http" help:"Let subscriptions have an address without TLS: http."`
	WebhookAllowPrivate bool `help:"Let deliveries go to addresses inside the network, and of this machine."`
}

// newDeliveries makes what delivers events to subscriptions.
func newDeliveries(p *program, r *reading, views views, d *desk, flags webhookFlags) *deliveries.Runner {
	runner := deliveries.NewRunner(deliveries.Parts{
		Log: r.store, Views: views, Settings: d.image, Codec: r.codec, Desk: delivering{d, r},
		Caller: webhook.New(webhook.Options{AllowHTTP: flags.WebhookAllowHTTP, AllowPrivate: flags.WebhookAllowPrivate}),
	}, r.workspace, deliveries.Options{Logger: p.log, Observe: p.meters.Deliveries()})
	p.meters.Pending(runner.Standing)
	return runner
}

// delivering is deliveries.Desk over the command handlers and the vault.
type delivering struct {
	*desk
	r *reading
}

func (d delivering) Secret(ctx context.Context, subscription, fingerprint string) ([]byte, error) {
	return d.r.vault.Secret(ctx, command.SecretName(subscription, fingerprint))
}

func (d delivering) Stop(ctx context.Context, subscription, url string) error {
	req := command.Request{Workspace: d.r.workspace, Principal: "effect:" + deliveries.Name, Actor: effects.Actor(deliveries.Name)}
	_, err := d.settings.StopSubscription(ctx, req, subscription, url)
	return err
}
