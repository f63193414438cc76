package main

import (
	"context"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// mark is on every packet that ztunnel itself sends, so that it is not captured again. Istio uses the same one.
const mark = 0x539

const (
	outboundPort  = 15001
	plaintextPort = 15006
	hbonePort     = 15008
)

// inside runs a function in the network of a pod. The thread ends with it, since it cannot be trusted to come back.
func inside(file string, act func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		handle, err := os.Open(file)
		if err != nil {
			done <- err
			return
		}
		defer handle.Close()
		if err := unix.Setns(int(handle.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- err
			return
		}
		done <- act()
	}()
	return <-done
}

// dialInside opens a connection from a pod; the pod's address is its source.
func dialInside(ctx context.Context, file string, to netip.AddrPort) (net.Conn, error) {
	var connection net.Conn
	err := inside(file, func() error {
		dialer := net.Dialer{Timeout: 5 * time.Second, Control: setMark}
		var err error
		connection, err = dialer.DialContext(ctx, "tcp4", to.String())
		return err
	})
	return connection, err
}

func listenInside(file, address string) (net.Listener, error) {
	var listener net.Listener
	err := inside(file, func() error {
		config := net.ListenConfig{Control: setMark}
		var err error
		listener, err = config.Listen(context.Background(), "tcp4", address)
		return err
	})
	return listener, err
}

func setMark(_, _ string, raw syscall.RawConn) error {
	var failure error
	err := raw.Control(func(descriptor uintptr) {
		failure = unix.SetsockoptInt(int(descriptor), unix.SOL_SOCKET, unix.SO_MARK, mark)
	})
	if err != nil {
		return err
	}
	return failure
}

// originalDestination is where a redirected connection was going.
func originalDestination(connection *net.TCPConn) (netip.AddrPort, error) {
	raw, err := connection.SyscallConn()
	if err != nil {
		return netip.AddrPort{}, err
	}
	var found netip.AddrPort
	var failure error
	err = raw.Control(func(descriptor uintptr) {
		const soOriginalDst = 80
		// The kernel writes a sockaddr_in, which fits the first bytes of this structure.
		request, err := unix.GetsockoptIPv6Mreq(int(descriptor), unix.SOL_IP, soOriginalDst)
		if err != nil {
			failure = err
			return
		}
		bytes := request.Multiaddr
		port := uint16(bytes[2])<<8 | uint16(bytes[3])
		found = netip.AddrPortFrom(netip.AddrFrom4([4]byte(bytes[4:8])), port)
	})
	if err != nil {
		return found, err
	}
	return found, failure
}

// capture redirects what a pod sends, and what reaches it in plain text. The node's own probes pass.
func capture(node netip.Addr) error {
	connection, err := nftables.New()
	if err != nil {
		return err
	}
	table := connection.AddTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "ambient"})
	chain := func(name string, hook *nftables.ChainHook) *nftables.Chain {
		return connection.AddChain(&nftables.Chain{
			Name: name, Table: table, Type: nftables.ChainTypeNAT, Hooknum: hook, Priority: nftables.ChainPriorityNATDest,
		})
	}
	add := func(chain *nftables.Chain, parts ...[]expr.Any) {
		rule := &nftables.Rule{Table: table, Chain: chain}
		for _, part := range parts {
			rule.Exprs = append(rule.Exprs, part...)
		}
		connection.AddRule(rule)
	}
	out := chain("out", nftables.ChainHookOutput)
	add(out, isTCP, differs(markOf, binaryutil.NativeEndian.PutUint32(mark)), differs(firstByteOfDestination, []byte{127}), redirect(outboundPort))
	in := chain("in", nftables.ChainHookPrerouting)
	add(in, isTCP, differs(sourceAddress, node.AsSlice()), differs(destinationPort, binaryutil.BigEndian.PutUint16(hbonePort)), redirect(plaintextPort))
	return connection.Flush()
}

// release lets a pod that left the mesh talk as it did before.
func release() error {
	connection, err := nftables.New()
	if err != nil {
		return err
	}
	connection.DelTable(&nftables.Table{Family: nftables.TableFamilyIPv4, Name: "ambient"})
	return connection.Flush()
}

var (
	isTCP = []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{unix.IPPROTO_TCP}},
	}
	markOf                 = &expr.Meta{Key: expr.MetaKeyMARK, Register: 1}
	firstByteOfDestination = &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 16, Len: 1}
	sourceAddress          = &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4}
	destinationPort        = &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
)

func differs(from expr.Any, value []byte) []expr.Any {
	return []expr.Any{from, &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: value}}
}

func redirect(port uint16) []expr.Any {
	return []expr.Any{
		&expr.Immediate{Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
		&expr.Redir{RegisterProtoMin: 1},
	}
}
