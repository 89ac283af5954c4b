package abi

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/nekton-go/nekton/core"
)

const inputHeader = 72

// AppendInput appends in as one record. It allocates nothing but what dst must grow, except for commands.
// Errors, with dst as it was: core.FaultInvalid for a kind that hosts do not send and for a command that
// is not in the catalog, core.FaultTooLarge beyond InputMax or ZoneMax.
func (c *Catalog) AppendInput(dst []byte, in *core.Input) ([]byte, error) {
	if in.Kind > core.InputCommand {
		return dst, malformed("input kind %d is not for hosts to send", in.Kind)
	}
	start := len(dst)
	var head [inputHeader]byte
	f, zone := family(in.From.Addr())
	if len(zone) > ZoneMax {
		return dst, errZone
	}
	head[0], head[1], head[2], head[3] = byte(in.Kind), byte(in.Fault), byte(in.Proto), f
	binary.LittleEndian.PutUint16(head[4:], in.From.Port())
	head[6] = byte(len(zone))
	putAddr(head[8:24], in.From.Addr())
	binary.LittleEndian.PutUint64(head[24:], uint64(in.Link))
	binary.LittleEndian.PutUint64(head[32:], uint64(in.Token))
	binary.LittleEndian.PutUint64(head[40:], uint64(in.Size))
	binary.LittleEndian.PutUint64(head[48:], uint64(in.At))
	binary.LittleEndian.PutUint64(head[56:], uint64(in.Wall))
	binary.LittleEndian.PutUint32(head[64:], uint32(len(in.Addrs)))
	out := append(append(dst, head[:]...), zone...)
	var err error
	for _, a := range in.Addrs {
		if out, err = appendAddrPort(out, a); err != nil {
			return dst[:start], err
		}
	}
	body := len(out)
	if in.Kind == core.InputCommand {
		if out, err = c.appendCommand(out, in.Command); err != nil {
			return dst[:start], err
		}
	} else if len(in.Data) <= InputMax {
		out = append(out, in.Data...)
	}
	if len(in.Data) > InputMax || len(out)-start > InputMax {
		return dst[:start], fmt.Errorf("abi: input of more than %d bytes: %w", InputMax, core.FaultTooLarge)
	}
	binary.LittleEndian.PutUint32(out[start+68:], uint32(len(out)-body))
	return out, nil
}

// ReadInput reads the record that fills b. in.Data lies in b. in.Addrs is reused.
// A command that cannot be read yields a *CommandError, so that it can still be completed.
func (c *Catalog) ReadInput(b []byte, in *core.Input) error {
	if len(b) < inputHeader {
		return malformed("input of %d bytes", len(b))
	}
	addrs := in.Addrs[:0]
	head, rest := b[:inputHeader], b[inputHeader:]
	zone, count, body := int(head[6]), binary.LittleEndian.Uint32(head[64:]), binary.LittleEndian.Uint32(head[68:])
	switch {
	case core.InputKind(head[0]) > core.InputCommand || head[7] != 0:
		return malformed("input kind %d, reserved %d", head[0], head[7])
	case len(rest) < zone || int64(len(rest)) < int64(zone)+int64(count)*addrHeader+int64(body):
		return malformed("input cut short")
	}
	from, err := addrOf(head[3], head[8:24], rest[:zone])
	if err != nil {
		return err
	}
	rest = rest[zone:]
	for range count {
		var a netip.AddrPort
		if a, rest, err = readAddrPort(rest); err != nil {
			return err
		}
		addrs = append(addrs, a)
	}
	if len(rest) != int(body) {
		return malformed("input body of %d bytes, not %d", len(rest), body)
	}
	*in = core.Input{
		Kind:  core.InputKind(head[0]),
		Fault: core.Fault(head[1]),
		Proto: core.Proto(head[2]),
		From:  netip.AddrPortFrom(from, binary.LittleEndian.Uint16(head[4:])),
		Link:  core.Link(binary.LittleEndian.Uint64(head[24:])),
		Token: core.Token(binary.LittleEndian.Uint64(head[32:])),
		Size:  int(int64(binary.LittleEndian.Uint64(head[40:]))),
		At:    core.Instant(binary.LittleEndian.Uint64(head[48:])),
		Wall:  int64(binary.LittleEndian.Uint64(head[56:])),
		Addrs: addrs,
	}
	if in.Kind == core.InputCommand {
		in.Command, err = c.readCommand(rest)
		return err
	}
	in.Data = rest
	return nil
}
