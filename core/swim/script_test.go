package swim_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nekton-go/nekton/codec/cbor"
	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/coretest"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/internal/script"
)

// TestScripts runs the scripts in testdata. A node is one member; its options are a preset, if not lan,
// and fields of the config: seeds=n1:7946,n2:7946 meta=web transitions k=0 admit=10.0.0.0/8 members-max=4. seed=7 is
// its randomness, and mtu=100 the size of its datagrams.
func TestScripts(t *testing.T) {
	script.Walk(t, "testdata", func(*testing.T) script.Handler {
		var w world
		return coretest.New(coretest.Config{
			Dialect: cbor.New(cbor.Config{}), Node: w.member, Message: w.parseMessage, Command: parseCommand,
		}).Do
	})
}

// A world remembers what a script may refer to.
type world struct {
	last, before uint32 // the numbers of the last ping sent, and of the one before
}

func (w *world) member(name string, addr netip.AddrPort, options []string) (core.Verbs, error) {
	c, seed := swim.LAN(), byte(0)
	if len(options) > 0 && !strings.Contains(options[0], "=") && options[0] != "transitions" {
		preset, err := swim.Preset(options[0])
		if err != nil {
			return nil, err
		}
		c, options = preset, options[1:]
	}
	c.Name, c.Addr = name, addr
	mtu := 0
	for _, o := range options {
		key, value, _ := strings.Cut(o, "=")
		if err := configure(&c, &seed, &mtu, key, value); err != nil {
			return nil, fmt.Errorf("%s: option %s: %w", name, o, err)
		}
	}
	s := [32]byte{seed}
	copy(s[1:], name)
	node, err := stack.New(stack.Config{Seed: s, Swim: c, Dialect: cbor.New(cbor.Config{}), MTU: mtu, Check: true})
	return &observed{node, w, cbor.New(cbor.Config{})}, err
}

// observed is a node whose pings are remembered, and whose command "count" shows what Info's text leaves
// out: its counters, those that moved.
type observed struct {
	*core.Node
	world   *world
	dialect core.Dialect
}

func (o *observed) Next() (core.Effect, bool) {
	e, ok := o.Node.Next()
	if e.Kind == core.EffectSend {
		_ = o.dialect.ReadDatagram(e.Data, func(m core.Message) {
			if ping, ok := m.(*swim.Ping); ok {
				o.world.before, o.world.last = o.world.last, ping.Seq
			}
		})
	}
	if info, _ := e.Event.(*swim.Info); info != nil && info.ID >= countID {
		e.Event = counters(info.Counters)
	}
	return e, ok
}

// countID is above the ids of all other commands.
const countID = 1 << 32

type counters swim.Counters

func (c counters) AppendText(b []byte) ([]byte, error) {
	b = append(b, "counted"...)
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		if n := v.Field(i).Uint(); n > 0 {
			b = fmt.Appendf(b, " %s=%d", v.Type().Field(i).Name, n)
		}
	}
	return b, nil
}

