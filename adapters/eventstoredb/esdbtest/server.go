// Package esdbtest is an EventStoreDB in the test's own process: the parts of the server's gRPC interface that a log needs,
// on the client's own protocol, as the real one answers them. It can be slow, dead, stopped, restored and made to drop
// subscriptions.
//
// What is not there: links and projections, access lists, deletes, scavenging, transactions, persistent subscriptions.
package esdbtest

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Server is one node on a port of the loopback. Its fields are set before the calls that they are for.
type Server struct {
	streams.UnimplementedStreamsServer
	serverfeatures.UnimplementedServerFeaturesServer

	address string
	db      database

	slow   atomic.Int64 // ns before each call
	dead   atomic.Bool
	mute   atomic.Bool // appends do not say where the first of two equal ones is
	leader atomic.Pointer[Server]

	drop  atomic.Pointer[chan struct{}] // closed to end all subscriptions
	asked atomic.Int64
	moved atomic.Int64 // calls that were sent on to the leader

	mu   sync.Mutex
	grpc *grpc.Server
	done chan struct{}
}

// New starts an empty server, and stops it when the test is over.
func New(t testing.TB) *Server {
	t.Helper()
	s := &Server{}
	s.db.grown = make(chan struct{})
	s.db.foreign()
	s.listen(t, "127.0.0.1:0")
	t.Cleanup(s.Stop)
	return s
}

func (s *Server) listen(t testing.TB, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	for tries := 0; err != nil && tries < 100; tries++ { // the port was just let go
		time.Sleep(10 * time.Millisecond)
		listener, err = net.Listen("tcp", address)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.address = listener.Addr().String()
	drop := make(chan struct{})
	s.drop.Store(&drop)
	s.grpc = grpc.NewServer(
		grpc.StreamInterceptor(func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
			if err := s.suffer(stream.Context(), func(m metadata.MD) { stream.SetTrailer(m) }); err != nil {
				return err
			}
			return handle(srv, stream)
		}),
		grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if err := s.suffer(ctx, func(metadata.MD) {}); err != nil {
				return nil, err
			}
			return handle(ctx, req)
		}),
	)
	streams.RegisterStreamsServer(s.grpc, s)
	gossip.RegisterGossipServer(s.grpc, gossiper{server: s})
	serverfeatures.RegisterServerFeaturesServer(s.grpc, s)
	server, done := s.grpc, make(chan struct{})
	s.done = done
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Stop
	}()
}

// Address is host and port.
func (s *Server) Address() string { return s.address }

// URL is the connection string.
func (s *Server) URL() string { return URL(s.address) }

// URL is the connection string for an address, which may be that of a Line.
func URL(address string) string { return fmt.Sprintf("esdb://%s?tls=false", address) }

// Stop ends all calls and connections at once, as a killed server does. What it has acknowledged is kept.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.grpc.Stop()
	<-s.done
}

// Start starts it again, on the same port.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	s.listen(t, s.address)
}

// Drop ends all subscriptions, as a server does that has too much to do.
func (s *Server) Drop() {
	fresh := make(chan struct{})
	close(*s.drop.Swap(&fresh))
}

// Slow makes every call wait first.
func (s *Server) Slow(d time.Duration) { s.slow.Store(int64(d)) }

// Dead lets the server take connections and calls, and answer none.
func (s *Server) Dead(dead bool) { s.dead.Store(dead) }

// Old makes it answer as servers before 22.10 do: a repeated append succeeds without its position.
func (s *Server) Old(old bool) { s.mute.Store(old) }

// Follow makes it a follower: calls that ask for the leader are told where that is.
func (s *Server) Follow(leader *Server) { s.leader.Store(leader) }

// Moved is how many calls were sent on to the leader.
func (s *Server) Moved() int64 { return s.moved.Load() }

// Asked is how many calls there were.
func (s *Server) Asked() int64 { return s.asked.Load() }

// suffer does to a call what was asked for.
func (s *Server) suffer(ctx context.Context, trailer func(metadata.MD)) error {
	s.asked.Add(1)
	if d := time.Duration(s.slow.Load()); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
	if s.dead.Load() {
		<-ctx.Done()
		return status.FromContextError(ctx.Err()).Err()
	}
	asked, _ := metadata.FromIncomingContext(ctx)
	if leader := s.leader.Load(); leader != nil && len(asked.Get("requires-leader")) > 0 {
		s.moved.Add(1)
		host, port, err := net.SplitHostPort(leader.address)
		if err != nil {
			return status.Error(codes.Internal, err.Error())
		}
		trailer(metadata.Pairs("exception", "not-leader", "leader-endpoint-host", host, "leader-endpoint-port", port))
		return status.Error(codes.NotFound, "Leader info available")
	}
	return nil
}

// GetSupportedMethods is what a client asks first.
func (s *Server) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	return &serverfeatures.SupportedMethods{
		EventStoreServerVersion: "24.10.0",
		Methods:                 []*serverfeatures.SupportedMethod{{ServiceName: "event_store.client.streams.streams", MethodName: "batchappend"}},
	}, nil
}
