package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// builds are ways that begin with building this program in another way.
func (v *simVerify) builds(ctx context.Context) (ways []way) {
	for _, b := range []build{
		{name: "built for GOAMD64=v1", arch: "amd64", env: []string{"GOAMD64=v1"}},
		{name: "built for GOAMD64=v3", arch: "amd64", env: []string{"GOAMD64=v3"}},
		{name: "built with -race", args: []string{"-race"}, env: []string{"CGO_ENABLED=1"}, cc: true},
	} {
		ways = append(ways, way{b.name, func() ([]trace, error) { return v.built(ctx, b) }, false})
	}
	return ways
}

// build is one way to build this program.
type build struct {
	name string
	arch string // the only one that it is for; empty: any
	args []string
	env  []string
	cc   bool // it takes a C compiler
}

// built builds the program and has it run the seeds.
func (v *simVerify) built(ctx context.Context, b build) ([]trace, error) {
	if b.arch != "" && b.arch != runtime.GOARCH {
		return nil, errAbsent{"this is " + runtime.GOARCH}
	}
	if b.cc && !hasCompiler(ctx) {
		return nil, errAbsent{"there is no C compiler"}
	}
	dir, err := os.MkdirTemp("", "nekton-verify-*")
	if err != nil {
		return nil, infra(err)
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "nekton")
	args := append(append([]string{"build", "-o", program}, b.args...), "./cmd/nekton")
	if err := v.command(ctx, b, "go", args...); err != nil {
		return nil, misuse(err)
	}
	if err := v.command(ctx, b, program, "version"); err != nil {
		return nil, errAbsent{"this machine cannot run it: " + oneLine(err)}
	}
	return v.ask(ctx, program)
}

// command runs a program in the directory of the source.
func (v *simVerify) command(ctx context.Context, b build, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env = v.source, append(os.Environ(), b.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(out.String()))
	}
	return nil
}

// hasCompiler reports whether the go command would find a C compiler.
func hasCompiler(ctx context.Context) bool {
	out, err := exec.CommandContext(ctx, "go", "env", "CC").Output()
	fields := strings.Fields(string(out))
	if err != nil || len(fields) == 0 {
		return false
	}
	_, err = exec.LookPath(fields[0])
	return err == nil
}