func configure(c *swim.Config, seed *byte, mtu *int, key, value string) (err error) {
	ints := map[string]*int{
		"k": &c.IndirectProbes, "members-max": &c.MembersMax, "meta-max": &c.MetaMax, "relays-max": &c.RelaysMax,
		"pings-max": &c.PingsMax, "exchanges-max": &c.ExchangesMax, "seeds-max": &c.SeedsMax,
		"answers-max": &c.AnswersMax, "user-max": &c.UserMax, "broadcasts-max": &c.BroadcastsMax,
		"gossip-nodes": &c.GossipNodes, "health-max": &c.HealthMax, "confirmations": &c.Confirmations,
		"user-state-max": &c.UserStateMax, "suspicion-mult": &c.SuspicionMult, "retransmit-mult": &c.RetransmitMult,
		"nack-percent": &c.NackPercent, "mtu": mtu,
	}
	durations := map[string]*time.Duration{
		"heal": &c.HealInterval, "tombstone": &c.TombstoneTime, "leave-timeout": &c.LeaveTimeout,
		"push-pull": &c.PushPullInterval, "stream-timeout": &c.StreamTimeout, "gossip-to-dead": &c.GossipToDead,
		"phase": &c.Phase, "probe": &c.ProbeInterval, "probe-timeout": &c.ProbeTimeout, "gossip": &c.GossipInterval,
	}
	switch {
	case ints[key] != nil:
		*ints[key], err = strconv.Atoi(value)
	case durations[key] != nil:
		*durations[key], err = time.ParseDuration(value)
	case key == "name":
		c.Name = value
	case key == "seed":
		var n int
		n, err = strconv.Atoi(value)
		*seed = byte(n)
	case key == "seeds":
		c.Seeds = strings.Split(value, ",")
	case key == "meta":
		c.Meta = text(value)
	case key == "transitions":
		c.Transitions = true
	case key == "no-buddy":
		c.NoBuddy = true
	case key == "no-stream-ping":
		c.NoStreamPing = true
	case key == "versions":
		err = versions(&c.Versions, value)
	case key == "admit":
		prefix, perr := netip.ParsePrefix(value)
		c.Admit, err = func(r *swim.Record) bool { return prefix.Contains(r.Addr.Addr()) }, perr
	default:
		err = fmt.Errorf("no such option")
	}
	return err
}

// parseMessage reads: ping SEQ TARGET [for NAME ADDR]; indirect-ping SEQ TARGET ADDR [nack]; ack SEQ; nack SEQ;
// announce RECORD; accuse NAME@INC FROM; bury NAME@INC FROM; push-pull [join] [user=TEXT] RECORD...;
// user TEXT; refuse TEXT. A RECORD is NAME@INC,ADDR[,STATE[,META[,MIN-MAX-SPOKEN]]]. The text *600 is 600
// times the letter x. SEQ may be that of the last ping
// sent, of the one before it, or beyond: last, before, last+1.
func (w *world) parseMessage(words []string) (core.Message, error) {
	p := &parser{words: words, world: *w}
	var m core.Message
	switch kind := p.word(); kind {
	case "ping":
		ping := &swim.Ping{Seq: p.seq(), Target: p.word()}
		if p.flag("for") {
			ping.SourceName, ping.Source = p.word(), p.addr()
		}
		m = ping
	case "indirect-ping":
		m = &swim.IndirectPing{Seq: p.seq(), Target: p.word(), TargetAddr: p.addr(), Nack: p.flag("nack")}
	case "ack":
		m = &swim.Ack{Seq: p.seq()}
	case "nack":
		m = &swim.Nack{Seq: p.seq()}
	case "announce":
		m = &swim.Announce{Record: p.record()}
	case "accuse":
		name, incarnation := p.claim()
		m = &swim.Accuse{Node: name, Incarnation: incarnation, From: p.word()}
	case "bury":
		name, incarnation := p.claim()
		m = &swim.Bury{Node: name, Incarnation: incarnation, From: p.word()}
	case "push-pull":
		pp := &swim.PushPull{Join: p.flag("join")}
		if user, ok := strings.CutPrefix(strings.Join(p.words, " "), "user="); ok {
			user, _, _ = strings.Cut(user, " ")
			pp.User, p.words = text(user), p.words[1:]
		}
		for len(p.words) > 0 {
			pp.Members = append(pp.Members, p.record())
		}
		m = pp
	case "user":
		m = &swim.User{Data: text(p.word())}
	case "refuse":
		m = &swim.Refuse{Reason: p.word()}
	default:
		return nil, fmt.Errorf("no such message: %q", kind)
	}
	return m, p.err
}

