package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/types/known/structpb"

	api "istio.io/api/security/v1alpha1"
)

const rootFile = "/var/run/secrets/istio/root-cert.pem"

// authority issues certificates for the pods of this node: istiod signs them because a pod of that identity runs here.
type authority struct {
	sync.Mutex
	address string
	roots   *x509.CertPool
	issued  map[string]issued
}

type issued struct {
	certificate *tls.Certificate
	renewAfter  time.Time
}

func newAuthority(address string) (*authority, error) {
	roots, err := readRoots()
	return &authority{address: address, roots: roots, issued: map[string]issued{}}, err
}

func readRoots() (*x509.CertPool, error) {
	bytes, err := os.ReadFile(rootFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bytes) {
		return nil, fmt.Errorf("%s has no certificate", rootFile)
	}
	return roots, nil
}

func istiodCredentials() (credentials.TransportCredentials, error) {
	roots, err := readRoots()
	return credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}), err
}

// certificateOf returns the certificate of an identity, a new one when half of its life is over.
func (a *authority) certificateOf(identity string) (*tls.Certificate, error) {
	a.Lock()
	defer a.Unlock()
	if found, ok := a.issued[identity]; ok && time.Now().Before(found.renewAfter) {
		return found.certificate, nil
	}
	certificate, err := a.sign(identity)
	if err != nil {
		return nil, fmt.Errorf("certificate of %s: %w", identity, err)
	}
	leaf := certificate.Leaf
	half := leaf.NotBefore.Add(leaf.NotAfter.Sub(leaf.NotBefore) / 2)
	a.issued[identity] = issued{certificate, half}
	return certificate, nil
}

func (a *authority) sign(identity string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	name, err := url.Parse(identity)
	if err != nil {
		return nil, err
	}
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{URIs: []*url.URL{name}}, key)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ctx, err = withToken(ctx)
	if err != nil {
		return nil, err
	}
	connection, err := dialIstiod(a.address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	response, err := api.NewIstioCertificateServiceClient(connection).CreateCertificate(ctx, &api.IstioCertificateRequest{
		Csr:              string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request})),
		ValidityDuration: 24 * 3600,
		Metadata: &structpb.Struct{Fields: map[string]*structpb.Value{
			"ImpersonatedIdentity": structpb.NewStringValue(identity),
		}},
	})
	if err != nil {
		return nil, err
	}
	return toCertificate(response.CertChain, key)
}

func toCertificate(chain []string, key *ecdsa.PrivateKey) (*tls.Certificate, error) {
	certificate := &tls.Certificate{PrivateKey: key}
	for rest := []byte(strings.Join(chain, "\n")); ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		certificate.Certificate = append(certificate.Certificate, block.Bytes)
	}
	if len(certificate.Certificate) == 0 {
		return nil, errors.New("istiod answered without a certificate")
	}
	leaf, err := x509.ParseCertificate(certificate.Certificate[0])
	certificate.Leaf = leaf
	return certificate, err
}

// serverTLS is how a pod answers HBONE: every peer must show a certificate of the mesh.
func (a *authority) serverTLS(identity string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2"},
		ClientAuth: tls.RequireAndVerifyClientCert,
		ClientCAs:  a.roots,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return a.certificateOf(identity)
		},
	}
}

// clientTLS is how a pod calls by HBONE: the peer must prove that it is `peer`.
func (a *authority) clientTLS(identity, peer string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2"},
		// SPIFFE has no host names: `VerifyConnection` checks the chain and the URI instead.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			return a.verifyPeer(state, peer)
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return a.certificateOf(identity)
		},
	}
}

func (a *authority) verifyPeer(state tls.ConnectionState, peer string) error {
	leaf := state.PeerCertificates[0]
	intermediates := x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	options := x509.VerifyOptions{Roots: a.roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	if _, err := leaf.Verify(options); err != nil {
		return err
	}
	if found := identityIn(leaf); found != peer {
		return fmt.Errorf("expected %s, found %s", peer, found)
	}
	return nil
}

// identityIn reads the one SPIFFE ID of a certificate.
func identityIn(certificate *x509.Certificate) string {
	if len(certificate.URIs) != 1 {
		return ""
	}
	return certificate.URIs[0].String()
}
