package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	check         = "/envoy.service.auth.v3.Authorization/Check"
	ownWindow     = 1 << 30
	openingWindow = 65535
	graceful      = 30 * time.Second
)

type result struct {
	latencies []time.Duration
	denied    int
	err       error
}

type call struct {
	due     time.Time
	allowed bool
	judged  bool
}

// connection keeps requests in flight on one HTTP/2 connection. Its lock guards everything but the reader.
type connection struct {
	chosen options
	bodies *bodies
	socket net.Conn
	reader *bufio.Reader
	framer *http2.Framer

	lock     sync.Mutex
	writer   *bufio.Writer
	block    []byte
	nextID   uint32
	window   int
	waiting  []time.Time
	calls    map[uint32]*call
	received int
	isOver   bool
	result   result
}

func run(chosen options, bodies *bodies, started time.Time, index int) result {
	socket, err := net.Dial("tcp", chosen.address)
	if err != nil {
		return result{err: err}
	}
	defer socket.Close()
	c := &connection{
		chosen: chosen,
		bodies: bodies,
		socket: socket,
		reader: bufio.NewReaderSize(socket, 1<<18),
		writer: bufio.NewWriterSize(socket, 1<<18),
		nextID: 1,
		window: openingWindow,
		calls:  map[uint32]*call{},
	}
	c.framer = http2.NewFramer(c.writer, c.reader)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := c.open(); err != nil {
		return result{err: err}
	}
	// An answer that never comes must not keep the run from ending.
	if err := socket.SetReadDeadline(started.Add(chosen.duration + graceful)); err != nil {
		return result{err: err}
	}
	if chosen.rate > 0 {
		go c.askAtRate(started, index)
	} else {
		c.askAtOnce()
	}
	c.result.err = c.readAll(started.Add(chosen.duration))
	return c.result
}

func (c *connection) open() error {
	if _, err := c.writer.WriteString(http2.ClientPreface); err != nil {
		return err
	}
	if err := c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: ownWindow}); err != nil {
		return err
	}
	if err := c.framer.WriteWindowUpdate(0, ownWindow); err != nil {
		return err
	}
	first, later := c.headerBlocks()
	c.block = later
	// Only the first request names its headers: from then on they are in the table, and one block of indexes serves.
	body := c.bodies.next()
	c.calls[c.nextID] = &call{due: time.Now()}
	c.writeRequest(first, body)
	return c.writer.Flush()
}

func (c *connection) headerBlocks() (first, later []byte) {
	fields := [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":path", check}, {":authority", c.chosen.address},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	}
	if c.chosen.path != "" {
		fields = [][2]string{
			{":method", "GET"}, {":scheme", "http"}, {":path", c.chosen.path}, {":authority", c.chosen.address},
		}
	}
	fields = append(fields, c.chosen.headers...)
	var buffer bytes.Buffer
	encoder := hpack.NewEncoder(&buffer)
	encode := func() []byte {
		buffer.Reset()
		for _, field := range fields {
			// Writing to a buffer cannot fail.
			_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
		}
		return bytes.Clone(buffer.Bytes())
	}
	return encode(), encode()
}

func (c *connection) askAtOnce() {
	c.lock.Lock()
	defer c.lock.Unlock()
	for range c.chosen.streams - 1 {
		c.ask(time.Now())
	}
	_ = c.writer.Flush()
}

// askAtRate asks when a request is due, and at once for all that are overdue.
func (c *connection) askAtRate(started time.Time, index int) {
	between := time.Duration(float64(c.chosen.connections) / c.chosen.rate * float64(time.Second))
	due := started.Add(between * time.Duration(index) / time.Duration(c.chosen.connections))
	for end := started.Add(c.chosen.duration); due.Before(end); {
		time.Sleep(time.Until(due))
		c.lock.Lock()
		for now := time.Now(); !due.After(now); due = due.Add(between) {
			c.ask(due)
		}
		_ = c.writer.Flush()
		c.lock.Unlock()
	}
	c.lock.Lock()
	defer c.lock.Unlock()
	c.isOver = true
	if len(c.calls) == 0 {
		// Nothing is to come that would wake the reader.
		_ = c.socket.SetReadDeadline(time.Now())
	}
}

