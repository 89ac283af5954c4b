package abi

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/nekton-go/nekton/core"
)

const effectHeader = 48

// AppendEffect appends e as one record. It allocates nothing but what dst must grow, except for events.
// An event that is not in the catalog travels as text. The only error, with dst as it was, is
// core.FaultTooLarge, for a zone beyond ZoneMax.
func (c *Catalog) AppendEffect(dst []byte, e *core.Effect) ([]byte, error) {
	start := len(dst)
	f, zone := family(e.To.Addr())
	if len(zone) > ZoneMax {
		return dst, errZone
	}
	dst = slices.Grow(dst, effectHeader)[:start+effectHeader] // in place: in a guest, appending calls out
	head := (*[effectHeader]byte)(dst[start:])
	*head = [effectHeader]byte{}
	head[0], head[1], head[2], head[3] = byte(e.Kind), byte(e.Proto), f, byte(len(zone))
	binary.LittleEndian.PutUint16(head[4:], e.To.Port())
	putAddr(head[8:24], e.To.Addr())
	binary.LittleEndian.PutUint64(head[24:], uint64(e.Link))
	binary.LittleEndian.PutUint64(head[32:], uint64(e.Token))
	dst = append(dst, zone...)
	body := len(dst)
	switch e.Kind {
	case core.EffectResolve:
		dst = append(dst, e.Name...)
	case core.EffectEmit:
		dst = c.appendEvent(dst, e.Event)
	default:
		dst = append(dst, e.Data...)
	}
	binary.LittleEndian.PutUint32(dst[start+40:], uint32(len(dst)-body))
	return dst, nil
}

// ReadEffect reads the record at the front of b and returns what follows it. e.Data lies in b.
func (c *Catalog) ReadEffect(b []byte, e *core.Effect) (rest []byte, err error) {
	if len(b) < effectHeader {
		return nil, malformed("effect cut short")
	}
	head, rest := b[:effectHeader], b[effectHeader:]
	kind, zone, body := core.EffectKind(head[0]), int(head[3]), binary.LittleEndian.Uint32(head[40:])
	switch {
	case kind == core.EffectNone || kind > core.EffectEmit:
		return nil, malformed("effect kind %d", kind)
	case int64(len(rest)) < int64(zone)+int64(body):
		return nil, malformed("effect cut short")
	}
	to, err := addrOf(head[2], head[8:24], rest[:zone])
	if err != nil {
		return nil, err
	}
	end := zone + int(body)
	content := rest[zone:end:end]
	*e = core.Effect{
		Kind:  kind,
		Proto: core.Proto(head[1]),
		To:    netip.AddrPortFrom(to, binary.LittleEndian.Uint16(head[4:])),
		Link:  core.Link(binary.LittleEndian.Uint64(head[24:])),
		Token: core.Token(binary.LittleEndian.Uint64(head[32:])),
	}
	switch kind {
	case core.EffectResolve:
		e.Name = string(content)
	case core.EffectEmit:
		if e.Event, err = c.readEvent(content); err != nil {
			return nil, err
		}
	case core.EffectSend, core.EffectWrite, core.EffectAppend, core.EffectCompact:
		e.Data = content
	}
	return rest[end:], nil
}
