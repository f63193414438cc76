// A real grpc-go client against an echoing server: prints one line a failure, and ends with 1 when there was one.
// Usage: grpc-go ADDRESS, of a server whose Check answers with the request's own bytes.
package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

const check = "/envoy.service.auth.v3.Authorization/Check"

// raw passes bytes as they are.
type raw struct{}

func (raw) Name() string { return "proto" }
func (raw) Marshal(value any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*value.(*[]byte))}, nil
}
func (raw) Unmarshal(data mem.BufferSlice, value any) error {
	*value.(*[]byte) = data.Materialize()
	return nil
}

type tester struct {
	connection *grpc.ClientConn
	mutex      sync.Mutex
	failures   int
}

func (t *tester) fail(format string, arguments ...any) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.failures++
	if t.failures <= 20 {
		fmt.Printf(format+"\n", arguments...)
	}
}

func (t *tester) call(parent context.Context, method string, request []byte) ([]byte, error) {
	var response []byte
	err := t.connection.Invoke(parent, method, &request, &response, grpc.ForceCodecV2(raw{}))
	return response, err
}

func (t *tester) echoes(parent context.Context, request []byte) {
	ctx, cancel := context.WithTimeout(parent, 20*time.Second)
	defer cancel()
	response, err := t.call(ctx, check, request)
	if err != nil || !bytes.Equal(response, request) {
		t.fail("%d bytes: got %d bytes, %v", len(request), len(response), err)
	}
}

func (t *tester) failsWith(method string, request []byte, want codes.Code) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := t.call(ctx, method, request); status.Code(err) != want {
		t.fail("%s with %d bytes: want %v, got %v", method, len(request), want, err)
	}
}

// denied: an answer, which is not what was asked.
func (t *tester) denied(request []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if response, err := t.call(ctx, check, request); err != nil || len(response) == 0 || len(response) >= len(request) {
		t.fail("%d bytes: want a denial, got %d bytes, %v", len(request), len(response), err)
	}
}

func (t *tester) sizes() {
	for _, size := range []int{0, 1, 100, 16378, 16379, 16380, 65530, 65535, 65536, 200_000, 1 << 20} {
		t.echoes(context.Background(), bytes.Repeat([]byte{7}, size))
	}
	t.denied(make([]byte, 5_000_000))
	t.failsWith("/grpc.health.v1.Health/Check", make([]byte, 5_000_000), codes.ResourceExhausted)
	t.failsWith("/envoy.service.auth.v3.Authorization/Allow", nil, codes.Unimplemented)
}

func (t *tester) headers(random *rand.Rand) {
	for range 1000 {
		pairs := []string{}
		for range random.Intn(8) {
			name := fmt.Sprintf("x-name-%d", random.Intn(100))
			pairs = append(pairs, name, strings.Repeat("v", random.Intn(120)))
		}
		t.echoes(metadata.AppendToOutgoingContext(context.Background(), pairs...), []byte("a"))
	}
	large := metadata.AppendToOutgoingContext(context.Background(), "x-large", strings.Repeat("v", 12_000))
	t.echoes(large, []byte("a"))
}

func (t *tester) crowd(random *rand.Rand) {
	var group sync.WaitGroup
	for worker := range 64 {
		seed := random.Int63() + int64(worker)
		group.Go(func() {
			own := rand.New(rand.NewSource(seed))
			for range 100 {
				request := bytes.Repeat([]byte{byte(own.Intn(256))}, own.Intn(60_000))
				if own.Intn(4) > 0 {
					t.echoes(context.Background(), request)
					continue
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(own.Intn(2000))*time.Microsecond)
				response, err := t.call(ctx, check, request)
				cancel()
				code := status.Code(err)
				if err == nil && !bytes.Equal(response, request) || err != nil && code != codes.DeadlineExceeded && code != codes.Canceled {
					t.fail("cancelled call: %v", err)
				}
			}
		})
	}
	group.Wait()
}

func (t *tester) health() {
	client := grpc_health_v1.NewHealthClient(t.connection)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil || answer.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.fail("health: %v %v", answer, err)
	}
	if _, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "nobody"}); status.Code(err) != codes.NotFound {
		t.fail("health of nobody: %v", err)
	}
	watch, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		t.fail("watch: %v", err)
		return
	}
	if update, err := watch.Recv(); err != nil || update.Status != grpc_health_v1.HealthCheckResponse_SERVING {
		t.fail("watch: %v %v", update, err)
	}
}

func main() {
	connection, err := grpc.NewClient(os.Args[1],
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16<<20)),
	)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	defer connection.Close()
	random := rand.New(rand.NewSource(1))
	t := &tester{connection: connection}
	t.sizes()
	t.headers(random)
	t.crowd(random)
	t.health()
	if t.failures > 0 {
		os.Exit(1)
	}
}
