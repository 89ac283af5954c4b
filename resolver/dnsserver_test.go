package resolver_test

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A zone is all that a tiny DNS server knows (RFC 1035, RFC 2782).
type zone struct {
	a, aaaa map[string][]string
	srv     map[string][]target
}

type target struct {
	priority uint16
	host     string
	port     uint16
}

const (
	typeA    = 1
	typeAAAA = 28
	typeSRV  = 33
)

// serve answers from z on a loopback socket and returns a resolver that asks there.
func serve(t *testing.T, z zone) *net.Resolver {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() { // ends when conn closes
		defer close(ended)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort(z.answer(buf[:n]), from)
		}
	}()
	t.Cleanup(func() { conn.Close(); <-ended })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// answer replies to a query of one question.
func (z zone) answer(query []byte) []byte {
	end := 12
	var labels []string
	for query[end] != 0 {
		size := int(query[end])
		labels = append(labels, string(query[end+1:end+1+size]))
		end += 1 + size
	}
	question := query[12 : end+5]
	name, kind := strings.Join(labels, ".")+".", binary.BigEndian.Uint16(query[end+1:])

	var records [][]byte
	switch kind {
	case typeA, typeAAAA:
		for _, ip := range map[uint16]map[string][]string{typeA: z.a, typeAAAA: z.aaaa}[kind][name] {
			records = append(records, netip.MustParseAddr(ip).AsSlice())
		}
	case typeSRV:
		for _, s := range z.srv[name] {
			data := binary.BigEndian.AppendUint16(nil, s.priority)
			data = binary.BigEndian.AppendUint16(data, 1) // weight
			data = binary.BigEndian.AppendUint16(data, s.port)
			for label := range strings.SplitSeq(strings.TrimSuffix(s.host, "."), ".") {
				data = append(append(data, byte(len(label))), label...)
			}
			records = append(records, append(data, 0))
		}
	}
	known := len(z.a[name])+len(z.aaaa[name])+len(z.srv[name]) > 0
	flags := uint16(0x8180) // an answer, recursion desired and available
	if !known {
		flags |= 3 // no such name
	}
	b := append([]byte{}, query[:2]...)
	for _, n := range []uint16{flags, 1, uint16(len(records)), 0, 0} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	b = append(b, question...)
	for _, data := range records {
		b = append(b, 0xc0, 12) // the question's name
		b = binary.BigEndian.AppendUint16(b, kind)
		b = binary.BigEndian.AppendUint16(b, 1) // IN
		b = binary.BigEndian.AppendUint32(b, 60)
		b = binary.BigEndian.AppendUint16(b, uint16(len(data)))
		b = append(b, data...)
	}
	return b
}
