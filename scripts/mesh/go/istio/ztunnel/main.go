// A stand-in for Istio's ztunnel. It takes workloads, services and L4 policies from istiod, as ztunnel does, captures the
// pods that the node names, speaks HBONE with each pod's own certificate, and enforces the policies.
// It has no DNS proxy, no metrics, no IPv6, one network, and it never balances by locality.
package main

import (
	"context"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	log.SetFlags(log.Lmicroseconds)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatalf("ztunnel: %v", err)
	}
}

func run(ctx context.Context) error {
	authority, err := newAuthority(os.Getenv("CA_ADDRESS"))
	if err != nil {
		return err
	}
	mesh := newMesh()
	go mesh.follow(ctx, os.Getenv("XDS_ADDRESS"))
	pods := newPods(mesh, authority)
	go serveReadiness(mesh)
	return pods.follow(ctx, "/var/run/ztunnel/pods.json")
}

// serveReadiness answers the DaemonSet's readiness probe: ready once istiod has sent workloads and policies.
func serveReadiness(mesh *mesh) {
	http.HandleFunc("/healthz/ready", func(answer http.ResponseWriter, _ *http.Request) {
		if !mesh.isReady() {
			answer.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	log.Fatal(http.ListenAndServe(":15021", nil))
}
