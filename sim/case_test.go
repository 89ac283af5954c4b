package sim

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nekton-go/nekton/core/swim"
)

// TestCasesSurviveJSON writes out every scenario, reads it back, and runs both.
func TestCasesSurviveJSON(t *testing.T) {
	for _, name := range Scenarios() {
		c, err := Options{Scenario: name, Nodes: 5, Seed: 7, LossPPM: 1000, Preset: swim.Local()}.Case()
		require.NoError(t, err)
		if name == "loss" {
			c.Sealed, c.Network = true, Network{Shape: "pareto", LatencyMean: time.Millisecond}.defaulted()
		}
		text, err := json.Marshal(c)
		require.NoError(t, err)
		var back Case
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, c, back)
		first, err := Simulate(c, Harness{})
		require.NoError(t, err)
		again, err := Simulate(back, Harness{})
		require.NoError(t, err)
		require.Equal(t, first, again)
	}
}

// TestCasesRefuse pins what a case must not say, and that the message helps.
func TestCasesRefuse(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{"seed":1,"colour":"red"}`, `unknown field "colour"`},
		{`{"ops":[{"at":"1s","kind":"fly"}]}`, `no kind of operation called "fly"`},
		{`{"ops":[{"at":"soon","kind":"cut"}]}`, `invalid duration "soon"`},
		{`{"swim":{"ProbeIntervall":1}}`, `unknown field "ProbeIntervall"`},
	} {
		require.ErrorContains(t, json.Unmarshal([]byte(c.text), new(Case)), c.want)
	}
	good, err := Options{Scenario: "calm", Nodes: 3}.Case()
	require.NoError(t, err)
	for _, c := range []struct {
		op   Op
		want string
	}{
		{Op{Kind: Crash, Nodes: []int{3}}, "member 3 does not exist; there are 3"},
		{Op{Kind: Crash}, "say which members"},
		{Op{Kind: Join, Nodes: []int{1}}, "say by way of which members"},
		{Op{Kind: Cut, At: time.Second, Until: time.Second}, "it ends before it begins"},
		{Op{Kind: Start, Nodes: []int{1}, Until: time.Second}, "leave out the end"},
		{Op{Kind: Loss, PPM: 2_000_000}, "2000000 in a million"},
		{Op{Kind: kinds}, "no such kind"},
	} {
		bad := good
		bad.Ops = []Op{c.op}
		_, err := Simulate(bad, Harness{})
		require.ErrorIs(t, err, ErrOptions)
		require.ErrorContains(t, err, c.want)
	}
}

// TestWithout takes one fault out of a case.
func TestWithout(t *testing.T) {
	c, err := Options{Scenario: "loss", Nodes: 4}.Case()
	require.NoError(t, err)
	calm := c.Without("loss")
	require.Len(t, calm.Ops, len(c.Ops)-1)
	require.Equal(t, Loss, c.Ops[0].Kind)
}
