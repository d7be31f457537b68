package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/adapters/jetstream"
	"github.com/turno-desk/turno/adapters/vault"
	"github.com/turno-desk/turno/api/command"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/department"
	"github.com/turno-desk/turno/domain/operator"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
)

const workspace = "default"

// world is an engine on a log of its own.
type world struct {
	server *jetstream.Server // nil when the log is elsewhere
	conn   *nats.Conn
	vault  *vault.Vault
	codec  *codec.Codec
	store  *jetstream.Store
	image  *command.Image
	engine *command.Engine
	stop   context.CancelFunc
	ended  chan struct{}
}

// host opens an engine on an embedded log in dir.
func host(ctx context.Context, dir string, sync jetstream.Sync) (*world, error) {
	server, err := jetstream.Host(ctx, jetstream.HostConfig{Dir: dir, Sync: sync})
	if err != nil {
		return nil, err
	}
	conn, err := server.Connect()
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	master, err := vault.LoadMasterKey(filepath.Join(dir, "master.key"))
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	w, err := on(ctx, conn, master, jetstream.Options{Host: server})
	if err != nil {
		return nil, errors.Join(err, server.Close())
	}
	w.server = server
	return w, nil
}

// on opens an engine on a connection, which it closes in the end.
func on(ctx context.Context, conn *nats.Conn, master []byte, o jetstream.Options) (*world, error) {
	js, err := natsjs.New(conn)
	if err != nil {
		return nil, err
	}
	w := &world{conn: conn, ended: make(chan struct{})}
	if w.vault, err = vault.Open(ctx, js, vault.Options{Workspace: workspace, MasterKey: master, Replicas: o.Replicas}); err != nil {
		return nil, err
	}
	w.codec = codec.New(w.vault)
	if w.store, err = jetstream.Open(ctx, conn, w.codec, o); err != nil {
		return nil, err
	}
	w.image = command.NewImage(w.store, workspace, command.ImageOptions{})
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	w.stop = stop
	go func() {
		defer close(w.ended)
		_ = w.image.Run(running) // ends with its context, without an error
	}()
	w.engine = w.another()
	return w, nil
}

// another is an engine on the same log that remembers nothing yet.
func (w *world) another() *command.Engine {
	return command.NewEngine(command.Options{
		Log: w.store, Image: w.image, Keys: w.vault, Hasher: w.vault, Numbers: command.NewNumbers(w.store, workspace, nil), Cached: 200_000,
	})
}

func (w *world) close() error {
	w.stop()
	<-w.ended
	err := w.store.Close()
	w.vault.Close()
	w.conn.Close()
	if w.server != nil {
		err = errors.Join(err, w.server.Close())
	}
	return err
}

// desk makes a department, a channel and n operators op-0 … of it.
func (w *world) desk(ctx context.Context, n int) error {
	put := func(category domain.Category, id string, ev domain.Event) error {
		now := time.Now().UTC().Truncate(time.Millisecond)
		key := ""
		if category == domain.CategoryOperator {
			var err error
			if key, err = w.vault.NewKey(ctx); err != nil {
				return err
			}
		}
		_, _, err := w.store.Append(ctx, domain.Commit{
			ID: "bench-" + string(category) + "-" + strings.ReplaceAll(id, ".", "-"), Recorded: now, Time: now, Origin: domain.OriginLive, Key: key,
			Aggregate: domain.Aggregate{Workspace: workspace, Category: category, ID: id},
			Actor:     domain.Actor{Kind: domain.ActorAdmin}, Events: []domain.Event{ev},
		}, 0)
		return err
	}
	err := errors.Join(
		put(domain.CategoryDepartment, "bench", department.Created{Definition: department.Definition{ID: "bench", Name: "Bench"}}),
		put(domain.CategorySetting, "channel.bench", setting.ChannelCreated{
			Channel: setting.Channel{ID: "bench", Type: "generic", Name: "Bench", Department: "bench"}}))
	for i := range n {
		id := operatorID(i)
		err = errors.Join(err, put(domain.CategoryOperator, id, operator.Registered{Definition: operator.Definition{
			ID: id, Name: domain.Personal("Operator " + id), Role: operator.RoleOperator, Departments: []string{"bench"}, Active: true,
		}}))
	}
	if err != nil {
		return fmt.Errorf("set the bench's desk up: %w", err)
	}
	return w.image.Refresh(ctx)
}

func operatorID(i int) string { return fmt.Sprintf("op-%d", i) }

// The lines that benches say: about as long as people's.
var lines = []string{
	"Hello, I would like to know where my order is, please.",
	"Good morning! I am looking into it right now, one moment.",
	"It says that it should have been delivered yesterday, but nothing came.",
	"I see. The carrier reports a delay of one day; you should have it tomorrow before noon.",
	"Thank you.",
}

func text(i int) thread.Content {
	return thread.Content{Kind: thread.KindText, Text: domain.Personal(lines[i%len(lines)])}
}

func byContact() command.Request {
	return command.Request{Workspace: workspace, Principal: "service:bench", Actor: domain.Actor{Kind: domain.ActorContact}}
}

func byOperator(i int) command.Request {
	id := operatorID(i)
	return command.Request{Workspace: workspace, Principal: "operator:" + id, Actor: domain.Actor{Kind: domain.ActorOperator, ID: id}}
}

func inbound(address, id string, i int) command.Inbound {
	return command.Inbound{Channel: "bench", Address: address, Name: "Customer " + address, MessageID: id, Content: text(i)}
}
