// An ext_authz server that decides nothing: generated code reads every field, and every request is allowed with a header
// as long as the chain that Waywarden hands on. What gRPC in Go costs alone.
// Usage: bare-go ADDRESS
package main

import (
	"context"
	"log"
	"net"
	"os"
	"strings"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

var token = strings.Repeat("t", 900)

type server struct {
	auth.UnimplementedAuthorizationServer
}

func (server) Check(context.Context, *auth.CheckRequest) (*auth.CheckResponse, error) {
	header := &core.HeaderValueOption{
		Header:       &core.HeaderValue{Key: "actor-chain", Value: token},
		AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
	ok := &auth.OkHttpResponse{Headers: []*core.HeaderValueOption{header}}
	return &auth.CheckResponse{
		Status:       &status.Status{},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: ok},
	}, nil
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	serving := grpc.NewServer()
	auth.RegisterAuthorizationServer(serving, server{})
	grpc_health_v1.RegisterHealthServer(serving, health.NewServer())
	log.Fatal(serving.Serve(listener))
}
