package esdbtest

import (
	"context"
	"net"
	"strconv"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// gossiper tells who the servers are. It is a type of its own: Streams and Gossip both have a Read.
type gossiper struct {
	gossip.UnimplementedGossipServer
	server *Server
}

// Read lists the servers and their states.
func (g gossiper) Read(context.Context, *shared.Empty) (*gossip.ClusterInfo, error) {
	members := []*Server{g.server}
	if leader := g.server.leader.Load(); leader != nil {
		members = append(members, leader)
	}
	info := &gossip.ClusterInfo{}
	for _, m := range members {
		host, port, err := net.SplitHostPort(m.address)
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, status.Error(codes.Internal, err.Error())
		}
		state := gossip.MemberInfo_Leader
		if m.leader.Load() != nil {
			state = gossip.MemberInfo_Follower
		}
		info.Members = append(info.Members, &gossip.MemberInfo{
			State: state, IsAlive: true, HttpEndPoint: &gossip.EndPoint{Address: host, Port: uint32(n)},
		})
	}
	return info, nil
}
