package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"golang.org/x/net/http2"

	"istio.io/istio/pkg/workloadapi"
)

// route says where a connection goes: `tunnel` is whom to ask by HBONE, `authority` what to ask for.
type route struct {
	to        netip.AddrPort
	tunnel    *workloadapi.Workload
	authority netip.AddrPort
}

// leave takes what a pod sends.
func (p *pod) leave(connection net.Conn) {
	defer connection.Close()
	destination, err := originalDestination(connection.(*net.TCPConn))
	if err != nil {
		return
	}
	route, err := p.routeTo(destination)
	if err == nil {
		err = p.carry(connection, route)
	}
	if err != nil {
		log.Printf("%s -> %s: %v", p.Address, destination, err)
	}
}

// routeTo decides as ztunnel does: a service's waypoint, a workload's waypoint, an endpoint, or straight on.
func (p *pod) routeTo(destination netip.AddrPort) (route, error) {
	p.mesh.RLock()
	defer p.mesh.RUnlock()
	if service := p.mesh.serviceAt(destination.Addr()); service != nil {
		if service.Waypoint != nil {
			return p.byWaypoint(service.Waypoint, destination)
		}
		endpoints := p.mesh.endpointsOf(service, destination.Port())
		if len(endpoints) == 0 {
			return route{}, fmt.Errorf("no healthy endpoint of %s", service.Hostname)
		}
		chosen := endpoints[rand.IntN(len(endpoints))]
		return direct(chosen.workload, chosen.address), nil
	}
	workload := p.mesh.workloadAt(destination.Addr())
	if workload == nil {
		return route{to: destination}, nil
	}
	if workload.Waypoint != nil {
		return p.byWaypoint(workload.Waypoint, destination)
	}
	return direct(workload, destination), nil
}

func direct(workload *workloadapi.Workload, address netip.AddrPort) route {
	if workload.TunnelProtocol != workloadapi.TunnelProtocol_HBONE || address.Port() == hbonePort {
		return route{to: address}
	}
	return route{to: netip.AddrPortFrom(address.Addr(), hbonePort), tunnel: workload, authority: address}
}

func (p *pod) byWaypoint(waypoint *workloadapi.GatewayAddress, destination netip.AddrPort) (route, error) {
	service := p.waypointService(waypoint)
	if service == nil {
		return route{}, errors.New("unknown waypoint")
	}
	endpoints := p.mesh.endpointsOf(service, hbonePort)
	if len(endpoints) == 0 {
		return route{}, fmt.Errorf("no healthy endpoint of waypoint %s", service.Hostname)
	}
	chosen := endpoints[rand.IntN(len(endpoints))]
	return route{to: chosen.address, tunnel: chosen.workload, authority: destination}, nil
}

func (p *pod) waypointService(waypoint *workloadapi.GatewayAddress) *workloadapi.Service {
	if name := waypoint.GetHostname(); name != nil {
		return p.mesh.services[name.Namespace+"/"+name.Hostname]
	}
	address, _ := netip.AddrFromSlice(waypoint.GetAddress().GetAddress())
	return p.mesh.serviceAt(address)
}

func (p *pod) carry(connection net.Conn, way route) error {
	if way.tunnel == nil {
		upstream, err := dialInside(context.Background(), p.Network, way.to)
		if err != nil {
			return err
		}
		join(connection, upstream)
		return nil
	}
	own := p.identity()
	if own == "" {
		return errors.New("istiod does not know this pod yet")
	}
	reader, writer := io.Pipe()
	request := &http.Request{
		Method: http.MethodConnect,
		URL:    &url.URL{Scheme: "https", Host: way.to.String()},
		Host:   way.authority.String(),
		Body:   reader,
		Header: http.Header{},
	}
	response, err := p.tunnel(own, identityOf(way.tunnel), way.to).RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", way.to, response.StatusCode)
	}
	go func() {
		_, _ = io.Copy(writer, connection)
		writer.Close()
	}()
	_, err = io.Copy(connection, response.Body)
	return err
}

