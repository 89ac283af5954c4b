package coretest

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/nekton-go/nekton/core"
)

// input runs a command that is one input for one node.
func (e *Env) input(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("unknown command %q", strings.Join(args, " "))
	}
	n, err := e.node(args[1])
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	if n.verbs == nil {
		return fmt.Errorf("%s has crashed", n.name)
	}
	in, err := e.parse(n, args[0], args[2:])
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	size := len(in.Data)
	if args[0] == "trickle" {
		size = in.Size
	}
	if e.late > 0 {
		in.At = e.now - core.Instant(e.late)
	}
	for data := in.Data; ; data = data[size:] {
		size = min(size, len(data))
		in.Data = data[:size]
		e.step(n, in)
		if size == len(data) {
			break
		}
	}
	n.started = n.started || in.Kind == core.InputWake
	return nil
}

func (e *Env) parse(n *node, word string, args []string) (core.Input, error) {
	switch word {
	case "wake":
		return core.Input{Kind: core.InputWake}, nil
	case "do":
		e.ids++
		c, err := e.config.Command(e.ids, args)
		return core.Input{Kind: core.InputCommand, Command: c}, err
	case "wall":
		seconds, err := integer(args, 0)
		return core.Input{Kind: core.InputWall, Wall: int64(seconds) * int64(time.Second)}, err
	case "recv", "bytes":
		return e.parseDatagram(word, args)
	case "accept":
		return e.parseAccept(n, args)
	case "up", "down", "read", "trickle", "readbytes", "flushed":
		return e.parseLink(n, word, args)
	case "resolved", "stored":
		return e.parseOutcome(n, word, args)
	case "restore", "replay":
		in := core.Input{Kind: core.InputRestore}
		if word == "replay" {
			in.Kind = core.InputReplay
		}
		proto, err := integer(args, 0)
		if err != nil || len(args) != 2 {
			return in, fmt.Errorf("which protocol and bytes?")
		}
		in.Proto = core.Proto(proto)
		in.Data, err = hex.DecodeString(args[1])
		return in, err
	}
	return core.Input{}, fmt.Errorf("unknown command")
}

func (e *Env) parseDatagram(word string, args []string) (in core.Input, err error) {
	if len(args) < 2 {
		return in, fmt.Errorf("from where, and what?")
	}
	in.Kind = core.InputDatagram
	if in.From, err = netip.ParseAddrPort(args[0]); err != nil {
		return in, err
	}
	if word == "bytes" {
		in.Data, err = hex.DecodeString(strings.Trim(args[1], `"`))
		return in, err
	}
	var parts [][]byte
	err = e.messages(args[1:], func(m core.Message) error {
		part, err := e.config.Dialect.AppendMessage(nil, m)
		parts = append(parts, part)
		return err
	})
	if err == nil {
		in.Data = e.config.Dialect.AppendDatagram(nil, parts)
	}
	return in, err
}

func (e *Env) parseAccept(n *node, args []string) (in core.Input, err error) {
	if len(args) != 2 {
		return in, fmt.Errorf("which link, and from where?")
	}
	in.Kind, in.Link = core.InputUp, core.Accepted(uint64(len(e.links)+1))
	in.From, err = netip.ParseAddrPort(args[1])
	e.links = append(e.links, &link{name: args[0], ends: [2]end{{}, {n, in.Link, e.config.Dialect.NewFrameReader()}}})
	return in, err
}

func (e *Env) parseLink(n *node, word string, args []string) (in core.Input, err error) {
	if len(args) == 0 {
		return in, fmt.Errorf("which link?")
	}
	if in.Link, err = e.linkNamed(n, args[0]); err != nil {
		return in, err
	}
	args = args[1:]
	switch word {
	case "up":
		in.Kind = core.InputUp
	case "down":
		in.Kind = core.InputDown
		in.Fault, err = parseFault(args)
	case "flushed":
		in.Kind = core.InputFlushed
		in.Size, err = integer(args, 0)
	case "readbytes":
		in.Kind = core.InputRead
		in.Data, err = hex.DecodeString(strings.Join(args, ""))
	case "trickle":
		if in.Size, err = integer(args, 0); err != nil || in.Size < 1 {
			return in, fmt.Errorf("in pieces of what size?")
		}
		in.Kind = core.InputRead
		in.Data, err = e.parseFrames(args[1:])
	case "read":
		in.Kind = core.InputRead
		in.Data, err = e.parseFrames(args)
	}
	return in, err
}

func (e *Env) parseFrames(words []string) (data []byte, err error) {
	return data, e.messages(words, func(m core.Message) (err error) {
		data, err = e.config.Dialect.AppendFrame(data, m)
		return err
	})
}

func (e *Env) parseOutcome(n *node, word string, args []string) (in core.Input, err error) {
	in.Kind = core.InputStored
	if len(args) == 0 {
		return in, fmt.Errorf("which token?")
	}
	if in.Token, err = e.tokenNamed(n, args[0]); err != nil {
		return in, err
	}
	args = args[1:]
	if word == "resolved" {
		in.Kind = core.InputResolved
		if in.Addrs, err = parseAddrs(args); err == nil {
			return in, nil
		}
	}
	in.Fault, err = parseFault(args)
	return in, err
}

// messages reads words as messages separated by "|".
func (e *Env) messages(words []string, each func(core.Message) error) error {
	for len(words) > 0 {
		end := 0
		for end < len(words) && words[end] != "|" {
			end++
		}
		m, err := e.config.Message(words[:end])
		if err == nil {
			err = each(m)
		}
		if err != nil {
			return err
		}
		words = words[min(end+1, len(words)):]
	}
	return nil
}

func (e *Env) linkNamed(n *node, name string) (core.Link, error) {
	for _, l := range e.links {
		for _, end := range l.ends {
			if l.name == name && end.node == n {
				return end.id, nil
			}
		}
	}
	return 0, fmt.Errorf("%s has no link %s", n.name, name)
}

func (e *Env) tokenNamed(n *node, name string) (core.Token, error) {
	for i, t := range e.tokens {
		if name == fmt.Sprintf("t%d", i+1) && t.node == n {
			return t.id, nil
		}
	}
	return 0, fmt.Errorf("%s has no token %s", n.name, name)
}

func integer(args []string, i int) (int, error) {
	if i >= len(args) {
		return 0, fmt.Errorf("a number is missing")
	}
	return strconv.Atoi(args[i])
}
