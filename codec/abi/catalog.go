package abi

import (
	"fmt"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/swim"
)

// A Catalog names the commands and events that cross the boundary as themselves. Guest and host build
// theirs with the same functions. It is immutable once NewCatalog has returned.
type Catalog struct {
	commands []commandType
	events   []eventType
}

type commandType struct {
	name string
	is   func(core.Command) bool
	read func(body []byte) (core.Command, error)
}

type eventType struct {
	name string
	is   func(core.Event) bool
	read func(body []byte) (core.Event, error)
}

// NewCatalog returns a catalog of what core and core/swim have, and of what the given functions add.
func NewCatalog(register ...func(*Catalog)) *Catalog {
	c := new(Catalog)
	Event[core.Done](c, "core.done")
	swimCatalog(c)
	for _, r := range register {
		r(c)
	}
	return c
}

func swimCatalog(c *Catalog) {
	Command[swim.Join](c, "swim.join")
	Command[swim.Leave](c, "swim.leave")
	Command[swim.SetMeta](c, "swim.set-meta")
	Command[swim.PingMember](c, "swim.ping-member")
	Command[swim.SendUser](c, "swim.send-user")
	Command[swim.SetUserState](c, "swim.set-user-state")
	Command[swim.Forget](c, "swim.forget")
	Command[swim.Inspect](c, "swim.inspect")
	Event[swim.Joined](c, "swim.joined")
	Event[swim.Updated](c, "swim.updated")
	Event[swim.Suspected](c, "swim.suspected")
	Event[swim.Refuted](c, "swim.refuted")
	Event[swim.Failed](c, "swim.failed")
	Event[swim.Departed](c, "swim.departed")
	Event[swim.Reaped](c, "swim.reaped")
	Event[swim.Conflict](c, "swim.conflict")
	Event[swim.HealthChanged](c, "swim.health-changed")
	Event[swim.UserReceived](c, "swim.user-received")
	Event[swim.UserStateReceived](c, "swim.user-state-received")
	Event[swim.Ready](c, "swim.ready")
	Event[swim.JoinDone](c, "swim.join-done")
	Event[swim.Pong](c, "swim.pong")
	Event[swim.Info](c, "swim.info")
	Event[swim.Transition](c, "swim.transition")
}

// Command adds the command type T, which machines receive by value. It panics if the name is empty or taken.
func Command[T core.Command](c *Catalog, name string) {
	for _, t := range c.commands {
		checkName(name, t.name)
	}
	checkName(name, "")
	c.commands = append(c.commands, commandType{
		name: name,
		is:   func(v core.Command) bool { _, ok := v.(T); return ok },
		read: func(body []byte) (core.Command, error) {
			var v T
			err := decode(body, &v)
			return v, err
		},
	})
}

// Event adds the event type T, which machines emit as *T. It panics if the name is empty or taken.
func Event[T any, P interface {
	*T
	core.Event
}](c *Catalog, name string) {
	for _, t := range c.events {
		checkName(name, t.name)
	}
	checkName(name, "")
	c.events = append(c.events, eventType{
		name: name,
		is:   func(v core.Event) bool { _, ok := v.(P); return ok },
		read: func(body []byte) (core.Event, error) {
			v := P(new(T))
			err := decode(body, v)
			return v, err
		},
	})
}

func checkName(name, taken string) {
	if name == taken {
		panic(fmt.Sprintf("abi: the name %q is taken; every type in a catalog needs one of its own", name))
	}
}

// A Text is an event that crossed as the line it prints.
type Text struct{ Line string }

// AppendText implements core.Event.
func (t *Text) AppendText(b []byte) ([]byte, error) { return append(b, t.Line...), nil }

// A CommandError is a command that arrived but cannot be read. It must still be completed: Done says how.
type CommandError struct{ core.Done }

// Error implements error.
func (e *CommandError) Error() string { return fmt.Sprintf("abi: command %d: %s", e.ID, e.Detail) }

