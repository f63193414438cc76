// A load client for gRPC unary calls and for plain HTTP/2 requests, beside h2load: it sends another body with each call
// (cold), and it keeps to a rate whether answers come or not (open loop), counting from when a request was due.
// Every answer must be an allow; what it measures goes to stdout as one line of JSON.
package main

import (
	"encoding/json"
	"flag"
	"log"
	"os"
	"slices"
	"strings"
	"time"
)

type options struct {
	address     string
	path        string
	headers     headerList
	connections int
	streams     int
	rate        float64
	duration    time.Duration
	body        string
	fresh       string
	freshEvery  int
}

type headerList [][2]string

func (list *headerList) String() string { return "" }

func (list *headerList) Set(text string) error {
	name, value, _ := strings.Cut(text, ": ")
	*list = append(*list, [2]string{name, value})
	return nil
}

type summary struct {
	Calls   int     `json:"calls"`
	Denied  int     `json:"denied"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50"`
	P99     float64 `json:"p99"`
	P999    float64 `json:"p999"`
	Max     float64 `json:"max"`
}

func main() {
	log.SetFlags(0)
	chosen := parseOptions()
	bodies, err := readBodies(chosen)
	if err != nil {
		log.Fatal(err)
	}
	results := make(chan result)
	started := time.Now()
	for index := range chosen.connections {
		go func() { results <- run(chosen, bodies, started, index) }()
	}
	total := summary{}
	latencies := []time.Duration{}
	for range chosen.connections {
		one := <-results
		if one.err != nil {
			log.Fatal(one.err)
		}
		total.Denied += one.denied
		latencies = append(latencies, one.latencies...)
	}
	total.Seconds = time.Since(started).Seconds()
	total.Calls = len(latencies)
	slices.Sort(latencies)
	total.P50 = micros(latencies, 0.5)
	total.P99 = micros(latencies, 0.99)
	total.P999 = micros(latencies, 0.999)
	total.Max = micros(latencies, 1)
	if err := json.NewEncoder(os.Stdout).Encode(total); err != nil {
		log.Fatal(err)
	}
}

func parseOptions() options {
	chosen := options{}
	flag.StringVar(&chosen.address, "address", "", "`host:port` to ask, in plaintext")
	flag.StringVar(&chosen.path, "get", "", "send GET of this path, and expect 200, instead of a Check")
	flag.Var(&chosen.headers, "header", "`name: value` of a further header; may be repeated")
	flag.IntVar(&chosen.connections, "connections", 1, "connections")
	flag.IntVar(&chosen.streams, "streams", 32, "requests at once on each connection; without -rate")
	flag.Float64Var(&chosen.rate, "rate", 0, "requests a second over all connections, due at even distances; 0 asks as fast as answers come")
	flag.DurationVar(&chosen.duration, "for", 3*time.Second, "how long to ask")
	flag.StringVar(&chosen.body, "body", "", "`file` with the message that is sent again and again")
	flag.StringVar(&chosen.fresh, "fresh", "", "`file` with messages, each after its length (4 bytes, big endian), none sent twice")
	flag.IntVar(&chosen.freshEvery, "fresh-every", 1, "take each N-th message from -fresh")
	flag.Parse()
	return chosen
}

func micros(sorted []time.Duration, quantile float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	index := min(len(sorted)-1, int(quantile*float64(len(sorted))))
	return float64(sorted[index].Nanoseconds()) / 1000
}
