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
		s.ping = swim.Ping{Seq: r.uint32(), Target: r.name(), Source: r.addr(), SourceName: r.optionalName()}
		return &s.ping
	case typeAck:
		s.ack = swim.Ack{Seq: r.uint32(), Payload: r.bytes(math.MaxInt)}
		return &s.ack
	case typeNack:
		s.nack = swim.Nack{Seq: r.uint32()}
		return &s.nack
	case typeIndirectPing:
		s.indirectPing = swim.IndirectPing{
			Seq: r.uint32(), Target: r.name(), TargetAddr: r.addr(), Nack: r.bool(),
			Source: r.addr(), SourceName: r.optionalName(),
		}
		return &s.indirectPing
	case typeAnnounce:
		s.announce = swim.Announce{Record: swim.Record{
			Name: r.name(), Addr: r.addr(), Incarnation: r.uint32(),
			Meta: r.bytes(s.metaMax), Versions: readVersions(r),
		}}
		return &s.announce
	case typeAccuse:
		s.accuse = swim.Accuse{Node: r.name(), Incarnation: r.uint32(), From: r.name()}
		return &s.accuse
	case typeBury:
		s.bury = swim.Bury{Node: r.name(), Incarnation: r.uint32(), From: r.name()}
		return &s.bury
	case typeUser:
		s.user = swim.User{Data: r.bytes(math.MaxInt)}
		return &s.user
	case typePushPull:
		s.pushPull = swim.PushPull{Join: r.bool(), Members: s.readRecords(r), User: r.bytes(math.MaxInt)}
		return &s.pushPull
	default:
		s.refuse = swim.Refuse{Reason: string(r.text(reasonMax))}
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
		m.Name, m.Addr, m.Incarnation = r.nextName(), r.addr(), r.uint32()
		m.State, m.Meta, m.Versions = swim.State(r.uint(uint64(swim.Left))), r.bytes(s.metaMax), readVersions(r)
	}
	return s.records
}

func readVersions(r *reader) (v swim.Versions) {
	b := r.bytes(versionsSize)
	if len(b) != versionsSize {
		r.fail()
		return v
	}
	return swim.Versions{
		ProtocolMin: b[0], ProtocolMax: b[1], Protocol: b[2], AppMin: b[3], AppMax: b[4], App: b[5],
	}
}

// release gives up scratch that an unusually large push/pull left behind.
func (s *swimWords) release() {
	if len(s.records) > s.recordsMax {
		s.records, s.pushPull.Members = nil, nil
	}
}
