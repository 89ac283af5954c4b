package main

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/cmd/nekton/internal/agent"
	"github.com/nekton-go/nekton/core/swim"
)

func agentConfig(t *testing.T, file string, args ...string) agent.Config {
	t.Helper()
	var c cobra.Command
	var f agentFlags
	f.define(&c)
	require.NoError(t, c.ParseFlags(args))
	if file != "" {
		path := filepath.Join(t.TempDir(), "config.json")
		require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
		require.NoError(t, applyConfig(path, c.Flags()))
	}
	config, err := f.agent(io.Discard)
	require.NoError(t, err)
	return config
}

func TestAgentDefaults(t *testing.T) {
	c := agentConfig(t, "")
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Equal(t, host, c.Node.Swim.Name)
	require.Equal(t, swim.LAN().ProbeInterval, c.Node.Swim.ProbeInterval)
	require.Equal(t, ":7946", c.Node.Host.Bind)
	require.Equal(t, defaultHTTP, c.HTTP)
	require.Empty(t, c.Join)
	require.Nil(t, c.Node.Host.TLS)
}

// TestAgentConfigFile expects flags to go before the file, and the file before defaults.
func TestAgentConfigFile(t *testing.T) {
	c := agentConfig(t, `{
		"name": "from-file", "meta": "from-file", "preset": "wan-memberlist", "tcp-only": true, "log-level": "debug",
		"join": ["10.0.0.1:7946", "seed.example:7946"], "allow": ["10.0.0.0/8", "fd00::/8"], "advertise": "10.0.0.9"
	}`, "--name", "from-flag", "--allow", "192.0.2.0/24", "--label", "x", "--data-dir", "d")
	require.Equal(t, "from-flag", c.Node.Swim.Name)
	require.Equal(t, "from-file", string(c.Node.Swim.Meta))
	require.Equal(t, swim.Memberlist, c.Node.Swim.Fidelity)
	require.Equal(t, swim.WAN().ProbeInterval, c.Node.Swim.ProbeInterval)
	require.True(t, c.Node.Host.TCPOnly)
	require.Equal(t, []string{"10.0.0.1:7946", "seed.example:7946"}, c.Join)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, c.Node.Host.Allow)
	require.Equal(t, netip.MustParseAddrPort("10.0.0.9:0"), c.Node.Host.Advertise)
	require.Equal(t, "x", c.Node.Label)
	require.Equal(t, "d", c.Node.Host.Journal)
}

func TestAgentAdvertisesAPort(t *testing.T) {
	c := agentConfig(t, "", "--advertise", "[2001:db8::1]:99")
	require.Equal(t, netip.MustParseAddrPort("[2001:db8::1]:99"), c.Node.Host.Advertise)
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"name": "a", "join": ["b:1"], "tcp-only": true}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		settings, err := parseConfig(text)
		if err != nil {
			return
		}
		var c cobra.Command
		var flags agentFlags
		flags.define(&c)
		for key, value := range settings {
			if flag := c.Flags().Lookup(key); flag != nil {
				setFlag(flag, value) // an error or not, but no panic
			}
		}
	})
}
