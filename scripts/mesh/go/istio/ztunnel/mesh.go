package main

import (
	"context"
	"fmt"
	"log"
	"net/netip"
	"os"
	"sync"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/structpb"

	"istio.io/istio/pkg/version"
	"istio.io/istio/pkg/workloadapi"
	"istio.io/istio/pkg/workloadapi/security"
)

const (
	addressType       = "type.googleapis.com/istio.workload.Address"
	authorizationType = "type.googleapis.com/istio.security.Authorization"
)

// mesh is what istiod says of workloads, services and policies.
type mesh struct {
	sync.RWMutex
	workloads map[string]*workloadapi.Workload
	services  map[string]*workloadapi.Service
	policies  map[string]*security.Authorization
	received  map[string]bool
	changed   func()
}

func newMesh() *mesh {
	return &mesh{
		workloads: map[string]*workloadapi.Workload{},
		services:  map[string]*workloadapi.Service{},
		policies:  map[string]*security.Authorization{},
		received:  map[string]bool{},
		changed:   func() {},
	}
}

func (m *mesh) isReady() bool {
	m.RLock()
	defer m.RUnlock()
	return m.received[addressType] && m.received[authorizationType]
}

// follow keeps a delta stream to istiod open. What is known stays in force while there is none.
func (m *mesh) follow(ctx context.Context, address string) {
	for ctx.Err() == nil {
		if err := m.stream(ctx, address); err != nil {
			log.Printf("istiod: %v", err)
		}
		time.Sleep(500 * time.Millisecond)
	}
}

func (m *mesh) stream(ctx context.Context, address string) error {
	connection, err := dialIstiod(address)
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx, err = withToken(ctx)
	if err != nil {
		return err
	}
	stream, err := discovery.NewAggregatedDiscoveryServiceClient(connection).DeltaAggregatedResources(ctx)
	if err != nil {
		return err
	}
	for _, kind := range []string{addressType, authorizationType} {
		if err := stream.Send(&discovery.DeltaDiscoveryRequest{Node: node(), TypeUrl: kind}); err != nil {
			return err
		}
	}
	isFirst := map[string]bool{addressType: true, authorizationType: true}
	for {
		response, err := stream.Recv()
		if err != nil {
			return err
		}
		if err := m.take(response, isFirst[response.TypeUrl]); err != nil {
			return err
		}
		isFirst[response.TypeUrl] = false
		ack := &discovery.DeltaDiscoveryRequest{TypeUrl: response.TypeUrl, ResponseNonce: response.Nonce}
		if err := stream.Send(ack); err != nil {
			return err
		}
	}
}

// take applies one response. The first of a stream is the whole state.
func (m *mesh) take(response *discovery.DeltaDiscoveryResponse, isWhole bool) error {
	m.Lock()
	if isWhole && response.TypeUrl == addressType {
		clear(m.workloads)
		clear(m.services)
	}
	if isWhole && response.TypeUrl == authorizationType {
		clear(m.policies)
	}
	for _, name := range response.RemovedResources {
		delete(m.workloads, name)
		delete(m.services, name)
		delete(m.policies, name)
	}
	for _, resource := range response.Resources {
		if err := m.put(resource); err != nil {
			m.Unlock()
			return err
		}
	}
	m.received[response.TypeUrl] = true
	m.Unlock()
	m.changed()
	return nil
}

func (m *mesh) put(resource *discovery.Resource) error {
	if resource.Resource.TypeUrl == authorizationType {
		policy := &security.Authorization{}
		m.policies[resource.Name] = policy
		return resource.Resource.UnmarshalTo(policy)
	}
	address := &workloadapi.Address{}
	if err := resource.Resource.UnmarshalTo(address); err != nil {
		return err
	}
	if workload := address.GetWorkload(); workload != nil {
		m.workloads[resource.Name] = workload
	}
	if service := address.GetService(); service != nil {
		m.services[resource.Name] = service
	}
	return nil
}

// workloadAt finds the workload with an address.
func (m *mesh) workloadAt(address netip.Addr) *workloadapi.Workload {
	for _, workload := range m.workloads {
		for _, bytes := range workload.Addresses {
			if own, ok := netip.AddrFromSlice(bytes); ok && own == address {
				return workload
			}
		}
	}
	return nil
}

// serviceAt finds the service with a virtual address.
func (m *mesh) serviceAt(address netip.Addr) *workloadapi.Service {
	for _, service := range m.services {
		for _, virtual := range service.Addresses {
			if own, ok := netip.AddrFromSlice(virtual.Address); ok && own == address {
				return service
			}
		}
	}
	return nil
}

// endpointsOf lists the healthy workloads behind a port of a service, with the port on which each listens.
func (m *mesh) endpointsOf(service *workloadapi.Service, port uint16) []endpoint {
	key := service.Namespace + "/" + service.Hostname
	var found []endpoint
	for _, workload := range m.workloads {
		if workload.Status != workloadapi.WorkloadStatus_HEALTHY || len(workload.Addresses) == 0 {
			continue
		}
		for _, pair := range workload.Services[key].GetPorts() {
			address, ok := netip.AddrFromSlice(workload.Addresses[0])
			if ok && pair.ServicePort == uint32(port) {
				found = append(found, endpoint{workload, netip.AddrPortFrom(address, uint16(pair.TargetPort))})
			}
		}
	}
	return found
}

type endpoint struct {
	workload *workloadapi.Workload
	address  netip.AddrPort
}

func identityOf(workload *workloadapi.Workload) string {
	account := workload.ServiceAccount
	if account == "" {
		account = "default"
	}
	domain := workload.TrustDomain
	if domain == "" {
		domain = "cluster.local"
	}
	return fmt.Sprintf("spiffe://%s/ns/%s/sa/%s", domain, workload.Namespace, account)
}

func node() *core.Node {
	namespace, name := os.Getenv("POD_NAMESPACE"), os.Getenv("POD_NAME")
	text := structpb.NewStringValue
	return &core.Node{
		Id: fmt.Sprintf("ztunnel~%s~%s.%s~%s.svc.cluster.local", os.Getenv("INSTANCE_IP"), name, namespace, namespace),
		Metadata: &structpb.Struct{Fields: map[string]*structpb.Value{
			"NAMESPACE":       text(namespace),
			"NAME":            text(name),
			"NODE_NAME":       text(os.Getenv("NODE_NAME")),
			"SERVICE_ACCOUNT": text(os.Getenv("SERVICE_ACCOUNT")),
			"CLUSTER_ID":      text(os.Getenv("ISTIO_META_CLUSTER_ID")),
			"ISTIO_VERSION":   text(version.Info.Version),
		}},
	}
}

func dialIstiod(address string) (*grpc.ClientConn, error) {
	credentials, err := istiodCredentials()
	if err != nil {
		return nil, err
	}
	alive := keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 10 * time.Second}
	return grpc.NewClient(address, grpc.WithTransportCredentials(credentials), grpc.WithKeepaliveParams(alive))
}

// withToken adds the token with which the node's ztunnel proves itself to istiod.
func withToken(ctx context.Context) (context.Context, error) {
	token, err := os.ReadFile("/var/run/secrets/tokens/istio-token")
	if err != nil {
		return nil, err
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+string(token), "ClusterID", os.Getenv("ISTIO_META_CLUSTER_ID")), nil
}
