// What `kubectl exec`, `port-forward` and `logs` need of a kubelet: kubelet-api PODS_FILE CERTIFICATE KEY ADDRESS.
// The node writes the file; it says for each container how to enter it and where its log is.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// container is one running container, by `namespace/pod/container`.
type container struct {
	// Enter is the start of a command that runs the rest of it in the container.
	Enter []string `json:"enter"`
	Log   string   `json:"log"`
	// Network is a file that leads to the network namespace of the pod.
	Network string `json:"network"`
}

type node struct{ file string }

const (
	idle     = 4 * time.Hour
	creation = 30 * time.Second
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("expected PODS_FILE CERTIFICATE KEY ADDRESS")
	}
	node := &node{file: os.Args[1]}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", node.exec)
	mux.HandleFunc("/portForward/{namespace}/{pod}", node.portForward)
	mux.HandleFunc("/containerLogs/{namespace}/{pod}/{container}", node.logs)
	server := &http.Server{Addr: os.Args[4], Handler: mux}
	log.Fatal(server.ListenAndServeTLS(os.Args[2], os.Args[3]))
}

func (n *node) find(key string) (container, error) {
	text, err := os.ReadFile(n.file)
	if err != nil {
		return container{}, err
	}
	var known map[string]container
	if err := json.Unmarshal(text, &known); err != nil {
		return container{}, err
	}
	for name, found := range known {
		if name == key || strings.HasPrefix(name, key+"/") {
			return found, nil
		}
	}
	return container{}, fmt.Errorf("%s does not run here", key)
}

func keyOf(request *http.Request, names ...string) string {
	parts := make([]string, len(names))
	for index, name := range names {
		parts[index] = request.PathValue(name)
	}
	return strings.Join(parts, "/")
}

func (n *node) exec(answer http.ResponseWriter, request *http.Request) {
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	key := keyOf(request, "namespace", "pod", "container")
	command := request.URL.Query()["command"]
	remotecommand.ServeExec(answer, request, n, key, "", "", command, options, idle, creation, remotecommand.SupportedStreamingProtocols)
}

// ExecInContainer runs a command in a container. There is no terminal.
func (n *node) ExecInContainer(ctx context.Context, key, _, _ string, command []string, in io.Reader, out, failures io.WriteCloser, _ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration) error {
	found, err := n.find(key)
	if err != nil {
		return err
	}
	whole := append(append([]string{}, found.Enter...), command...)
	process := exec.CommandContext(ctx, whole[0], whole[1:]...)
	process.Stdin, process.Stdout = in, out
	// A nil pointer in an interface is not nil.
	if failures != nil {
		process.Stderr = failures
	}
	err = process.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return utilexec.CodeExitError{Err: err, Code: exit.ExitCode()}
	}
	return err
}

func (n *node) portForward(answer http.ResponseWriter, request *http.Request) {
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	key := keyOf(request, "namespace", "pod")
	portforward.ServePortForward(answer, request, n, key, "", options, idle, creation, portforward.SupportedProtocols)
}

// PortForward connects a stream to a port on the pod's loopback, which is where a kubelet connects too.
func (n *node) PortForward(_ context.Context, key, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	found, err := n.find(key)
	if err != nil {
		return err
	}
	connection, err := dialInside(found.Network, net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer connection.Close()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.TCPConn).CloseWrite()
	})
	both.Go(func() {
		_, _ = io.Copy(stream, connection)
		stream.Close()
	})
	both.Wait()
	return nil
}

// dialInside connects from within a pod's network. Its thread ends with it, since it is in another network.
func dialInside(network, address string) (net.Conn, error) {
	type result struct {
		connection net.Conn
		err        error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread()
		handle, err := os.Open(network)
		if err != nil {
			done <- result{nil, err}
			return
		}
		defer handle.Close()
		if err := unix.Setns(int(handle.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- result{nil, err}
			return
		}
		connection, err := net.DialTimeout("tcp4", address, 5*time.Second)
		done <- result{connection, err}
	}()
	got := <-done
	return got.connection, got.err
}

// logs answers with a container's whole log, or its last lines, or what comes.
func (n *node) logs(answer http.ResponseWriter, request *http.Request) {
	found, err := n.find(keyOf(request, "namespace", "pod", "container"))
	if err != nil {
		http.Error(answer, err.Error(), http.StatusNotFound)
		return
	}
	file, err := os.Open(found.Log)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
		return
	}
	defer file.Close()
	if lines, err := strconv.Atoi(request.FormValue("tailLines")); err == nil {
		_ = seekToLast(file, lines)
	}
	for {
		if _, err := io.Copy(answer, file); err != nil || request.FormValue("follow") != "true" {
			return
		}
		_ = http.NewResponseController(answer).Flush()
		select {
		case <-request.Context().Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func seekToLast(file *os.File, lines int) error {
	text, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	from := len(text)
	for seen := 0; from > 0; from-- {
		if text[from-1] == '\n' && from < len(text) {
			if seen++; seen == lines {
				break
			}
		}
	}
	_, err = file.Seek(int64(from), io.SeekStart)
	return err
}