// parseCommand reads: join SEED...; leave [TIMEOUT]; meta TEXT; ping NAME; send NAME TEXT [reliable];
// state TEXT; forget NAME; inspect; count.
func parseCommand(id uint64, words []string) (core.Command, error) {
	p := &parser{words: words}
	var c core.Command
	switch kind := p.word(); kind {
	case "join":
		c, p.words = swim.Join{ID: id, Seeds: p.words}, nil
	case "leave":
		leave := swim.Leave{ID: id}
		if len(p.words) > 0 {
			leave.Timeout, p.err = time.ParseDuration(p.word())
		}
		c = leave
	case "meta":
		c = swim.SetMeta{ID: id, Meta: text(p.word())}
	case "ping":
		c = swim.PingMember{ID: id, Name: p.word()}
	case "send":
		c = swim.SendUser{ID: id, To: p.word(), Data: text(p.word()), Reliable: p.flag("reliable")}
	case "state":
		c = swim.SetUserState{ID: id, Data: text(p.word())}
	case "forget":
		c = swim.Forget{ID: id, Name: p.word()}
	case "inspect":
		c = swim.Inspect{ID: id}
	case "count":
		c = swim.Inspect{ID: countID + id}
	default:
		return nil, fmt.Errorf("no such command: %q", kind)
	}
	return c, p.err
}

// text reads a word that becomes bytes.
func text(word string) []byte {
	if size, ok := strings.CutPrefix(word, "*"); ok {
		if n, err := strconv.Atoi(size); err == nil {
			return bytes.Repeat([]byte("x"), n)
		}
	}
	return []byte(word)
}

// versions reads MIN-MAX-SPOKEN.
func versions(v *swim.Versions, word string) error {
	_, err := fmt.Sscanf(word, "%d-%d-%d", &v.ProtocolMin, &v.ProtocolMax, &v.Protocol)
	return err
}

type parser struct {
	words []string
	world world
	err   error
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) word() string {
	if len(p.words) == 0 {
		p.fail(fmt.Errorf("too few words"))
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

func (p *parser) seq() uint32 {
	base, offset, _ := strings.Cut(p.word(), "+")
	switch base {
	case "last":
		return p.world.last + number(offset)
	case "before":
		return p.world.before + number(offset)
	}
	n, err := strconv.ParseUint(base, 10, 32)
	p.fail(err)
	return uint32(n)
}

func number(word string) uint32 {
	n, _ := strconv.ParseUint(word, 10, 32)
	return uint32(n)
}

func (p *parser) addr() netip.AddrPort {
	a, err := netip.ParseAddrPort(p.word())
	p.fail(err)
	return a
}

func (p *parser) flag(name string) bool {
	if len(p.words) > 0 && p.words[0] == name {
		p.words = p.words[1:]
		return true
	}
	return false
}

// claim reads NAME@INC.
func (p *parser) claim() (string, uint32) {
	name, number, ok := strings.Cut(p.word(), "@")
	incarnation, err := strconv.ParseUint(number, 10, 32)
	if !ok || err != nil {
		p.fail(fmt.Errorf("want NAME@INCARNATION"))
	}
	return name, uint32(incarnation)
}

func (p *parser) record() swim.Record {
	parts := strings.Split(p.word(), ",")
	r := swim.Record{Versions: swim.LAN().Versions}
	r.Name, r.Incarnation = (&parser{words: parts[:1]}).claim()
	if len(parts) < 2 {
		p.fail(fmt.Errorf("want NAME@INC,ADDR[,STATE[,META]]"))
		return r
	}
	var err error
	r.Addr, err = netip.ParseAddrPort(parts[1])
	p.fail(err)
	for i := 2; i < len(parts); i++ {
		switch i {
		case 3:
			r.Meta = text(parts[i])
			continue
		case 4:
			p.fail(versions(&r.Versions, parts[i]))
			continue
		}
		for s := swim.Alive; s <= swim.Left; s++ {
			if s.String() == parts[i] {
				r.State = s
			}
		}
	}
	return r
}
