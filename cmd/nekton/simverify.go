package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/nekton-go/nekton/sim"
)

func newSimVerify() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check that runs are the same, however and wherever they are made",
		Long: "Check that the same seeds make the same runs: again in this process, whatever the garbage collector\n" +
			"does; in another process; with WebAssembly nodes, compiled and interpreted; and, given the source\n" +
			"of this program, built for older and newer processors and with the race detector. Runs are\n" +
			"compared by hashes of every step. Exits with 12 if one differs.",
		Example: "  nekton sim verify -seeds 0:50\n" +
			"  nekton sim verify -print > here.jsonl   # and elsewhere: nekton sim verify -against here.jsonl",
		Args: noArgs,
	}
	v := simVerify{seeds: seedRange{from: 0, to: 50, of: 1}}
	f := c.Flags()
	f.Var(&v.seeds, "seeds", "seeds to run, `from:to`, without the last")
	f.StringVar(&v.swarm, "swarm", "default", "`kind` of swarm: "+strings.Join(sim.Profiles(), ", "))
	f.IntVarP(&v.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "`number` of runs at a time")
	f.StringVar(&v.guest, "wasm-file", "", "guest `file`; default: "+guestName+" beside this program, if it is there")
	f.Uint64Var(&v.interpreted, "interpreted", 2, "`number` of seeds to run with interpreted guests, which is slow")
	f.StringVar(&v.source, "source", "", "`directory` of this program's source, to build it in other ways")
	f.StringVar(&v.against, "against", "", "`file` with what -print printed elsewhere, to compare with as well")
	print := f.Bool("print", false, "compare nothing: print what others can compare with, as JSON lines")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if _, err := sim.Swarm(0, v.swarm); err != nil {
			return misuse(err)
		}
		if v.seeds.to == openEnd || v.jobs < 1 {
			return misuse(errors.New("-seeds must have an end, and -jobs be 1 or more"))
		}
		v.w = c.OutOrStdout()
		if *print {
			return v.print(c.Context())
		}
		return v.run(c.Context())
	}
	return c
}

// simVerify is one call of sim verify.
type simVerify struct {
	seeds       seedRange
	swarm       string
	jobs        int
	guest       string
	interpreted uint64
	source      string
	against     string
	w           io.Writer

	reference []trace
	differs   bool
}

// trace is what a run is compared by, as JSON.
type trace struct {
	Seed        uint64          `json:"seed"`
	Steps       uint64          `json:"steps"`
	TraceHash   string          `json:"trace_hash"`
	Checkpoints sim.Checkpoints `json:"checkpoints"`
}

func (t *trace) result() *sim.Result {
	return &sim.Result{Steps: t.Steps, TraceHash: t.TraceHash, Checkpoints: t.Checkpoints}
}

// errAbsent says that something cannot be compared here.
type errAbsent struct{ why string }

func (e errAbsent) Error() string { return e.why }

func (v *simVerify) run(ctx context.Context) (err error) {
	native := &simNodes{kind: "native"}
	collecting := func(percent int) ([]trace, error) {
		defer debug.SetGCPercent(debug.SetGCPercent(percent))
		defer debug.SetMemoryLimit(debug.SetMemoryLimit(heapMax))
		return v.traces(ctx, native, v.seeds)
	}
	if v.reference, err = collecting(-1); err != nil {
		return err
	}
	var steps uint64
	for i := range v.reference {
		steps += v.reference[i].Steps
	}
	fmt.Fprintf(v.w, "%-26s %s, %d steps\n", "native, GOGC=off", count(len(v.reference), "seed"), steps)
	ways := []way{
		{"native, GOGC=10", func() ([]trace, error) { return collecting(10) }, false},
		{"native, another process", func() ([]trace, error) { return v.again(ctx) }, false},
		{"wasm, compiled", func() ([]trace, error) { return v.guests(ctx, false, v.seeds.count()) }, false},
		{"wasm, interpreted", func() ([]trace, error) { return v.guests(ctx, true, v.interpreted) }, true},
	}
	if v.source != "" {
		ways = append(ways, v.builds(ctx)...)
	}
	if v.against != "" {
		ways = append(ways, way{v.against, v.elsewhere, false})
	}
	for _, w := range ways {
		if err := v.compare(w); err != nil {
			return err
		}
	}
	if v.differs {
		return exitWith(exitDiffers)
	}
	_, err = fmt.Fprintln(v.w, "ok: all runs are the same")
	return err
}

// heapMax bounds the heap while the collector is off: then it does work.
const heapMax = 2 << 30

