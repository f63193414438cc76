// Reads CheckRequests with Envoy's own Go types: from stdin each with its length before it (32 bits, big endian), to stdout
// a line of JSON each, `null` for bytes that are none.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/protobuf/proto"
)

// What a decision reads; JSON writes bytes as base64, and U+FFFD in strings that are no UTF-8, which the types refuse.
type fields struct {
	Principal string            `json:"principal"`
	Address   string            `json:"address"`
	Port      uint32            `json:"port"`
	Method    string            `json:"method"`
	Path      string            `json:"path"`
	Host      string            `json:"host"`
	Headers   map[string]string `json:"headers"`
	HeaderMap []header          `json:"headerMap"`
}

type header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Raw   []byte `json:"raw"`
}

func read(bytes []byte) *fields {
	var request auth.CheckRequest
	if proto.Unmarshal(bytes, &request) != nil {
		return nil
	}
	attributes := request.GetAttributes()
	socket := attributes.GetDestination().GetAddress().GetSocketAddress()
	http := attributes.GetRequest().GetHttp()
	headerMap := []header{}
	for _, each := range http.GetHeaderMap().GetHeaders() {
		headerMap = append(headerMap, header{each.GetKey(), each.GetValue(), each.GetRawValue()})
	}
	return &fields{
		Principal: attributes.GetSource().GetPrincipal(),
		Address:   socket.GetAddress(),
		Port:      socket.GetPortValue(),
		Method:    http.GetMethod(),
		Path:      http.GetPath(),
		Host:      http.GetHost(),
		Headers:   http.GetHeaders(),
		HeaderMap: headerMap,
	}
}

func main() {
	input := bufio.NewReader(os.Stdin)
	output := bufio.NewWriter(os.Stdout)
	defer output.Flush()
	lines := json.NewEncoder(output)
	for {
		var length uint32
		if err := binary.Read(input, binary.BigEndian, &length); err != nil {
			return
		}
		bytes := make([]byte, length)
		if _, err := io.ReadFull(input, bytes); err != nil {
			panic(err)
		}
		if err := lines.Encode(read(bytes)); err != nil {
			panic(err)
		}
	}
}
