package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/nekton-go/nekton/codec/abi"
	"github.com/nekton-go/nekton/core/stack"
	"github.com/nekton-go/nekton/hosts/wasi"
)

const guestName = "nekton.wasm"

// guestFile says where the guest is.
func guestFile(f *pflag.FlagSet) *string {
	return f.String("wasm-file", "", "guest `file`; default: "+guestName+" beside this program")
}

// openGuest reads and compiles a guest. Every error is misuse.
func openGuest(ctx context.Context, file string, c wasi.Config) (*wasi.Module, error) {
	advice := "choose another -wasm-file"
	if file == "" {
		program, err := os.Executable()
		if err != nil {
			return nil, misuse(fmt.Errorf("find %s: %w; say where it is with -wasm-file", guestName, err))
		}
		file = filepath.Join(filepath.Dir(program), guestName)
		advice = "run make build, or say where it is with -wasm-file"
	}
	code, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, misuse(fmt.Errorf("there is no guest %s; %s", file, advice))
	}
	if err != nil {
		return nil, misuse(fmt.Errorf("read the guest: %w", err))
	}
	c.CacheDir = compiledGuests()
	module, err := wasi.Open(ctx, code, c)
	if err != nil {
		return nil, misuse(fmt.Errorf("guest %s: %w", file, err))
	}
	return module, nil
}

// compiledGuests is where compiled guests are kept for the next time, or nowhere: then that takes a second longer.
func compiledGuests() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	if dir = filepath.Join(dir, "nekton"); os.MkdirAll(dir, 0o700) != nil {
		return ""
	}
	return dir
}

// guestNode makes a node in an instance. The dialect of c does not cross: guests bring theirs.
func guestNode(instance *wasi.Instance, c *stack.Config) (*wasi.Node, error) {
	return instance.NewNode(abi.NodeConfig{Seed: c.Seed, Swim: c.Swim, MTU: c.MTU, Check: c.Check})
}
