package cbor

import (
	"math"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

const (
	reasonMax    = 1024 // bytes of Refuse.Reason
	recordFields = 6
	versionsSize = 6
)

// swimFields is how many elements the array of each type has, the type included.
var swimFields = [swimTypes]uint64{
	typePing: 5, typeAck: 3, typeNack: 2, typeIndirectPing: 7, typeAnnounce: 6,
	typeAccuse: 4, typeBury: 4, typeUser: 2, typePushPull: 4, typeRefuse: 2,
}

// swimWords writes and reads the messages of membership. It reads into scratch, one of each type.
type swimWords struct {
	metaMax    int
	recordsMax int

	ping         swim.Ping
	ack          swim.Ack
	nack         swim.Nack
	indirectPing swim.IndirectPing
	announce     swim.Announce
	accuse       swim.Accuse
	bury         swim.Bury
	user         swim.User
	pushPull     swim.PushPull
	refuse       swim.Refuse
	records      []swim.Record // backs pushPull.Members
}

func (s *swimWords) append(w *writer, m core.Message) {
	switch m := m.(type) {
	case *swim.Ping:
		w.message(typePing, 5)
		w.uint(m.Seq)
		w.name(m.Target)
		w.addr(m.Source)
		w.text(m.SourceName, nameMax)
	case *swim.Ack:
		w.message(typeAck, 3)
		w.uint(m.Seq)
		w.bytes(m.Payload)
	case *swim.Nack:
		w.message(typeNack, 2)
		w.uint(m.Seq)
	case *swim.IndirectPing:
		w.message(typeIndirectPing, 7)
		w.uint(m.Seq)
		w.name(m.Target)
		w.addr(m.TargetAddr)
		w.bool(m.Nack)
		w.addr(m.Source)
		w.text(m.SourceName, nameMax)
	case *swim.Announce:
		s.appendAnnounce(w, m)
	case *swim.Accuse:
		w.message(typeAccuse, 4)
		w.name(m.Node)
		w.uint(m.Incarnation)
		w.name(m.From)
	case *swim.Bury:
		w.message(typeBury, 4)
		w.name(m.Node)
		w.uint(m.Incarnation)
		w.name(m.From)
	case *swim.User:
		w.message(typeUser, 2)
		w.bytes(m.Data)
	case *swim.PushPull:
		s.appendPushPull(w, m)
	case *swim.Refuse:
		w.message(typeRefuse, 2)
		w.text(m.Reason, reasonMax)
	default:
		w.fail(core.FaultInvalid)
	}
}

// appendAnnounce leaves the state out: announced members are alive.
func (s *swimWords) appendAnnounce(w *writer, m *swim.Announce) {
	if m.State != swim.Alive {
		w.fail(core.FaultInvalid)
	}
	w.message(typeAnnounce, 6)
	w.name(m.Name)
	w.addr(m.Addr)
	w.uint(m.Incarnation)
	s.appendMeta(w, m.Meta)
	appendVersions(w, &m.Versions)
}

func (s *swimWords) appendPushPull(w *writer, m *swim.PushPull) {
	w.message(typePushPull, 4)
	w.bool(m.Join)
	w.head(majorArray, uint64(len(m.Members)))
	for i := range m.Members {
		r := &m.Members[i]
		if r.State > swim.Left {
			w.fail(core.FaultInvalid)
		}
		w.head(majorArray, recordFields)
		w.name(r.Name)
		w.addr(r.Addr)
		w.uint(r.Incarnation)
		w.uint(uint32(r.State))
		s.appendMeta(w, r.Meta)
		appendVersions(w, &r.Versions)
	}
	w.bytes(m.User)
}

func (s *swimWords) appendMeta(w *writer, meta []byte) {
	if len(meta) > s.metaMax {
		w.fail(core.FaultTooLarge)
		return
	}
	w.bytes(meta)
}

func appendVersions(w *writer, v *swim.Versions) {
	w.b = append(w.b, majorBytes|versionsSize,
		v.ProtocolMin, v.ProtocolMax, v.Protocol, v.AppMin, v.AppMax, v.App)
}

// read reads the fields that follow the type.
func (s *swimWords) read(r *reader, kind, fields uint64) core.Message {
	if fields != swimFields[kind] {
		r.fail()
		return nil
	}
	switch kind {
	case typePing:
		m := &s.ping
		m.Seq = r.uint32()
		m.Target = r.name()
		m.Source = r.addr()
		m.SourceName = r.optionalName()
		return m
	case typeAck:
		m := &s.ack
		m.Seq = r.uint32()
		m.Payload = r.bytes(math.MaxInt)
		return m
	case typeNack:
		s.nack.Seq = r.uint32()
		return &s.nack
	case typeIndirectPing:
		m := &s.indirectPing
		m.Seq = r.uint32()
		m.Target = r.name()
		m.TargetAddr = r.addr()
		m.Nack = r.bool()
		m.Source = r.addr()
		m.SourceName = r.optionalName()
		return m
	case typeAnnounce:
		m := &s.announce
		m.Name = r.name()
		m.Addr = r.addr()
		m.Incarnation = r.uint32()
		m.State = swim.Alive
		m.Meta = r.bytes(s.metaMax)
		readVersions(r, &m.Versions)
		return m
	case typeAccuse:
		m := &s.accuse
		m.Node = r.name()
		m.Incarnation = r.uint32()
		m.From = r.name()
		return m
	case typeBury:
		m := &s.bury
		m.Node = r.name()
		m.Incarnation = r.uint32()
		m.From = r.name()
		return m
	case typeUser:
		s.user.Data = r.bytes(math.MaxInt)
		return &s.user
	case typePushPull:
		m := &s.pushPull
		m.Join = r.bool()
		m.Members = s.readRecords(r)
		m.User = r.bytes(math.MaxInt)
		return m
	default:
		s.refuse.Reason = string(r.text(reasonMax))
		return &s.refuse
	}
}

// readRecords makes room for records as it finds them, not as they are promised.
func (s *swimWords) readRecords(r *reader) []swim.Record {
	s.records = s.records[:0]
	for n := r.head(majorArray); n > 0 && !r.bad; n-- {
		if r.head(majorArray) != recordFields {
			r.fail()
		}
		s.records = append(s.records, swim.Record{})
		m := &s.records[len(s.records)-1] // in place: there are many
		m.Name = r.nextName()
		m.Addr = r.addr()
		m.Incarnation = r.uint32()
		m.State = swim.State(r.uint(uint64(swim.Left)))
		m.Meta = r.bytes(s.metaMax)
		readVersions(r, &m.Versions)
	}
	return s.records
}

func readVersions(r *reader, v *swim.Versions) {
	rest := r.b[r.at:]
	if len(rest) <= versionsSize || rest[0] != majorBytes|versionsSize {
		r.fail()
		return
	}
	r.at += 1 + versionsSize
	v.ProtocolMin, v.ProtocolMax, v.Protocol = rest[1], rest[2], rest[3]
	v.AppMin, v.AppMax, v.App = rest[4], rest[5], rest[6]
}

// release gives up scratch that an unusually large push/pull left behind.
func (s *swimWords) release() {
	if len(s.records) > s.recordsMax {
		s.records, s.pushPull.Members = nil, nil
	}
}
