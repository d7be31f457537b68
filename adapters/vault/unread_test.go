package vault

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/turno-desk/turno/adapters/codec"
	"github.com/turno-desk/turno/api/command"
)

// unread is a stream whose server answers some reads by subject as though there were nothing: so does nats-server where it
// can't open a file of its own.
type unread struct {
	jetstream.Stream
	next int // so many
}

func (u *unread) GetLastMsgForSubject(ctx context.Context, subject string) (*jetstream.RawStreamMsg, error) {
	if u.next > 0 {
		u.next--
		return nil, jetstream.ErrMsgNotFound
	}
	return u.Stream.GetLastMsgForSubject(ctx, subject)
}

func TestAKeyThatTheServerDoesNotReadIsNotTakenForADestroyedOne(t *testing.T) {
	js, master := runServer(t, t.TempDir()), masterKey()
	id, err := openVault(t, js, Options{MasterKey: master}).NewKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v := openVault(t, js, Options{MasterKey: master})
	s := v.keep.(*stream)
	u := &unread{Stream: s.s}
	s.s = u

	u.next = 100
	if _, err := v.Key(t.Context(), id); !errors.Is(err, command.ErrUnavailable) || errors.Is(err, codec.ErrNoKey) {
		t.Errorf("a key that the server does not read: %v, want ErrUnavailable", err)
	}
	if err := v.DestroyKey(t.Context(), id); !errors.Is(err, command.ErrUnavailable) {
		t.Errorf("its destruction: %v, want ErrUnavailable", err)
	}
	u.next = 1
	if key, err := v.Key(t.Context(), id); err != nil || len(key) == 0 {
		t.Errorf("a key that the server reads again: %d bytes, %v", len(key), err)
	}
	u.next = 0
	if err := v.DestroyKey(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := openVault(t, js, Options{MasterKey: master}).Key(t.Context(), id); !errors.Is(err, codec.ErrNoKey) {
		t.Errorf("a destroyed key: %v, want ErrNoKey", err)
	}
}
