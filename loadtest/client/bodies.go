package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync/atomic"
)

// bodies hands out gRPC messages, framed; safe for several connections.
type bodies struct {
	same  []byte
	fresh [][]byte
	every int
	asked atomic.Int64
}

func readBodies(chosen options) (*bodies, error) {
	read := &bodies{every: chosen.freshEvery}
	if chosen.body != "" {
		message, err := os.ReadFile(chosen.body)
		if err != nil {
			return nil, err
		}
		read.same = framed(message)
	}
	if chosen.fresh == "" {
		read.every = 0
		return read, nil
	}
	content, err := os.ReadFile(chosen.fresh)
	if err != nil {
		return nil, err
	}
	for len(content) > 0 {
		if len(content) < 4 || len(content)-4 < int(binary.BigEndian.Uint32(content)) {
			return nil, fmt.Errorf("%s: expected a length and as many bytes", chosen.fresh)
		}
		end := 4 + int(binary.BigEndian.Uint32(content))
		read.fresh = append(read.fresh, framed(content[4:end]))
		content = content[end:]
	}
	return read, nil
}

// next is nil when no fresh message is left.
func (b *bodies) next() []byte {
	if b.every == 0 {
		return b.same
	}
	asked := int(b.asked.Add(1)) - 1
	if asked%b.every != 0 {
		return b.same
	}
	if asked/b.every >= len(b.fresh) {
		return nil
	}
	return b.fresh[asked/b.every]
}

// framed puts gRPC's prefix before a message: not compressed, and how long it is.
func framed(message []byte) []byte {
	frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	return append(frame, message...)
}
