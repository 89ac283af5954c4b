package native

import (
	"net"
	"sync"
	"time"
)

// writeChunk is how much is written under one deadline, and reported flushed at once.
const writeChunk = 64 << 10

// A stream is one connection and the bytes that wait to leave on it. Writing to it never blocks: a
// goroutine that lives only while there is work carries the bytes out, and ends the connection when the
// time has come. Another goroutine reads the connection; it belongs to whoever uses the stream, and calls
// readEnded last.
type stream struct {
	host    *Host
	flushed func(n int) // tells how many bytes have left; may be nil

	conn net.Conn // set once, by open

	mu      sync.Mutex
	opened  bool
	working bool   // a goroutine is carrying out
	out     []byte // not yet handed to the connection
	spare   []byte // the buffer handed out before
	hungUp  bool   // once out is empty, say goodbye
	goodbye bool   // said
	noRead  bool   // the reader has ended
	failed  bool   // a write failed; the rest is lost
	closed  bool
}

// open gives the stream its connection. It reports false, and closes conn, if nobody wants it any more.
func (s *stream) open(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hungUp && len(s.out) == 0 || !s.host.useConn(conn, s) {
		s.host.closeConn(conn)
		return false
	}
	s.conn, s.opened = conn, true
	s.carry()
	return true
}

// write queues a copy of head and data. It reports false, and queues nothing, if more than max bytes
// would wait (0 is no bound) or the stream is ending.
func (s *stream) write(head, data []byte, max int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed || s.hungUp || max > 0 && len(s.out)+len(head)+len(data) > max {
		return false
	}
	s.out = append(append(s.out, head...), data...)
	s.carry()
	return true
}

// hangUp ends the stream once what was written has left.
func (s *stream) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hungUp = true
	s.carry()
}

// readEnded says that the reader is done with the connection, which closes once nothing waits to leave.
func (s *stream) readEnded() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noRead = true
	s.carry()
}

// isHungUp reports whether nobody wants to read this any more.
func (s *stream) isHungUp() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hungUp
}

// carry starts the goroutine that does what there is to do, if none is at it. s.mu is held.
func (s *stream) carry() {
	work := len(s.out) > 0 || s.noRead || s.failed || s.hungUp && !s.goodbye
	if work && s.opened && !s.working && !s.closed {
		s.working = true
		s.host.spawn(s.work)
	}
}

// work does what there is to do: write, then say goodbye, then close.
func (s *stream) work() {
	for {
		s.mu.Lock()
		switch {
		case s.failed, s.noRead && len(s.out) == 0:
			s.closed, s.out = true, nil
			s.mu.Unlock()
			s.host.closeConn(s.conn)
			return
		case len(s.out) > 0:
			batch := s.out
			s.out, s.spare = s.spare[:0], nil
			s.mu.Unlock()
			s.send(batch)
		case s.hungUp && !s.goodbye:
			s.goodbye = true
			s.mu.Unlock()
			s.halfClose()
		default:
			s.working = false
			s.mu.Unlock()
			return
		}
	}
}

// send writes a batch, one chunk at a time so that a slow connection is told from a stuck one.
func (s *stream) send(batch []byte) {
	var err error
	for rest := batch; len(rest) > 0 && err == nil; {
		s.conn.SetWriteDeadline(time.Now().Add(s.host.config.WriteTimeout))
		var n int
		n, err = s.conn.Write(rest[:min(len(rest), writeChunk)])
		if s.flushed != nil && n > 0 {
			s.flushed(n)
		}
		rest = rest[n:]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err != nil
	if cap(batch) <= keepMax {
		s.spare = batch
	}
}

// halfClose tells the peer that nothing more will come, and gives it a while to say the same. Closing
// outright could make the systems throw away what we wrote and the peer has not yet read.
func (s *stream) halfClose() {
	s.conn.SetReadDeadline(time.Now().Add(s.host.config.CloseTimeout))
	half, ok := s.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		s.host.closeConn(s.conn) // the reader will notice
	}
}