// tunnel returns the HTTP/2 connections of this pod to one peer, as one identity.
func (p *pod) tunnel(own, peer string, to netip.AddrPort) *http2.Transport {
	p.Lock()
	defer p.Unlock()
	key := own + " " + peer + " " + to.String()
	if found := p.tunnels[key]; found != nil {
		return found
	}
	config := p.authority.clientTLS(own, peer)
	created := &http2.Transport{
		ReadIdleTimeout: 10 * time.Second,
		DialTLSContext: func(ctx context.Context, _, _ string, _ *tls.Config) (net.Conn, error) {
			raw, err := dialInside(ctx, p.Network, to)
			if err != nil {
				return nil, err
			}
			secured := tls.Client(raw, config)
			if err := secured.HandshakeContext(ctx); err != nil {
				raw.Close()
				return nil, err
			}
			return secured, nil
		},
	}
	p.tunnels[key] = created
	return created
}

// arrivePlain takes what reaches a pod outside of the mesh: no certificate, no identity.
func (p *pod) arrivePlain(connection net.Conn) {
	defer connection.Close()
	destination, err := originalDestination(connection.(*net.TCPConn))
	if err != nil {
		return
	}
	by := arrival{from: remoteOf(connection), destination: destination}
	if !p.admits(by) {
		log.Printf("%s -> %s: refused by policy", by.from, destination)
		return
	}
	upstream, err := dialInside(context.Background(), p.Network, destination)
	if err != nil {
		return
	}
	defer p.watch(connection, func() bool { return p.admits(by) })()
	join(connection, upstream)
}

// arriveTunnel takes HBONE.
func (p *pod) arriveTunnel(raw net.Conn) {
	defer raw.Close()
	connection := tls.Server(raw, p.authority.serverTLS(p.identity()))
	if err := connection.Handshake(); err != nil {
		log.Printf("%s -> %s: %v", raw.RemoteAddr(), p.Address, err)
		return
	}
	source := identityIn(connection.ConnectionState().PeerCertificates[0])
	handler := http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		p.serveTunnel(answer, request, source, remoteOf(raw))
	})
	(&http2.Server{}).ServeConn(connection, &http2.ServeConnOpts{Handler: handler})
}

func (p *pod) serveTunnel(answer http.ResponseWriter, request *http.Request, source string, from netip.Addr) {
	destination, err := netip.ParseAddrPort(request.Host)
	if err != nil || request.Method != http.MethodConnect || destination.Addr() != p.Address {
		answer.WriteHeader(http.StatusBadRequest)
		return
	}
	by := arrival{source: source, from: from, destination: destination}
	if source == "" || !p.admits(by) {
		log.Printf("%s -> %s: refused by policy", source, destination)
		answer.WriteHeader(http.StatusUnauthorized)
		return
	}
	upstream, err := dialInside(request.Context(), p.Network, destination)
	if err != nil {
		answer.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer upstream.Close()
	defer p.watch(upstream, func() bool { return p.admits(by) })()
	answer.WriteHeader(http.StatusOK)
	controller := http.NewResponseController(answer)
	_ = controller.Flush()
	go func() {
		_, _ = io.Copy(upstream, request.Body)
		_ = upstream.(*net.TCPConn).CloseWrite()
	}()
	buffer := make([]byte, 32*1024)
	for {
		count, err := upstream.Read(buffer)
		if count > 0 {
			if _, failure := answer.Write(buffer[:count]); failure != nil {
				return
			}
			_ = controller.Flush()
		}
		if err != nil {
			return
		}
	}
}

func (p *pod) admits(by arrival) bool {
	p.mesh.RLock()
	defer p.mesh.RUnlock()
	workload := p.mesh.workloadAt(p.Address)
	if workload == nil {
		log.Printf("istiod has not said yet what runs at %s", p.Address)
	}
	return workload != nil && p.mesh.isAllowed(workload, by)
}

func (p *pod) identity() string {
	p.mesh.RLock()
	defer p.mesh.RUnlock()
	workload := p.mesh.workloadAt(p.Address)
	if workload == nil {
		return ""
	}
	return identityOf(workload)
}

func join(one, other net.Conn) {
	defer other.Close()
	go func() {
		_, _ = io.Copy(other, one)
		_ = other.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(one, other)
}

func remoteOf(connection net.Conn) netip.Addr {
	return netip.MustParseAddrPort(connection.RemoteAddr().String()).Addr()
}
