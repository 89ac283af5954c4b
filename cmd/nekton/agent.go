package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/hosts/native"
)

// agentFlags are the settings of an agent as they are typed.
type agentFlags struct {
	config                  string
	name, bind, advertise   string
	join, allow             []string
	preset, label, meta     string
	keyFile, dataDir        string
	tlsCert, tlsKey, tlsCA  string
	tlsName, http, logLevel string
	tcpOnly, logJSON        bool
}

func newAgent() *cobra.Command {
	c := &cobra.Command{
		Use:   "agent",
		Short: "Run a member of a cluster",
		Long: "Run a member of a cluster until it is told to leave: by nekton leave, an interrupt or SIGTERM.\n" +
			"A second signal ends it at once; to the others it has died then.\n\n" +
			"A config file is a JSON object with flags' names as keys: " +
			`{"name": "a", "join": ["10.0.0.7:7946"]}.`,
		Example: "  nekton agent -name a -bind 127.0.0.1:7946\n" +
			"  nekton agent -name b -bind 127.0.0.1:8946 -http 127.0.0.1:8947 -join 127.0.0.1:7946\n" +
			"  nekton members",
		Args: noArgs,
	}
	var f agentFlags
	f.define(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if f.config != "" {
			if err := applyConfig(f.config, c.Flags()); err != nil {
				return misuse(err)
			}
		}
		config, err := f.agent(c.ErrOrStderr())
		if err != nil {
			return misuse(err)
		}
		a, err := agent.Start(c.Context(), config)
		switch {
		case c.Context().Err() != nil:
			return nil // interrupted before it had begun
		case err != nil:
			return misuse(err)
		}
		return a.Serve(c.Context())
	}
	return c
}

func (f *agentFlags) define(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.config, configFlag, "", "JSON `file` of settings, which flags override")
	s.StringVar(&f.name, "name", "", "`name`, unique in the cluster; default: this machine's")
	s.StringVar(&f.bind, "bind", ":7946", "`address` to listen on, UDP and TCP: ip:port, or :port for every interface")
	s.StringVar(&f.advertise, "advertise", "", "`address` where the others reach this member: ip or ip:port")
	s.StringArrayVar(&f.join, "join", nil, "`host:port` of a member to join; repeatable, tried again for ever")
	s.StringVar(&f.preset, "preset", "lan", "timing: lan, wan or local, or one of them with -memberlist appended")
	s.StringVar(&f.label, "label", "", "`text` that keeps clusters apart; all members need the same")
	s.StringVar(&f.keyFile, "key-file", "", "`file` of keys, one per line, the primary first; see: nekton keygen")
	s.StringVar(&f.dataDir, "data-dir", "", "`directory` of the journal; without one a restart begins anew")
	s.StringVar(&f.tlsCert, "tls-cert", "", "PEM `file` of this member's certificate: TLS for every connection")
	s.StringVar(&f.tlsKey, "tls-key", "", "PEM `file` of the certificate's key")
	s.StringVar(&f.tlsCA, "tls-ca", "", "PEM `file` of the authority that signed all members' certificates")
	s.StringVar(&f.tlsName, "tls-name", "", "server `name` in all members' certificates; default: each one's IP")
	s.StringArrayVar(&f.allow, "allow", nil, "`CIDR` whose packets are accepted; repeatable; default: all")
	s.BoolVar(&f.tcpOnly, "tcp-only", false, "no UDP: everything over TCP; all members need the same")
	s.StringVar(&f.meta, "meta", "", "`text` that all members learn about this one")
	s.StringVar(&f.http, "http", defaultHTTP, "loopback `address` of the API")
	s.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	s.BoolVar(&f.logJSON, "log-json", false, "log JSON")
}

// agent turns what was typed into a config.
func (f *agentFlags) agent(stderr io.Writer) (agent.Config, error) {
	logger, err := newLogger(stderr, f.logLevel, f.logJSON)
	if err != nil {
		return agent.Config{}, err
	}
	node, err := f.node(logger)
	if err != nil {
		return agent.Config{}, err
	}
	for _, seed := range f.join {
		if err := agent.CheckSeed(seed); err != nil {
			return agent.Config{}, fmt.Errorf("-join: %w", err)
		}
	}
	return agent.Config{
		Node: node, Join: f.join, HTTP: f.http, KeyFile: f.keyFile, Version: version(), Logger: logger,
	}, nil
}

func (f *agentFlags) node(logger *slog.Logger) (native.NodeConfig, error) {
	var c native.NodeConfig
	var err error
	fail := func(flag string, err error) (native.NodeConfig, error) {
		return native.NodeConfig{}, fmt.Errorf("-%s: %w", flag, err)
	}
	if c.Swim, err = swim.Preset(f.preset); err != nil {
		return fail("preset", err)
	}
	if c.Swim.Name = f.name; f.name == "" {
		if c.Swim.Name, err = os.Hostname(); err != nil {
			return fail("name", fmt.Errorf("this machine has no name (%w); give the member one", err))
		}
	}
	c.Swim.Meta = []byte(f.meta)
	c.Label = f.label
	if f.keyFile != "" {
		if c.Keys, err = agent.ReadKeys(f.keyFile); err != nil {
			return fail("key-file", err)
		}
	}
	c.Host = native.Config{Bind: f.bind, TCPOnly: f.tcpOnly, Journal: f.dataDir, Logger: logger}
	if c.Host.Advertise, err = parseAdvertise(f.advertise); err != nil {
		return fail("advertise", err)
	}
	for _, text := range f.allow {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return fail("allow", fmt.Errorf("%q: want a CIDR such as 10.0.0.0/8", text))
		}
		c.Host.Allow = append(c.Host.Allow, prefix)
	}
	if f.tlsCert+f.tlsKey+f.tlsCA+f.tlsName != "" {
		if f.tlsCert == "" || f.tlsKey == "" || f.tlsCA == "" {
			return c, errors.New("TLS needs all of -tls-cert, -tls-key and -tls-ca")
		}
		if c.Host.TLS, err = native.LoadTLS(f.tlsCert, f.tlsKey, f.tlsCA, f.tlsName); err != nil {
			return c, err
		}
	}
	return c, nil
}

// parseAdvertise reads "ip", "ip:port", or nothing.
func parseAdvertise(text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	if ip, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(ip, 0), nil
	}
	addr, err := netip.ParseAddrPort(text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q: want ip or ip:port", text)
	}
	return addr, nil
}

func newLogger(w io.Writer, level string, asJSON bool) (*slog.Logger, error) {
	var options slog.HandlerOptions
	switch level {
	case "debug":
		options.Level = slog.LevelDebug
	case "info":
		options.Level = slog.LevelInfo
	case "warn":
		options.Level = slog.LevelWarn
	case "error":
		options.Level = slog.LevelError
	default:
		return nil, fmt.Errorf("-log-level %q: use debug, info, warn or error", level)
	}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, &options)), nil
	}
	return slog.New(slog.NewTextHandler(w, &options)), nil
}
