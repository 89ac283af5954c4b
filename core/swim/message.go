package swim

import (
	"net/netip"
	"strconv"

	"github.com/nekton-go/nekton/core"
)

// Proto tags this machine's messages, commands and journal.
const Proto core.Proto = 1

// State is what one member believes of another. The numbers are those of HashiCorp's push/pull wire.
type State uint8

// The states of a member.
const (
	Alive   State = iota
	Suspect       // did not answer; may still refute
	Dead          // did not refute in time
	Left          // said goodbye
	states
)

var stateText = [states]string{"alive", "suspect", "dead", "left"}

// String names the state.
func (s State) String() string {
	if s < states {
		return stateText[s]
	}
	return "state " + strconv.Itoa(int(s))
}

// Gone reports whether the member is dead or has left.
func (s State) Gone() bool { return s >= Dead }

// Versions is the vector every member announces: the range of protocol versions it understands and
// the one it speaks, for the membership protocol and for the application above it.
type Versions struct {
	ProtocolMin, ProtocolMax, Protocol uint8
	AppMin, AppMax, App                uint8
}

// sound reports whether some member could announce this.
func (v Versions) sound() bool {
	return 0 < v.ProtocolMin && v.ProtocolMin <= v.Protocol && v.Protocol <= v.ProtocolMax &&
		v.AppMin <= v.App && v.App <= v.AppMax
}

// Features of the protocol are keyed on the peer's ProtocolMax, as in HashiCorp's.
const (
	protocolStreamPing = 3 // answers pings on a link
	protocolNack       = 4 // helpers tell when an indirect ping had no answer
)

// A Record is one member as members describe it to each other. (Addr, Meta, Versions) belong to one
// incarnation of the member: only the member itself may change them, by raising Incarnation.
type Record struct {
	Name        string         // 1 to 255 bytes, unique in the cluster
	Addr        netip.AddrPort // where its datagrams and links go
	Incarnation uint32
	State       State
	Meta        []byte // the application's, at most Config.MetaMax bytes
	Versions    Versions
}

// A Ping asks the member named Target whether it is there. Any other member drops it.
type Ping struct {
	Seq        uint32
	Target     string
	Source     netip.AddrPort // optional: where the Ack should go; only Memberlist members go by it
	SourceName string         // optional
}

// An IndirectPing asks a helper to ping Target, because a direct Ping had no answer.
type IndirectPing struct {
	Seq        uint32
	Target     string
	TargetAddr netip.AddrPort
	Nack       bool           // tell me, too, when Target does not answer you
	Source     netip.AddrPort // as in Ping
	SourceName string
}

// An Ack answers the Ping, or forwards the answer to the IndirectPing, with the same Seq.
type Ack struct {
	Seq     uint32
	Payload []byte
}

// A Nack says that the target of an IndirectPing did not answer, though the helper is well.
type Nack struct{ Seq uint32 }

// An Announce spreads that a member is alive, with its Record. Record.State is Alive.
type Announce struct{ Record }

// An Accuse spreads that From suspects Node, as of Incarnation.
type Accuse struct {
	Node        string
	Incarnation uint32
	From        string
}

// A Bury spreads that Node is dead, as of Incarnation. From Node itself it means: it left.
type Bury struct {
	Node        string
	Incarnation uint32
	From        string
}

// A PushPull is everything one member knows. Each side of a link sends one.
type PushPull struct {
	Join    bool // the exchange is a Join; the answer repeats it
	Members []Record
	User    []byte // the application's, see SetUserState
}

// A User carries the application's bytes to one member.
type User struct{ Data []byte }

// A Refuse ends an exchange on a link and says why.
type Refuse struct{ Reason string }

// Proto implements core.Message, as all of these do.
func (*Ping) Proto() core.Proto         { return Proto }
func (*IndirectPing) Proto() core.Proto { return Proto }
func (*Ack) Proto() core.Proto          { return Proto }
func (*Nack) Proto() core.Proto         { return Proto }
func (*Announce) Proto() core.Proto     { return Proto }
func (*Accuse) Proto() core.Proto       { return Proto }
func (*Bury) Proto() core.Proto         { return Proto }
func (*PushPull) Proto() core.Proto     { return Proto }
func (*User) Proto() core.Proto         { return Proto }
func (*Refuse) Proto() core.Proto       { return Proto }