// A way to make the runs of some of the seeds, the first ones.
type way struct {
	name   string
	traces func() ([]trace, error)
	some   bool // not all of them
}

// compare makes runs in another way and says which differ from the reference.
func (v *simVerify) compare(w way) error {
	got, err := w.traces()
	var absent errAbsent
	if errors.As(err, &absent) {
		_, err := fmt.Fprintf(v.w, "%-26s NOT COMPARED: %v\n", w.name, absent)
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	if few := len(got) < len(v.reference); few && !w.some {
		return fmt.Errorf("%s: it made %d of %d runs, and said no more", w.name, len(got), len(v.reference))
	}
	different := 0
	for i := range got {
		want := &v.reference[min(i, len(v.reference)-1)]
		if got[i].Seed != want.Seed {
			return misuse(fmt.Errorf("%s: it has seed %d where seed %d should be", w.name, got[i].Seed, want.Seed))
		}
		if after, by, differ := sim.Diverge(want.result(), got[i].result()); differ {
			different++
			fmt.Fprintf(v.w, "%-26s seed %d DIFFERS: equal up to step %d, not by step %d\n",
				w.name, want.Seed, after, by)
		}
	}
	v.differs = v.differs || different > 0
	_, err = fmt.Fprintf(v.w, "%-26s %s, %d equal\n", w.name, count(len(got), "seed"), len(got)-different)
	return err
}

// traces runs seeds in this process.
func (v *simVerify) traces(ctx context.Context, nodes *simNodes, seeds seedRange) ([]trace, error) {
	all := make([]trace, seeds.count())
	errs := make([]error, v.jobs)
	var workers sync.WaitGroup
	for j := range uint64(v.jobs) {
		workers.Go(func() {
			for k := j; k < uint64(len(all)) && errs[j] == nil; k += uint64(v.jobs) {
				all[k], errs[j] = v.one(ctx, nodes, seeds.at(k))
			}
		})
	}
	workers.Wait()
	return all, errors.Join(errs...)
}

func (v *simVerify) one(ctx context.Context, nodes *simNodes, seed uint64) (trace, error) {
	c, err := sim.Swarm(seed, v.swarm)
	if err != nil {
		return trace{}, err
	}
	r, err := nodes.simulate(ctx, c, sim.Harness{})
	return trace{seed, r.Steps, r.TraceHash, r.Checkpoints}, err
}

func (v *simVerify) print(ctx context.Context) error {
	all, err := v.traces(ctx, &simNodes{kind: "native"}, v.seeds)
	for i := range all {
		err = errors.Join(err, printJSON(v.w, &all[i]))
	}
	return err
}

// guests runs the first so many seeds with guest nodes.
func (v *simVerify) guests(ctx context.Context, interpreter bool, n uint64) ([]trace, error) {
	seeds := v.seeds
	seeds.to = min(seeds.to, seeds.from+n)
	if v.guest == "" {
		if program, err := os.Executable(); err == nil {
			file := filepath.Join(filepath.Dir(program), guestName)
			if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
				return nil, errAbsent{"no guest " + file + "; run make build, or say where it is with -wasm-file"}
			}
		}
	}
	nodes, err := openWasm(ctx, v.guest, interpreter)
	if err != nil {
		return nil, err
	}
	defer nodes.close(context.WithoutCancel(ctx))
	return v.traces(ctx, nodes, seeds)
}

// again has another process of this program run the seeds.
func (v *simVerify) again(ctx context.Context) ([]trace, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, infra(err)
	}
	return v.ask(ctx, program)
}

// ask has another process of a program run the seeds.
func (v *simVerify) ask(ctx context.Context, program string) ([]trace, error) {
	cmd := exec.CommandContext(ctx, program, "sim", "verify", "-print", "-seeds", v.seeds.String(),
		"-swarm", v.swarm, "-jobs", strconv.Itoa(v.jobs))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return readTraces(bytes.NewReader(out))
}

func readTraces(r io.Reader) (all []trace, err error) {
	for d := json.NewDecoder(bufio.NewReader(r)); ; {
		var t trace
		switch err := d.Decode(&t); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, err
		}
		all = append(all, t)
	}
}

// elsewhere reads what another machine printed.
func (v *simVerify) elsewhere() ([]trace, error) {
	f, err := os.Open(v.against)
	if err != nil {
		return nil, misuse(err)
	}
	defer f.Close()
	all, err := readTraces(f)
	if err == nil && len(all) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, misuse(fmt.Errorf("not what -print prints: %w", err))
	}
	return all, nil
}
