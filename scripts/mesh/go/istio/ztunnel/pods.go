package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// entry is how the node names a pod that is to be captured. `Network` is a file that leads to its network namespace.
type entry struct {
	UID     string     `json:"uid"`
	Address netip.Addr `json:"address"`
	Node    netip.Addr `json:"node"`
	Network string     `json:"network"`
}

type pods struct {
	mesh      *mesh
	authority *authority
	captured  map[string]*pod
}

// pod is one captured pod: three listeners in its network, and the tunnels that it has open.
type pod struct {
	entry
	mesh      *mesh
	authority *authority
	listeners []net.Listener
	sync.Mutex
	tunnels map[string]*http2.Transport
	open    map[io.Closer]func() bool
}

func newPods(mesh *mesh, authority *authority) *pods {
	all := &pods{mesh: mesh, authority: authority, captured: map[string]*pod{}}
	return all
}

// follow captures the pods in the node's list, which it reads again whenever it changed.
func (p *pods) follow(ctx context.Context, file string) error {
	known := ""
	changes := make(chan struct{}, 1)
	p.mesh.changed = func() {
		select {
		case changes <- struct{}{}:
		default:
		}
	}
	for {
		if text, err := os.ReadFile(file); err == nil && string(text) != known {
			known = string(text)
			if err := p.apply(text); err != nil {
				return err
			}
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			for _, pod := range p.captured {
				pod.closeForbidden()
			}
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *pods) apply(text []byte) error {
	var entries []entry
	if err := json.Unmarshal(text, &entries); err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, entry := range entries {
		listed[entry.UID] = true
		if p.captured[entry.UID] == nil {
			pod := &pod{entry: entry, mesh: p.mesh, authority: p.authority, tunnels: map[string]*http2.Transport{}, open: map[io.Closer]func() bool{}}
			if err := pod.start(); err != nil {
				log.Printf("pod %s: %v", entry.UID, err)
				continue
			}
			p.captured[entry.UID] = pod
		}
	}
	for uid, pod := range p.captured {
		if !listed[uid] {
			pod.stop()
			// Fails where the pod is gone, and its network with it.
			_ = inside(pod.Network, release)
			delete(p.captured, uid)
		}
	}
	// The node waits for this before it starts the containers of a pod.
	names := make([]string, 0, len(p.captured))
	for uid := range p.captured {
		names = append(names, uid)
	}
	answer, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := os.WriteFile("/var/run/ztunnel/captured.tmp", answer, 0o644); err != nil {
		return err
	}
	return os.Rename("/var/run/ztunnel/captured.tmp", "/var/run/ztunnel/captured.json")
}

func (p *pod) start() error {
	handlers := map[string]func(net.Conn){
		net.JoinHostPort("127.0.0.1", strconv.Itoa(outboundPort)): p.leave,
		// A redirected packet goes to the address of the interface that it came in by.
		net.JoinHostPort(p.Address.String(), strconv.Itoa(plaintextPort)): p.arrivePlain,
		net.JoinHostPort(p.Address.String(), strconv.Itoa(hbonePort)):     p.arriveTunnel,
	}
	for address, handle := range handlers {
		listener, err := listenInside(p.Network, address)
		if err != nil {
			p.stop()
			return err
		}
		p.listeners = append(p.listeners, listener)
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				go handle(connection)
			}
		}()
	}
	return inside(p.Network, func() error { return capture(p.Node) })
}

func (p *pod) stop() {
	for _, listener := range p.listeners {
		listener.Close()
	}
	p.Lock()
	defer p.Unlock()
	for connection := range p.open {
		connection.Close()
	}
	for _, transport := range p.tunnels {
		transport.CloseIdleConnections()
	}
}

// watch remembers an open connection, to close it when a policy forbids it later.
func (p *pod) watch(connection io.Closer, isAllowed func() bool) func() {
	p.Lock()
	defer p.Unlock()
	p.open[connection] = isAllowed
	return func() {
		p.Lock()
		defer p.Unlock()
		delete(p.open, connection)
	}
}

func (p *pod) closeForbidden() {
	p.Lock()
	defer p.Unlock()
	for connection, isAllowed := range p.open {
		if !isAllowed() {
			connection.Close()
		}
	}
}