// ask sends a request, or keeps it until the server's window has room.
func (c *connection) ask(due time.Time) {
	if c.window < openingWindow/4 {
		c.waiting = append(c.waiting, due)
		return
	}
	var body []byte
	if c.chosen.path == "" {
		if body = c.bodies.next(); body == nil {
			c.isOver = true
			return
		}
	}
	c.calls[c.nextID] = &call{due: due}
	c.writeRequest(c.block, body)
}

func (c *connection) writeRequest(block, body []byte) {
	// The framer writes to a buffer; when the socket fails, the reader finds out.
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: c.nextID, BlockFragment: block, EndHeaders: true, EndStream: c.chosen.path != "",
	})
	if c.chosen.path == "" {
		_ = c.framer.WriteData(c.nextID, true, body)
		c.window -= len(body)
	}
	c.nextID += 2
}

func (c *connection) readAll(end time.Time) error {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return c.endedBy(err)
		}
		c.lock.Lock()
		isDone, err := c.take(frame, end)
		if c.reader.Buffered() == 0 && err == nil {
			err = c.writer.Flush()
		}
		c.lock.Unlock()
		if isDone || err != nil {
			return err
		}
	}
}

func (c *connection) endedBy(err error) error {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.isOver && len(c.calls) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d requests in flight: %w", c.chosen.address, len(c.calls), err)
}

// take is done when time is over and nothing is in flight any more.
func (c *connection) take(frame http2.Frame, end time.Time) (isDone bool, err error) {
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		return c.takeHeaders(frame, end)
	case *http2.DataFrame:
		return c.takeData(frame, end)
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			err = c.framer.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			err = c.framer.WritePing(true, frame.Data)
		}
	case *http2.WindowUpdateFrame:
		if frame.StreamID == 0 {
			c.window += int(frame.Increment)
			overdue := c.waiting
			c.waiting = nil
			for _, due := range overdue {
				c.ask(due)
			}
		}
	case *http2.RSTStreamFrame:
		err = fmt.Errorf("%s: stream reset: %s", c.chosen.address, frame.ErrCode)
	case *http2.GoAwayFrame:
		err = fmt.Errorf("%s: going away: %s", c.chosen.address, frame.ErrCode)
	}
	return false, err
}

func (c *connection) takeHeaders(frame *http2.MetaHeadersFrame, end time.Time) (bool, error) {
	asked := c.calls[frame.StreamID]
	if asked == nil {
		return false, nil
	}
	for _, field := range frame.Fields {
		isPlain := c.chosen.path != "" && field.Name == ":status"
		if isPlain {
			asked.judged, asked.allowed = true, field.Value == "200"
		}
		if field.Name == "grpc-status" && field.Value != "0" {
			return false, fmt.Errorf("%s: grpc-status %s", c.chosen.address, field.Value)
		}
	}
	return c.endIf(frame.StreamEnded(), frame.StreamID, asked, end), nil
}

func (c *connection) takeData(frame *http2.DataFrame, end time.Time) (bool, error) {
	data := frame.Data()
	c.received += len(data)
	if c.received > ownWindow/2 {
		if err := c.framer.WriteWindowUpdate(0, uint32(c.received)); err != nil {
			return false, err
		}
		c.received = 0
	}
	asked := c.calls[frame.StreamID]
	if asked == nil {
		return false, nil
	}
	if !asked.judged {
		asked.judged, asked.allowed = true, isAllow(data)
	}
	return c.endIf(frame.StreamEnded(), frame.StreamID, asked, end), nil
}

// isAllow reads as much of a CheckResponse as says so: `status` with a code that is not 0 is a denial.
func isAllow(data []byte) bool {
	const statusTag, codeTag = 0x0a, 0x08
	message := data[min(5, len(data)):]
	return len(message) < 4 || message[0] != statusTag || message[1] == 0 || message[2] != codeTag || message[3] == 0
}

func (c *connection) endIf(isEnded bool, id uint32, asked *call, end time.Time) bool {
	if !isEnded {
		return false
	}
	delete(c.calls, id)
	now := time.Now()
	c.result.latencies = append(c.result.latencies, now.Sub(asked.due))
	if !asked.judged || !asked.allowed {
		c.result.denied++
	}
	if c.chosen.rate == 0 {
		c.isOver = c.isOver || now.After(end)
		if !c.isOver {
			c.ask(now)
		}
	}
	return c.isOver && len(c.calls) == 0
}