// Unwrap returns the fault.
func (e *CommandError) Unwrap() error { return e.Fault }

// command is a command as it travels: [name, id, body].
type command struct {
	_    struct{} `cbor:",toarray"`
	Name string
	ID   uint64
	Body cbor.RawMessage
}

func (c *Catalog) appendCommand(dst []byte, v core.Command) ([]byte, error) {
	for _, t := range c.commands {
		if !t.is(v) {
			continue
		}
		body, err := appendCBOR(nil, v)
		if err != nil {
			return dst, err
		}
		return appendCBOR(dst, command{Name: t.name, ID: v.CommandID(), Body: body})
	}
	return dst, malformed("command %T is not in the catalog", v)
}

func (c *Catalog) readCommand(b []byte) (core.Command, error) {
	var r command
	if err := decode(b, &r); err != nil {
		return nil, err
	}
	for _, t := range c.commands {
		if t.name != r.Name {
			continue
		}
		v, err := t.read(r.Body)
		if err != nil {
			return nil, &CommandError{core.Done{ID: r.ID, Fault: core.FaultInvalid, Detail: err.Error()}}
		}
		return v, nil
	}
	detail := fmt.Sprintf("the guest has no command %q in its catalog", r.Name)
	return nil, &CommandError{core.Done{ID: r.ID, Fault: core.FaultNotFound, Detail: detail}}
}

// event is an event as it travels: [name, body].
type event struct {
	_    struct{} `cbor:",toarray"`
	Name string
	Body cbor.RawMessage
}

// completion is a completion as it travels: [name, body, id, fault].
type completion struct {
	_     struct{} `cbor:",toarray"`
	Name  string
	Body  cbor.RawMessage
	ID    uint64
	Fault core.Fault
}

// appendEvent always succeeds: what cannot travel as itself does as text.
func (c *Catalog) appendEvent(dst []byte, v core.Event) []byte {
	name, body := c.eventBody(v)
	if done, ok := v.(core.Completion); ok {
		dst, _ = appendCBOR(dst, completion{Name: name, Body: body, ID: done.Completes(), Fault: done.Outcome()})
	} else {
		dst, _ = appendCBOR(dst, event{Name: name, Body: body})
	}
	return dst
}

func (c *Catalog) eventBody(v core.Event) (name string, body []byte) {
	for _, t := range c.events {
		if t.is(v) {
			if body, err := appendCBOR(nil, v); err == nil {
				return t.name, body
			}
		}
	}
	line, _ := v.AppendText(nil)
	body, _ = appendCBOR(nil, strings.ToValidUTF8(string(line), "\uFFFD"))
	return "", body
}

func (c *Catalog) readEvent(b []byte) (core.Event, error) {
	if len(b) > 0 && b[0] == completionHead {
		var r completion
		if err := decode(b, &r); err != nil {
			return nil, err
		}
		v, line, err := c.eventOf(r.Name, r.Body)
		if v == nil && err == nil {
			v = &core.Done{ID: r.ID, Fault: r.Fault, Detail: line}
		}
		return v, err
	}
	var r event
	if err := decode(b, &r); err != nil {
		return nil, err
	}
	v, line, err := c.eventOf(r.Name, r.Body)
	if v == nil && err == nil {
		v = &Text{Line: line}
	}
	return v, err
}

const completionHead = 0x84 // CBOR: an array of four

// eventOf returns the event of that name, or the line it is known by if the catalog does not have it.
func (c *Catalog) eventOf(name string, body []byte) (v core.Event, line string, err error) {
	if name == "" {
		err = decode(body, &line)
		return nil, line, err
	}
	for _, t := range c.events {
		if t.name == name {
			v, err = t.read(body)
			if err != nil {
				return nil, "", err
			}
			return v, "", nil
		}
	}
	fields, err := cbor.Diagnose(body)
	if err != nil {
		return nil, "", malformed("event %q: %v", name, err)
	}
	return nil, name + " " + fields, nil
}
