package sim_test

import (
	"fmt"
	"strings"

	"github.com/nekton-go/nekton/core"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/core/swim"
	"github.com/nekton-go/nekton/sim"
)

// Sixteen members lose one. The same options always give the same trace hash.
func ExampleRun() {
	result, err := sim.Run(sim.Options{Scenario: "crash", Nodes: 16, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	again, _ := sim.Run(sim.Options{Scenario: "crash", Nodes: 16, Seed: 1})
	fmt.Println("ok:", result.OK, "violations:", len(result.Violations), "false positives:", result.FalsePositives)
	fmt.Println("detected:", result.FirstDetectionMS > 0, "repeats:", result.TraceHash == again.TraceHash)
	// Output:
	// ok: true violations: 0 false positives: 0
	// detected: true repeats: true
}

// A Factory may put anything in place of the standard node, here one that takes longer to suspect.
func ExampleFactory() {
	var names []string
	result, err := sim.Run(sim.Options{
		Scenario: "calm", Nodes: 3, Preset: swim.Local(),
		Harness: sim.Harness{NewNode: func(index int, c stack.Config) (core.Verbs, error) {
			names = append(names, c.Swim.Name)
			c.Swim.SuspicionMult = 8
			return stack.New(c)
		}},
	})
	fmt.Println(strings.Join(names, " "), err, result.OK)
	// Output: n0 n1 n2 <nil> true
}

// A schedule is data: what happens to whom, and when.
func ExampleOptions_Case() {
	c, _ := sim.Options{Scenario: "crash", Nodes: 3, LossPPM: 10_000}.Case()
	for _, op := range c.Ops[:5] {
		fmt.Println(op.At, op)
	}
	// Output:
	// 0s loss all - all 10000 ppm
	// 0s start n0
	// 7ms start n1
	// 7ms join n1 - n0
	// 14ms start n2
}
